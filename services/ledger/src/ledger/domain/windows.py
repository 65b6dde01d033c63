"""Calendar days and months in an account's time zone, as half-open spans of ms, DST included."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from contracts.header import Window, Windows
from contracts.units import Ms


def windows_at(now: Ms, time_zone: str) -> Windows:
    """The day and the month that `now` lies in. `time_zone` is an IANA name that exists."""
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return _windows(today, time_zone)


@lru_cache(maxsize=4096)
def _windows(today: date, time_zone: str) -> Windows:
    zone = ZoneInfo(time_zone)
    first = today.replace(day=1)
    next_first = (first + timedelta(days=31)).replace(day=1)
    return Windows(
        day=Window(_midnight(today, zone), _midnight(today + timedelta(days=1), zone)),
        month=Window(_midnight(first, zone), _midnight(next_first, zone)),
    )


def _midnight(day: date, zone: ZoneInfo) -> Ms:
    """The first instant of a local day: where midnight is skipped, the first that exists."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return round(local.astimezone(UTC).timestamp() * 1000)
