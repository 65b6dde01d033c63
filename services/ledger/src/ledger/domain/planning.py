"""SetPlan, and what a plan gives: one allowance a period, that ends with it and does not roll over.

A change inside a period is prorated by the millisecond: the period as a whole is worth the sum of
its plans, each for its share of the time. Going up grants what is missing of that; going down takes
what is too much of what is left, and never what is used. So nothing is won by going up and down.
"""

from contracts.catalogue import Catalogue, Plan
from contracts.commands import ActorKind, GrantKind, SetPlan
from contracts.events import (
    Allowance,
    AnyEvent,
    CreditsGranted,
    CreditsRevoked,
    PlanChanged,
    Window,
)
from contracts.reasons import Reason, Remedy
from contracts.units import DAY, FOREVER, HOUR, Credits, Ms
from msgspec.structs import replace

from ledger.domain.account import Account
from ledger.domain.owning import PRIORITY
from ledger.domain.refusal import Refusal, refused
from ledger.domain.revoking import paid_first
from ledger.domain.windows import windows_at

EARLY_MAX_MS = HOUR  # a period that is paid may begin this far ahead of the broker's clock
MONTH_HALF_MS = 15 * DAY  # behind the end of a period lies in the next one, in every time zone
DEBTS_PAID_MAX = 100  # debts that one allowance pays: it may stand beside all else that is due
REASON = "plan"


def set_plan(
    command: SetPlan, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """Put the account on a plan for a period; prorated where it has one already."""
    plan = catalogue.plans.get(command.plan)
    if plan is None:
        return refused(command, Refusal(Reason.PLAN_UNKNOWN, fields=("plan",)))
    paid = command.period_start is not None or command.period_end is not None
    if command.actor.kind is ActorKind.PERSON and (paid or plan.price_minor):
        return refused(command, Refusal(Reason.NOT_PERMITTED, Remedy.NONE))
    before = account.plan
    period = _period(command, account, now)
    if isinstance(period, Refusal):
        return refused(command, period)
    if before is not None and (before.start, before.end) == (period.start, period.end):
        at = max(now, before.start)
        accrued = before.accrued + before.credits * (at - before.since)
        after = _terms(plan, period, renews=not paid, since=at, accrued=accrued)
        return _levelled(account, before, replace(after, given=before.given), now)
    first = paid or before is None  # whoever had a plan has no whole calendar month before him
    after = _terms(plan, period, renews=not paid, since=period.start if first else now, accrued=0)
    closed = () if before is None else _closed(account, before, period, now)
    return (*closed, *_levelled(account, before, after, now))


def renewed(account: Account, now: Ms, catalogue: Catalogue) -> tuple[AnyEvent, ...]:
    """The next period of a plan that renews, once one is over; periods between are not given."""
    before = account.plan
    if before is None or not before.renews or before.end > now:
        return ()
    zone = account.controls.time_zone
    month = windows_at(max(now, before.end + MONTH_HALF_MS), zone).month
    start = before.end if now < month.start else max(before.end, month.start)
    plan = catalogue.plans.get(before.plan)
    after = Allowance(
        plan=before.plan,
        start=start,
        end=month.end,
        credits=before.credits if plan is None else plan.monthly_credits,
        day_limit=before.day_limit if plan is None else plan.daily_limit,
        renews=True,
        since=start,
        accrued=0,
        given=0,
    )
    if not after.credits:
        return (PlanChanged(before=before.plan, after=after.plan, allowance=after),)
    after = replace(after, given=after.credits)
    return (_granted(account, after, after.credits, now),)


def _period(command: SetPlan, account: Account, now: Ms) -> Window | Refusal:
    """The one that is paid, or the calendar month; a plan by the calendar keeps its own."""
    start, end, before = command.period_start, command.period_end, account.plan
    if start is None and end is None:
        if before is not None and before.renews and before.end > now:
            return Window(before.start, before.end)
        return windows_at(now, account.controls.time_zone).month
    if start is None or end is None or not 0 <= start < end <= FOREVER:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("periodStart", "periodEnd"))
    if start > now + EARLY_MAX_MS:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("periodStart",))
    if end <= now or (before is not None and not before.renews and start < before.start):
        return Refusal(Reason.EXPIRY_IN_THE_PAST, Remedy.NONE, fields=("periodEnd",))
    return Window(start, end)


def _terms(plan: Plan, period: Window, *, renews: bool, since: Ms, accrued: int) -> Allowance:
    return Allowance(
        plan=plan.id,
        start=period.start,
        end=period.end,
        credits=plan.monthly_credits,
        day_limit=plan.daily_limit,
        renews=renews,
        since=since,
        accrued=accrued,
        given=0,
    )


def _closed(account: Account, before: Allowance, period: Window, now: Ms) -> tuple[AnyEvent, ...]:
    """A period that is cut short: what is left of it beyond its share of the time is taken."""
    if before.end <= max(now, period.start):
        return ()
    at = max(now, before.start)
    earned = (before.accrued + before.credits * (at - before.since)) // (before.end - before.start)
    return _taken(account, before, before.given - earned)


def _levelled(
    account: Account, before: Allowance | None, after: Allowance, now: Ms
) -> tuple[AnyEvent, ...]:
    """What was given becomes what the period is worth, as far as it is not used."""
    worth = after.accrued + after.credits * (after.end - after.since)
    missing = worth // (after.end - after.start) - after.given
    moved: tuple[CreditsGranted | CreditsRevoked, ...] = ()
    if missing > 0:
        after = replace(after, given=after.given + missing)
        moved = (_granted(account, after, missing, now),)
    elif missing < 0:
        moved = _taken(account, after, -missing)
        after = replace(after, given=after.given - sum(taken.amount for taken in moved))
    changed = PlanChanged(
        before=None if before is None else before.plan, after=after.plan, allowance=after
    )
    return (*moved, changed)


def _taken(account: Account, period: Allowance, most: Credits) -> tuple[CreditsRevoked, ...]:
    """Of what is left of a period's lots, the newest first; what is used stays used."""
    found = []
    for lot in reversed(account.lots):
        if most <= 0:
            break
        if lot.kind is not GrantKind.PLAN or lot.expires_at != period.end or not lot.available:
            continue
        amount = min(most, lot.available, lot.amount - lot.revoked)  # a paid debt is not taken too
        if amount <= 0:
            continue
        found.append(CreditsRevoked(grant=lot.grant, amount=amount, debt=0, reason=REASON))
        most -= amount
    return tuple(found)


def _granted(account: Account, period: Allowance, amount: Credits, now: Ms) -> CreditsGranted:
    named = source = f"allowance:{period.start}"
    there = {lot.grant for lot in account.lots}
    number = 1
    while named in there:
        number += 1
        named = f"{source}:{number}"
    return CreditsGranted(
        grant=named,
        kind=GrantKind.PLAN,
        source=source,
        amount=amount,
        priority=PRIORITY[GrantKind.PLAN],
        effective_from=now,
        expires_at=period.end,
        repaid=paid_first(account, amount, DEBTS_PAID_MAX) if account.debts else (),
        allowance=period,
    )
