"""Which plan an account is on, and its period."""

from datetime import datetime

from contracts.units import Ms
from msgspec import Struct

from gateway.moments import moment
from gateway.readmodels import Reading

_PLAN = """
SELECT plan, start_ms, end_ms, credits, day_limit FROM read.plans WHERE account = %(account)s"""


class _Row(Struct):
    """A row of read.plans."""

    plan: str
    start_ms: Ms
    end_ms: Ms
    credits: int
    day_limit: int


class PlanHeld(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A plan and the period that its allowance is for; `dayLimit` is of allowance credits only."""

    plan: str
    period_start: datetime
    period_end: datetime
    credits: int
    day_limit: int


async def plan_of(reading: Reading, account: str) -> PlanHeld | None:
    """The plan that the account was put on last; its period begins anew when it is touched."""
    rows = await reading.rows(_Row, _PLAN, {"account": account})
    if not rows:
        return None
    (row,) = rows
    return PlanHeld(
        plan=row.plan,
        period_start=moment(row.start_ms),
        period_end=moment(row.end_ms),
        credits=row.credits,
        day_limit=row.day_limit,
    )
