"""What a plan gave is spent by its own day's limit; bought credits beside it are always usable.

Only credits of the kind `plan` count: spent today and held now, together never above the limit.
"""

from contracts.catalogue import Catalogue, Tool
from contracts.commands import GrantKind
from contracts.header import LimitStatus, Slice
from contracts.reasons import Reason, Remedy
from contracts.units import Credits, Ms

from ledger.domain.account import Account
from ledger.domain.freezing import WHOLE, usable
from ledger.domain.refusal import Refusal
from ledger.domain.windows import windows_at

OWN_LIMIT_FACTOR = 2  # an owner's own limits may be this many times the plan's


def day_bound(account: Account, amount: Credits, now: Ms) -> Refusal | None:
    """Why the plan's day does not let `amount` be held, though the account has it."""
    plan, free = account.plan, usable(account)
    if plan is None or amount > free:
        return None
    used, held = _spent_today(account, now), _held(account)
    spare = max(0, plan.day_limit - used - held)
    there = sum(
        lot.available
        for lot in account.lots
        if lot.kind is GrantKind.PLAN and lot.grant not in account.freezes
    )
    left = free - max(0, there - spare)
    if amount <= left:
        return None
    resets = windows_at(now, account.controls.time_zone).day.end
    status = LimitStatus("plan_day", plan.day_limit, used, held, spare, resets)
    return Refusal(Reason.DAY_LIMIT, Remedy.WAIT_FOR_RESET, limit=status, shortfall=amount - left)


def spare_today(account: Account, now: Ms) -> Credits:
    """How many credits of the plan the day still lets be held."""
    plan = account.plan
    if plan is None or WHOLE in account.freezes:
        return 0
    return max(0, plan.day_limit - _spent_today(account, now) - _held(account))


def not_in_plan(tool: Tool, account: Account, catalogue: Catalogue) -> Refusal | None:
    """Why a tool of some plans only is none for this account."""
    if tool.feature is None:
        return None
    plan = None if account.plan is None else catalogue.plans.get(account.plan.plan)
    if plan is not None and tool.feature in plan.features:
        return None
    return Refusal(Reason.PLAN_LACKS_FEATURE, Remedy.CHANGE_PLAN)


def of_plan(account: Account, slices: tuple[Slice, ...]) -> Credits:
    """How much of these slices is of the plan's credits."""
    return sum(p.amount for p in slices if account.lot(p.grant).kind is GrantKind.PLAN)


def above_plan(account: Account, day: Credits | None, month: Credits | None) -> tuple[str, ...]:
    """Which of an owner's own limits are further above the plan's than they may be."""
    plan = account.plan
    if plan is None:
        return ()
    wrong = []
    if day is not None and day > OWN_LIMIT_FACTOR * plan.day_limit:
        wrong.append("dayLimit")
    if month is not None and month > OWN_LIMIT_FACTOR * plan.credits:
        wrong.append("monthLimit")
    return tuple(wrong)


def _spent_today(account: Account, now: Ms) -> Credits:
    return account.plan_spent if account.day.start <= now < account.day.end else 0


def _held(account: Account) -> Credits:
    return sum(of_plan(account, held.slices) for held in account.reservations.values())
