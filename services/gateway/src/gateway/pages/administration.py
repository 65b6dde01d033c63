"""The pages of staff, in one list."""

from typing import Protocol

from contracts.catalogue import Catalogue
from fastapi import APIRouter

from gateway.actions import Actions
from gateway.auditsearch import AuditSearch
from gateway.creditsettings import OwnSettings
from gateway.lookups import Lookups
from gateway.pages import accountseen, acting, approving, eventsfound, finding
from gateway.pages.staffdoor import StaffDoor
from gateway.pages.visit import Doorway
from gateway.readmodels import ReadModels
from gateway.reads import Reads


class Ground(Protocol):
    """What they stand on of the site."""

    @property
    def models(self) -> ReadModels:
        """The read models."""

    @property
    def reads(self) -> Reads:
        """The reads of an account."""

    @property
    def own(self) -> OwnSettings:
        """The way to the ledger."""

    @property
    def catalogue(self) -> Catalogue:
        """What one admin may move alone stands there."""


def routes(ground: Ground, doorway: Doorway) -> list[APIRouter]:
    """Every page under /admin."""
    door = StaffDoor(doorway, doorway.reception.looks)
    search = AuditSearch(ground.models)
    reads = ground.reads
    actions = Actions(doorway.people.identity, ground.own.ledger.bridge)
    above = ground.catalogue.second_person_above
    return [
        finding.routes(finding.Finding(door, Lookups(ground.models, doorway.people))),
        eventsfound.routes(eventsfound.EventsFound(door, search)),
        accountseen.routes(
            accountseen.AccountSeen(
                door, reads.balances, reads.freshness, reads.reservations, search
            )
        ),
        acting.routes(acting.Acting(door, actions, reads.balances, above)),
        approving.routes(approving.Approving(door, actions)),
    ]
