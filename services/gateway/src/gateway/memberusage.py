"""What each member used of a team, out of the read models."""

from contracts.units import Ms
from msgspec import Struct

from gateway.readmodels import ReadModels

_USED = """
SELECT member, count(*) AS runs, sum(charged)::bigint AS charged,
       sum(refunded)::bigint AS refunded, sum(held)::bigint AS held
  FROM read.reservations
 WHERE account = %(account)s AND created_at_ms >= %(since)s AND member IS NOT NULL
 GROUP BY member"""


class UsedByMember(Struct, frozen=True):
    """Runs begun in the time asked for, what they cost, and what they hold now."""

    member: str
    runs: int
    charged: int
    refunded: int
    held: int


async def used(models: ReadModels, account: str, since: Ms) -> dict[str, UsedByMember]:
    """By member; who ran nothing is not in it."""
    values = {"account": account, "since": since}
    rows = await models.rows(UsedByMember, _USED, values)
    return {row.member: row for row in rows}
