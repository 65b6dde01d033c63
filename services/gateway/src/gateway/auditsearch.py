"""The search over every event by account, kind, time, actor, command; by cursor, newest first.

Of one account it walks that account's versions; of all of them a window of time, which must be
given and is read as a whole. An event's name is where it lies, `partition:offset`.
"""

import re
from collections.abc import AsyncIterator

from contracts.codec import encode
from contracts.units import DAY, FOREVER, Ms
from msgspec import Raw, Struct

from gateway.problems import failure
from gateway.readmodels import ReadModels

PAGE = 50
EXPORT_PAGE = 500
WINDOW_MS_MAX = 31 * DAY  # over all accounts; longer ones are finance's exports
_CURSOR = re.compile(r"(\d{1,15})-(\d{1,6})-(\d{1,18})")
_VERSION = re.compile(r"\d{1,18}")
_COLUMNS = """account, version, seq, partition, "offset", at_ms, type, amount, moved, available,
       held, spent, answer, command_id, actor_kind, actor_id, reservation, charge, grant_id, tool,
       detail::text AS detail"""
_THAT = """
   AND at_ms >= %(start)s AND at_ms < %(end)s
   AND (%(kind)s::text = '' OR type = %(kind)s::text)
   AND (%(kind)s::text <> '' OR type <> 'AnswerRepeated')
   AND (%(actor)s::text = '' OR actor_id = %(actor)s::text)
   AND (%(command)s::text = '' OR command_id = %(command)s::text)"""
_OF_ONE = f"""
SELECT {_COLUMNS} FROM read.entries
 WHERE account = %(account)s AND version < %(version)s {_THAT}
 ORDER BY version DESC LIMIT %(most)s"""  # noqa: S608 - constants
_OF_ALL = f"""
SELECT {_COLUMNS} FROM read.entries
 WHERE at_ms <= %(at)s AND (at_ms, partition, "offset") < (%(at)s, %(partition)s, %(offset)s)
 {_THAT}
 ORDER BY at_ms DESC, partition DESC, "offset" DESC LIMIT %(most)s"""  # noqa: S608 - constants
_ONE = f"""
SELECT {_COLUMNS} FROM read.entries
 WHERE partition = %(partition)s AND "offset" = %(offset)s LIMIT 1"""  # noqa: S608 - constants


class EventHead(Struct):
    """What every event has."""

    account: str
    version: int
    seq: int
    partition: int
    offset: int
    at_ms: Ms
    type: str
    amount: int
    moved: int
    available: int
    held: int
    spent: int
    answer: bool
    command_id: str
    actor_kind: str
    actor_id: str
    reservation: str | None
    charge: str | None
    grant_id: str | None
    tool: str | None


class EventRow(EventHead):
    """A row of read.entries, whole; `detail` is JSON."""

    detail: str


class Exported(EventHead):
    """The same as a line of an export."""

    detail: Raw


class Sought(Struct, frozen=True, kw_only=True):
    """Which events; an empty text is any. Without an account `start` bounds the search."""

    account: str = ""
    kind: str = ""
    actor: str = ""
    command: str = ""
    start: Ms = 0
    end: Ms = FOREVER


class Events(Struct, frozen=True):
    """A page of them; `cursor` is empty on the last one."""

    rows: list[EventRow]
    cursor: str


class AuditSearch(Struct, frozen=True):
    """Reads events."""

    models: ReadModels

    async def page(self, sought: Sought, cursor: str, most: int) -> Events:
        """One page."""
        values: dict[str, object] = {
            "account": sought.account,
            "kind": sought.kind,
            "actor": sought.actor,
            "command": sought.command,
            "start": sought.start,
            "end": sought.end,
            "most": most + 1,
        }
        if sought.account:
            values["version"] = _version(cursor)
            rows = await self.models.rows(EventRow, _OF_ONE, values)
        else:
            _bounded(sought)
            at, partition, offset = _place(cursor, sought.end)
            values |= {"at": at, "partition": partition, "offset": offset}
            rows = await self.models.rows(EventRow, _OF_ALL, values)
        shown = rows[:most]
        return Events(shown, _next(sought, shown[-1]) if len(rows) > most else "")

    async def one(self, partition: int, offset: int) -> EventRow | None:
        """The event that lies there."""
        values = {"partition": partition, "offset": offset}
        return await self.models.row(EventRow, _ONE, values)

    async def lines(self, sought: Sought, page: Events) -> AsyncIterator[bytes]:
        """This page and all that follow, a JSON object a line."""
        while True:
            for row in page.rows:
                yield encode(_exported(row)) + b"\n"
            if not page.cursor:
                return
            page = await self.page(sought, page.cursor, EXPORT_PAGE)


def _exported(row: EventRow) -> Exported:
    head = {name: getattr(row, name) for name in EventHead.__struct_fields__}
    return Exported(**head, detail=Raw(row.detail.encode()))


def _next(sought: Sought, last: EventRow) -> str:
    if sought.account:
        return str(last.version)
    return f"{last.at_ms}-{last.partition}-{last.offset}"


def _bounded(sought: Sought) -> None:
    if not 0 < sought.end - sought.start <= WINDOW_MS_MAX:
        raise failure(422, "invalid_request", "Name an account, or a time of at most 31 days.")


def _version(cursor: str) -> int:
    if not cursor:
        return 2**63 - 1
    if not _VERSION.fullmatch(cursor):
        raise failure(422, "invalid_request", "This is no page that we linked to.")
    return int(cursor)


def _place(cursor: str, end: Ms) -> tuple[int, int, int]:
    if not cursor:
        return end, 0, 0
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise failure(422, "invalid_request", "This is no page that we linked to.")
    return int(found[1]), int(found[2]), int(found[3])
