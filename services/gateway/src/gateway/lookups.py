"""Whose something is: from an address, an account, a run, a purchase, an event to an account.

Each is one look at an index; nothing here reads what stands in an account.
"""

import re

from msgspec import Struct

from gateway.bodies import NAME
from gateway.people import People
from gateway.readmodels import ReadModels

FOUND_MAX = 20  # of one name; ids are unique to an account, not to all of them
_EVENT = re.compile(r"(\d{1,6}):(\d{1,18})")
_name = re.compile(NAME).match

_ACCOUNT = "SELECT account FROM read.balances WHERE account = %(name)s"
_NAMED = """
SELECT account, partition, "offset", type FROM read.entries
 WHERE command_id = %(name)s AND type <> 'AnswerRepeated' LIMIT %(most)s"""
_PURCHASE = """
SELECT account, partition, "offset", type FROM read.entries
 WHERE type LIKE 'Purchase%%' AND detail ->> 'purchase' = %(name)s LIMIT %(most)s"""
_PLACED = """
SELECT account, partition, "offset", type FROM read.entries
 WHERE partition = %(partition)s AND "offset" = %(offset)s LIMIT 1"""


class Found(Struct, frozen=True):
    """Something with the name that was looked for; `event` is where an event of it lies."""

    account: str
    what: str
    event: str = ""


class _Account(Struct):
    account: str


class _Event(Struct):
    account: str
    partition: int
    offset: int
    type: str


class Lookups(Struct, frozen=True):
    """Finds accounts."""

    models: ReadModels
    people: People

    async def named(self, text: str, *, by_email: bool) -> list[Found]:
        """Everything of this name, the surest first."""
        if "@" in text:
            person = await self.people.by_email(text) if by_email else None
            return [] if person is None else [Found(person.id, "Person with this address")]
        if (place := _EVENT.fullmatch(text)) is not None:
            values = {"partition": int(place[1]), "offset": int(place[2])}
            return [_found(row) for row in await self.models.rows(_Event, _PLACED, values)]
        if _name(text) is None:
            return []
        return await self._of_name(text)

    async def _of_name(self, name: str) -> list[Found]:
        values = {"name": name, "most": FOUND_MAX}
        accounts = await self.models.rows(_Account, _ACCOUNT, values)
        found = [Found(row.account, "Account") for row in accounts]
        if not found and await self.people.by_id(name) is not None:
            found.append(Found(name, "Account without any event"))
        events = await self.models.rows(_Event, _NAMED, values)
        events += await self.models.rows(_Event, _PURCHASE, values)
        return found + [_found(row) for row in events]


def _found(row: _Event) -> Found:
    return Found(row.account, row.type, f"{row.partition}:{row.offset}")
