"""When an account's credits run out at its own pace; nothing when there is too little to go by."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

ACTIVE_DAYS_MIN = 3  # fewer are chance, and a date made of chance is a lie
YEARS_MAX = 5  # further away than that nobody needs a date


class RunOut(Struct, frozen=True):
    """At `per_day` (tenths of a credit) over `window_days`; `on` None: not within five years."""

    window_days: int
    tenths_per_day: int
    on: date | None


def run_out(available: int, days: Sequence[tuple[date, int]], today: date) -> RunOut | None:
    """The projection from the credits used on each of the last days, today included.

    The pace counts from the first active day, so that a new account is not taken for a slow one.
    """
    active = [day for day, used in days if used > 0]
    if len(active) < ACTIVE_DAYS_MIN:
        return None
    window = (today - min(active)).days + 1
    used = sum(amount for day, amount in days if day >= min(active))
    if used <= 0:
        return None
    left_days = available * window // used
    on = None if left_days > YEARS_MAX * 366 else today + timedelta(days=left_days)
    return RunOut(window, (used * 10 + window // 2) // window, on)
