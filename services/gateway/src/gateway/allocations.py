"""What each member may take of a team: the ledger's caps of the team's account, nothing beside.

Changed like any of the account's settings, by version: an admin who changes another limit at the
same moment loses nothing.
"""

from contracts.caps import Cap, CapOf
from contracts.commands import Controls
from contracts.events import CommandRefused
from fastapi import Request
from msgspec import Struct

from gateway import bodies, positions
from gateway.creditsettings import OwnSettings
from gateway.guest import Guest
from gateway.problems import ProblemError, failure
from gateway.teambodies import AllocationBody

TRIES_MAX = 8  # against others who change the team's settings at the same moment


class Allocations(Struct, frozen=True):
    """Reads and changes them."""

    settings: OwnSettings

    async def all(self, team: str) -> dict[str, Cap]:
        """By member."""
        controls, _ = await self.settings.held(team)
        return {cap.id: cap for cap in controls.caps if cap.of is CapOf.MEMBER}

    async def give(
        self, request: Request, guest: Guest, person: str, given: AllocationBody | None
    ) -> None:
        """Set a member's allocation, or take it away; raises 409 with why the ledger refused."""
        team, settings = guest.account, self.settings
        for _ in range(TRIES_MAX):
            before, version = await settings.held(team)
            after = _with(before, person, given)
            if after == before.caps:
                return
            try:
                answer = await settings.decided(request, guest, version, _body(before, after))
            except ProblemError as why:
                if why.problem.status != 412:
                    raise
                continue
            if isinstance(answer.event, CommandRefused):
                says = f"The ledger said no: {answer.event.reason.value}."
                raise failure(409, "allocation_refused", says)
            place = positions.shown(answer.partition, answer.seq)
            await settings.freshness.reach(team, place)
            return
        raise failure(409, "settings_changed", "The team's settings are being changed; try again.")


def _with(before: Controls, person: str, given: AllocationBody | None) -> tuple[Cap, ...]:
    others = tuple(cap for cap in before.caps if not (cap.of is CapOf.MEMBER and cap.id == person))
    if given is None:
        return others
    cap = Cap(CapOf.MEMBER, person, given.limit, given.window)
    return before.caps if cap in before.caps else (*others, cap)


def _body(before: Controls, caps: tuple[Cap, ...]) -> bodies.ControlsBody:
    rule = before.top_up
    return bodies.ControlsBody(
        run_limit=before.run_limit,
        day_limit=before.day_limit,
        month_limit=before.month_limit,
        time_zone=before.time_zone,
        alert_percents=before.alert_percents,
        alert_email=before.alert_email,
        alert_in_app=before.alert_in_app,
        top_up=None
        if rule is None
        else bodies.TopUpBody(
            below=rule.below, pack=rule.pack, monthly_max_minor=rule.monthly_max_minor
        ),
        concurrency=before.concurrency,
        caps=tuple(
            bodies.CapBody(of=cap.of, id=cap.id, limit=cap.limit, window=cap.window) for cap in caps
        ),
        low_balance=before.low_balance,
        low_percent=before.low_percent,
    )
