"""One admission decision over the whole chain of limits, in one order.

    frozen · run · concurrency · parent · key · member · tool · day · month · available

`Reserve`, `Extend` and `Estimate` ask the same. Every window counts spent + held, so that no
interleaving of commands passes a limit by one unit. A nested run draws on credits that its parent
holds: they count already, and only the limits that are its own are asked.
"""

from contracts.caps import CapOf, CapWindow
from contracts.events import LimitStatus, Window
from contracts.reasons import Reason, Remedy
from contracts.units import Credits, Ms
from msgspec import Struct

from ledger.domain import allowance, capping
from ledger.domain.account import Account, Reservation
from ledger.domain.freezing import WHOLE, usable
from ledger.domain.refusal import Refusal
from ledger.domain.windows import windows_at

_CAPPED = {
    CapOf.KEY: Reason.KEY_LIMIT,
    CapOf.MEMBER: Reason.MEMBER_LIMIT,
    CapOf.TOOL: Reason.TOOL_LIMIT,
}


class Bound(Struct, gc=False):
    """A limit, what stands against it, and how much of it the run asks for."""

    name: str
    reason: Reason
    remedy: Remedy
    limit: Credits
    used: Credits
    held: Credits
    asked: Credits


def admit(
    account: Account,
    amount: Credits,
    now: Ms,
    before: Credits = 0,
    *,
    counts: tuple[str, ...] = (),
    parent: Reservation | None = None,
) -> Refusal | None:
    """None when `amount` may be held now, else the first limit of the chain that binds.

    `before` is what the same run was given already; `counts` what it counts as where there are
    caps; `parent` the run that it is nested in.
    """
    if account.freezes and WHOLE in account.freezes:
        return Refusal(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT)
    for bound in bounds(account, amount, now, before, counts=counts, parent=parent):
        if bound.used + bound.held + bound.asked > bound.limit:
            return _refusal(bound, account, now)
    if parent is None and account.plan is not None:
        no = allowance.day_bound(account, amount, now)
        if no is not None:
            return no
    if parent is None and amount > (free := usable(account)):
        if amount <= account.available:
            return Refusal(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT, shortfall=amount - free)
        return Refusal(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=amount - free)
    return None


def bounds(
    account: Account,
    amount: Credits,
    now: Ms,
    before: Credits = 0,
    *,
    counts: tuple[str, ...] = (),
    parent: Reservation | None = None,
) -> list[Bound]:
    """Every limit that a run meets, in the order of the chain; nearly always none."""
    controls = account.controls
    found: list[Bound] = []
    raised = Remedy.RAISE_LIMIT
    if (limit := controls.run_limit) is not None:
        found.append(Bound("run", Reason.RUN_LIMIT, raised, limit, 0, before, amount))
    if controls.concurrency is not None and parent is None and not before:
        found.append(_concurrency(account, controls.concurrency))
    if parent is not None:
        limit, used = parent.amount, parent.charged
        fixed = Remedy.CHANGE_REQUEST
        found.append(Bound("parent", Reason.PARENT_LIMIT, fixed, limit, used, 0, amount))
    if controls.caps:
        found += _caps(account, amount, now, counts, parent)
    if parent is None:
        reset = Remedy.WAIT_FOR_RESET
        if (limit := controls.day_limit) is not None:
            used = spent_in(account.day, account.day_spent, now)
            held = account.held
            found.append(Bound("day", Reason.DAY_LIMIT, reset, limit, used, held, amount))
        if (limit := controls.month_limit) is not None:
            used = spent_in(account.month, account.month_spent, now)
            held = account.held
            found.append(Bound("month", Reason.MONTH_LIMIT, reset, limit, used, held, amount))
    return found


def chain(found: list[Bound], account: Account, now: Ms) -> tuple[LimitStatus, ...]:
    """Limits as they stand, in their order."""
    return tuple([_stands(bound, account, now) for bound in found])


def nearest(found: list[Bound], account: Account, now: Ms) -> LimitStatus | None:
    """The limit that the run comes closest to; of one run or of how many is none."""
    windows = [bound for bound in found if bound.name not in ("run", "concurrency")]
    if not windows:
        return None
    return _stands(min(windows, key=lambda b: b.limit - b.used - b.held), account, now)


def spent_in(window: Window, spent: Credits, now: Ms) -> Credits:
    """What was spent in the window that `now` lies in: nothing yet if that is a new one."""
    return spent if window.start <= now < window.end else 0


def used_of(account: Account, placed: capping.Placed, now: Ms) -> Credits:
    """What was spent of a cap in the window that `now` lies in."""
    used, window = account.counted.get(placed.slot, 0), placed.cap.window
    if window is CapWindow.DAY:
        return spent_in(account.day, used, now)
    return spent_in(account.month, used, now) if window is CapWindow.MONTH else used


def status_of(name: str, limit: Credits, account: Account, more: Credits, now: Ms) -> LimitStatus:
    """How far the day's or the month's limit is used once `more` is held."""
    window, spent = (
        (account.day, account.day_spent) if name == "day" else (account.month, account.month_spent)
    )
    used, held = spent_in(window, spent, now), account.held + more
    resets = _resets(name, account, now)
    return LimitStatus(name, limit, used, held, max(0, limit - used - held), resets)


def _concurrency(account: Account, limit: int) -> Bound:
    """Runs under way at once; those inside another run are a part of it."""
    runs = sum([held.parent is None for held in account.reservations.values()])
    return Bound("concurrency", Reason.CONCURRENCY_LIMIT, Remedy.WAIT_FOR_RUNS, limit, 0, runs, 1)


def _caps(
    account: Account,
    amount: Credits,
    now: Ms,
    counts: tuple[str, ...],
    parent: Reservation | None,
) -> list[Bound]:
    """The caps of this run's key, member and tool; what its parent counts as is counted there."""
    found = []
    for name in counts:  # its key, then its member, then its tool
        if parent is not None and name in parent.counts:
            continue
        placed = capping.placed_as(account, name)
        held = capping.held(account, name) if placed else 0
        for one in placed:
            cap, used = one.cap, used_of(account, one, now)
            remedy = Remedy.WAIT_FOR_RESET
            if cap.window is CapWindow.EVER:
                remedy = Remedy.RAISE_LIMIT
            why = _CAPPED[cap.of]
            found.append(Bound(one.limit, why, remedy, cap.limit, used, held, amount))
    return found


def _refusal(bound: Bound, account: Account, now: Ms) -> Refusal:
    """A limit that even an unused window could not pass is raised, not waited for."""
    status = _stands(bound, account, now)
    above = bound.asked > bound.limit and bound.reason is not Reason.PARENT_LIMIT
    fixed = Remedy.RAISE_LIMIT if above else bound.remedy
    return Refusal(bound.reason, fixed, limit=status, shortfall=bound.asked - status.left)


def _stands(bound: Bound, account: Account, now: Ms) -> LimitStatus:
    left = max(0, bound.limit - bound.used - bound.held)
    resets = _resets(bound.name, account, now)
    return LimitStatus(bound.name, bound.limit, bound.used, bound.held, left, resets)


def _resets(name: str, account: Account, now: Ms) -> Ms | None:
    day, month = account.day, account.month
    if name.endswith("day"):
        if day.start <= now < day.end:  # nearly always: something was spent in it
            return day.end
        return windows_at(now, account.controls.time_zone).day.end
    if name.endswith("month"):
        if month.start <= now < month.end:
            return month.end
        return windows_at(now, account.controls.time_zone).month.end
    return None
