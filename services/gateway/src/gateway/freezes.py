"""What stands frozen of an account, and why."""

from datetime import datetime

from contracts.units import Ms
from msgspec import Struct

from gateway.moments import moment
from gateway.readmodels import Reading

FREEZES_MAX = 1_000  # reasons that are told; an account with more has other troubles

_STANDING = """
SELECT grant_id, reason, at_ms FROM read.freezes
 WHERE account = %(account)s ORDER BY at_ms, grant_id, reason LIMIT %(most)s"""


class _Row(Struct):
    """A row of read.freezes."""

    grant_id: str
    reason: str
    at_ms: Ms


class Frozen(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Why nothing can be spent: of the whole account, or of one grant's credits."""

    reason: str
    since: datetime
    grant_id: str | None = None


async def freezes(reading: Reading, account: str) -> list[Frozen]:
    """Every reason that stands, the oldest first."""
    rows = await reading.rows(_Row, _STANDING, {"account": account, "most": FREEZES_MAX})
    return [
        Frozen(reason=row.reason, since=moment(row.at_ms), grant_id=row.grant_id or None)
        for row in rows
    ]
