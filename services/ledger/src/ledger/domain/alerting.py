"""What is told beside an answer: a threshold was crossed, a top-up is due. Alerts stop nothing.

Each threshold is told once a window, by the command that crosses it. One top-up is due at a time:
the next one when its credits came, or a day later; never above the owner's ceiling of the month.
"""

from contracts.catalogue import Catalogue
from contracts.events import AnyEvent, LimitStatus, ThresholdCrossed, TopUpDue
from contracts.units import DAY, Credits, Ms

from ledger.domain.account import Account
from ledger.domain.admission import spent_in, status_of
from ledger.domain.freezing import WHOLE
from ledger.domain.windows import windows_at

TOP_UP_PATIENCE_MS = DAY  # a top-up that brought nothing until then is not waited for any longer


def told(account: Account, held: Credits, now: Ms, catalogue: Catalogue) -> tuple[AnyEvent, ...]:
    """What to tell when `held` more is held of what is available; nearly always nothing."""
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
    if controls.top_up is not None and (due := _top_up(account, held, now, catalogue)) is not None:
        found.append(due)
    return tuple(found)


def _crossed(account: Account, status: LimitStatus) -> list[ThresholdCrossed]:
    used = status.used + status.held
    window, told_of = account.crossed.get(status.name, (0, 0))
    if window != status.resets_at:
        told_of = 0
    return [
        ThresholdCrossed(limit=status, percent=percent)
        for percent in sorted(account.controls.alert_percents)
        if percent > told_of and used * 100 >= percent * status.limit
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
