"""Grants of an account that begin later: told, and not to be spent yet."""

from datetime import datetime

from contracts.units import Ms
from msgspec import Struct

from gateway.moments import moment, moment_or_none
from gateway.readmodels import Reading

UPCOMING_MAX = 1_000  # that are told, the next ones; an account with more has other troubles

_COMING = """
SELECT grant_id, kind, source, priority, amount, effective_from_ms, expires_at_ms
  FROM read.upcoming WHERE account = %(account)s AND amount > 0
 ORDER BY effective_from_ms, grant_id LIMIT %(most)s"""


class _Row(Struct):
    """A row of read.upcoming."""

    grant_id: str
    kind: str
    source: str
    priority: int
    amount: int
    effective_from_ms: Ms
    expires_at_ms: Ms


class Upcoming(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A grant that begins later: its credits are no part of any balance until then."""

    grant_id: str
    kind: str
    source: str
    priority: int
    amount: int
    effective_from: datetime
    expires_at: datetime | None = None


async def upcoming(reading: Reading, account: str) -> list[Upcoming]:
    """What will begin, the next first."""
    rows = await reading.rows(_Row, _COMING, {"account": account, "most": UPCOMING_MAX})
    return [
        Upcoming(
            grant_id=row.grant_id,
            kind=row.kind,
            source=row.source,
            priority=row.priority,
            amount=row.amount,
            effective_from=moment(row.effective_from_ms),
            expires_at=moment_or_none(row.expires_at_ms),
        )
        for row in rows
    ]
