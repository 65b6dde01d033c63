"""The statement of an account: every counted event, newest first, by cursor.

Retries changed nothing and stand there only for those who ask for type=AnswerRepeated.
"""

import re
from datetime import datetime

from contracts.units import Ms
from msgspec import Raw, Struct

from gateway.moments import moment
from gateway.problems import failure
from gateway.readmodels import ReadModels

PAGE_DEFAULT = 50
PAGE_MAX = 500
TYPE = re.compile(r"^[A-Za-z]{1,40}\Z")

_PAGE = """
SELECT version, seq, partition, at_ms, type, amount, moved, available, held, spent, command_id,
       reservation, charge, grant_id, tool,
       CASE WHEN type = 'AnswerRepeated' THEN '{}' ELSE detail::text END AS detail
  FROM read.entries
 WHERE account = %(account)s AND version < %(before)s
   AND (type = %(type)s::text
        OR (%(type)s::text IS NULL AND type <> ALL (%(without)s::text[])))
   AND at_ms >= %(start)s AND at_ms < %(end)s
   AND (%(tool)s::text IS NULL OR tool = %(tool)s::text)
 ORDER BY version DESC LIMIT %(most)s"""
_OF_RUN = """
SELECT e.version, e.seq, e.partition, e.at_ms, e.type, e.amount, e.moved, e.available, e.held,
       e.spent, e.command_id, e.reservation, e.charge, e.grant_id, e.tool, e.detail::text AS detail
  FROM read.reservations r JOIN read.entries e ON e.account = r.account
   AND e.version BETWEEN r.opened_version AND r.last_version AND e.reservation = r.reservation
 WHERE r.account = %(account)s AND r.reservation = %(run)s AND e.type <> 'AnswerRepeated'
 ORDER BY e.version LIMIT 200"""
_LAST = 2**63 - 1


class Row(Struct):
    """A row of read.entries."""

    version: int
    seq: int
    partition: int
    at_ms: Ms
    type: str
    amount: int
    moved: int
    available: int
    held: int
    spent: int
    command_id: str
    reservation: str | None
    charge: str | None
    grant_id: str | None
    tool: str | None
    detail: str


class Entry(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One entry. `amount` is signed; `moved` what the entry is about; then the balance after it."""

    id: str
    at: datetime
    type: str
    amount: int
    moved: int
    available: int
    held: int
    spent: int
    command_id: str
    reservation_id: str | None = None
    charge_id: str | None = None
    grant_id: str | None = None
    tool_id: str | None = None
    detail: Raw


class Statement(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A page; `next_cursor` is absent on the last one."""

    items: list[Entry]
    next_cursor: str | None = None


class Asked(Struct, frozen=True):
    """Which entries: of one type, within [start, end), before a cursor, so many at most."""

    type: str | None
    start: Ms
    end: Ms
    cursor: str | None
    most: int
    without: tuple[str, ...] = ("AnswerRepeated",)  # left out unless asked for by type
    tool: str | None = None


class Statements:
    """Reads of entries."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    async def page(self, account: str, asked: Asked) -> Statement:
        """One page."""
        if asked.type is not None and TYPE.match(asked.type) is None:
            raise failure(422, "invalid_request", "type must be the name of an event.")
        rows = await self._models.rows(
            Row,
            _PAGE,
            {
                "account": account,
                "before": _before(asked.cursor),
                "type": asked.type,
                "start": asked.start,
                "end": asked.end,
                "most": asked.most + 1,
                "without": list(asked.without),
                "tool": asked.tool,
            },
        )
        more = len(rows) > asked.most
        items = [_entry(row) for row in rows[: asked.most]]
        return Statement(items=items, next_cursor=items[-1].id if more else None)


async def entries_of(models: ReadModels, account: str, run: str) -> list[Entry]:
    """What happened to one reservation, oldest first."""
    rows = await models.rows(Row, _OF_RUN, {"account": account, "run": run})
    return [_entry(row) for row in rows]


def _before(cursor: str | None) -> int:
    if cursor is None:
        return _LAST
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise failure(422, "invalid_request", "cursor must be a nextCursor that we gave.")
    return int(cursor)


def _entry(row: Row) -> Entry:
    return Entry(
        id=str(row.version),
        at=moment(row.at_ms),
        type=row.type,
        amount=row.amount,
        moved=row.moved,
        available=row.available,
        held=row.held,
        spent=row.spent,
        command_id=row.command_id,
        reservation_id=row.reservation,
        charge_id=row.charge,
        grant_id=row.grant_id,
        tool_id=row.tool,
        detail=Raw(row.detail.encode()),
    )
