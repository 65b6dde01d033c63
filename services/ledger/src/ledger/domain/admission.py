"""One admission decision over the whole chain of limits; `Reserve` and `Estimate` ask the same.

Every window counts spent + held, so that no interleaving of commands passes a limit by one unit.
"""

from contracts.events import LimitStatus, Window
from contracts.reasons import Reason, Remedy
from contracts.units import Credits, Ms

from ledger.domain.account import Account
from ledger.domain.freezing import WHOLE, usable
from ledger.domain.refusal import Refusal
from ledger.domain.windows import windows_at


def admit(account: Account, amount: Credits, now: Ms, before: Credits = 0) -> Refusal | None:
    """None when `amount` may be held now, else the first limit of the chain that binds.

    `before` is what the same run was given already.
    """
    if account.freezes and WHOLE in account.freezes:
        return Refusal(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT)
    controls = account.controls
    if controls.run_limit is not None and before + amount > controls.run_limit:
        left = max(0, controls.run_limit - before)
        status = LimitStatus("run", controls.run_limit, 0, before, left)
        return _bound(Reason.RUN_LIMIT, status, amount, Remedy.RAISE_LIMIT)
    if (limit := controls.day_limit) is not None:
        used = spent_in(account.day, account.day_spent, now)
        if used + account.held + amount > limit:
            status = _status("day", limit, used, account, now)
            return _bound(Reason.DAY_LIMIT, status, amount, Remedy.WAIT_FOR_RESET)
    if (limit := controls.month_limit) is not None:
        used = spent_in(account.month, account.month_spent, now)
        if used + account.held + amount > limit:
            status = _status("month", limit, used, account, now)
            return _bound(Reason.MONTH_LIMIT, status, amount, Remedy.WAIT_FOR_RESET)
    if amount > (free := usable(account)):
        if amount <= account.available:
            return Refusal(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT, shortfall=amount - free)
        return Refusal(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=amount - free)
    return None


def spent_in(window: Window, spent: Credits, now: Ms) -> Credits:
    """What was spent in the window that `now` lies in: nothing yet if that is a new one."""
    return spent if window.start <= now < window.end else 0


def status_of(name: str, limit: Credits, account: Account, more: Credits, now: Ms) -> LimitStatus:
    """How far the day's or the month's limit is used once `more` is held."""
    window, spent = (
        (account.day, account.day_spent) if name == "day" else (account.month, account.month_spent)
    )
    status = _status(name, limit, spent_in(window, spent, now), account, now)
    left = max(0, status.left - more)
    return LimitStatus(name, limit, status.used, status.held + more, left, status.resets_at)


def _status(name: str, limit: Credits, used: Credits, account: Account, now: Ms) -> LimitStatus:
    windows = windows_at(now, account.controls.time_zone)
    resets = (windows.day if name == "day" else windows.month).end
    left = max(0, limit - used - account.held)
    return LimitStatus(name, limit, used, account.held, left, resets)


def _bound(reason: Reason, status: LimitStatus, amount: Credits, remedy: Remedy) -> Refusal:
    """A limit that even an unused window could not pass is raised, not waited for."""
    fixed = Remedy.RAISE_LIMIT if amount > status.limit else remedy
    return Refusal(reason, fixed, limit=status, shortfall=amount - status.left)
