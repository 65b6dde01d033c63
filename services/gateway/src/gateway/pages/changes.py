"""What was changed in an account's settings, and by whom, from the statement."""

from datetime import datetime

import msgspec
from contracts.catalogue import Catalogue
from contracts.commands import Controls
from contracts.units import FOREVER
from msgspec import Struct

from gateway.guest import Guest
from gateway.pages.previews import preview
from gateway.reads import Reads
from gateway.statement import Asked

CHANGES = 5  # the newest; the history has all of them


class _Both(Struct):
    before: Controls
    after: Controls


class Change(Struct, frozen=True):
    """One change in plain words."""

    at: datetime
    says: list[str]


async def changes(reads: Reads, guest: Guest, catalogue: Catalogue) -> list[Change]:
    """The newest changes, newest first."""
    asked = Asked("ControlsChanged", 0, FOREVER, None, CHANGES)
    found = []
    for entry in (await reads.statement(guest, asked)).items:
        both = msgspec.json.decode(bytes(entry.detail), type=_Both)
        says = preview(both.before, both.after, None, catalogue).says
        found.append(Change(entry.at, says or ["Saved again without a change."]))
    return found
