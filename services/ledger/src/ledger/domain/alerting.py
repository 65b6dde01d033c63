"""What is told beside an answer: a threshold was crossed, a top-up is due. Alerts stop nothing.

Each threshold of a limit or a cap is told once a window, by the command that crosses it; low
credits once until more come in. One top-up is due at a time: the next one when its credits came, or
a day later; never above the owner's ceiling of the month.
"""

from contracts.caps import CapWindow
from contracts.catalogue import Catalogue
from contracts.commands import Controls
from contracts.events import AnyEvent, LimitStatus, ThresholdCrossed, TopUpDue
from contracts.units import DAY, Credits, Ms

from ledger.domain import capping
from ledger.domain.account import Account
from ledger.domain.admission import spent_in, status_of, used_of
from ledger.domain.freezing import WHOLE
from ledger.domain.windows import windows_at

TOP_UP_PATIENCE_MS = DAY  # a top-up that brought nothing until then is not waited for any longer
LOW = (LOW_BALANCE, LOW_PERCENT) = ("low_balance", "low_percent")


def remembered(limit: str, cap: str | None) -> str:
    """Under which name the account remembers what was told of a limit, or of whose cap."""
    return limit if cap is None else limit + ":" + cap


def is_quiet(controls: Controls) -> bool:
    """Whether nothing is ever to be told under these."""
    return (
        controls.top_up is None
        and controls.day_limit is None
        and controls.month_limit is None
        and controls.low_balance is None
        and controls.low_percent is None
        and not controls.caps
    )


def told(
    account: Account,
    held: Credits,
    now: Ms,
    catalogue: Catalogue,
    counts: tuple[str, ...] = (),
) -> tuple[AnyEvent, ...]:
    """What to tell when `held` more is held of what is available; nearly always nothing.

    `counts` is what the run counts as, where there are caps.
    """
    controls = account.controls
    found: list[AnyEvent] = []
    if controls.alert_percents:
        lowest = min(controls.alert_percents)
        for name, limit, window, spent in (
            ("day", controls.day_limit, account.day, account.day_spent),
            ("month", controls.month_limit, account.month, account.month_spent),
        ):
            if not limit:
                continue
            used = spent_in(window, spent, now) + account.held + held
            if used * 100 >= lowest * limit:
                found += _crossed(account, status_of(name, limit, account, held, now))
        if counts and controls.caps:
            found += _caps_crossed(account, counts, held, now, lowest)
    if controls.low_balance is not None or controls.low_percent is not None:
        found += _low(account, held)
    if controls.top_up is not None and (due := _top_up(account, held, now, catalogue)) is not None:
        found.append(due)
    return tuple(found)


def _crossed(account: Account, status: LimitStatus, cap: str | None = None) -> list[AnyEvent]:
    used = status.used + status.held
    window, told_of = account.crossed.get(remembered(status.name, cap), (0, 0))
    if window != (status.resets_at or 0):
        told_of = 0
    return [
        ThresholdCrossed(limit=status, percent=percent, cap=cap)
        for percent in sorted(account.controls.alert_percents)
        if percent > told_of and used * 100 >= percent * status.limit
    ]


def _caps_crossed(
    account: Account, counts: tuple[str, ...], held: Credits, now: Ms, lowest: int
) -> list[AnyEvent]:
    """What is to be told of the caps that the run counts against; nearly always nothing."""
    found: list[AnyEvent] = []
    name, holds = "", 0
    for placed in capping.against(account, counts):
        cap = placed.cap
        if not cap.limit:
            continue
        if placed.name != name:
            name = placed.name
            holds = capping.held(account, name) + held
        used = used_of(account, placed, now)
        if (used + holds) * 100 >= lowest * cap.limit:
            found += _crossed(account, _cap_status(account, placed, used, holds, now), name)
    return found


def _cap_status(
    account: Account, placed: capping.Placed, used: Credits, holds: Credits, now: Ms
) -> LimitStatus:
    cap = placed.cap
    resets = None
    if cap.window is not CapWindow.EVER:
        calendar = windows_at(now, account.controls.time_zone)
        resets = (calendar.day if cap.window is CapWindow.DAY else calendar.month).end
    left = max(0, cap.limit - used - holds)
    return LimitStatus(placed.limit, cap.limit, used, holds, left, resets)


def _low(account: Account, held: Credits) -> list[AnyEvent]:
    """Few credits are left. In per cent: of the grants of which something was still available."""
    controls, left = account.controls, account.available - held
    below = []
    if controls.low_balance is not None:
        below.append((LOW_BALANCE, controls.low_balance, 0))
    if controls.low_percent is not None:
        whole = sum([lot.amount for lot in account.lots if lot.available])
        at = -(-controls.low_percent * whole // 100)  # below it there is less than the share
        below.append((LOW_PERCENT, at, controls.low_percent))
    came = account.granted + account.received
    return [
        ThresholdCrossed(limit=LimitStatus(name, limit, 0, 0, left), percent=percent)
        for name, limit, percent in below
        if left < limit and (name not in account.crossed or account.crossed[name][0] != came)
    ]


def _top_up(account: Account, held: Credits, now: Ms, catalogue: Catalogue) -> TopUpDue | None:
    rule = account.controls.top_up
    if rule is None or account.available - held >= rule.below or WHOLE in account.freezes:
        return None
    if account.top_up_since and now - account.top_up_since < TOP_UP_PATIENCE_MS:
        return None
    if now < account.top_up_wait:
        return None
    pack = catalogue.packs.get(rule.pack)
    if pack is None:
        return None
    month = windows_at(now, account.controls.time_zone).month
    paid = sum(minor for at, minor in account.top_ups if at >= month.start)
    if paid + pack.price_minor > rule.monthly_max_minor:
        return None
    return TopUpDue(pack=rule.pack, below=rule.below)
