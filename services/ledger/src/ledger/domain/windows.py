"""Calendar days and months in an account's time zone, as half-open spans of ms, DST included."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from contracts.header import Window, Windows
from contracts.units import Ms


def windows_at(now: Ms, time_zone: str) -> Windows:
    """The day and the month that `now` lies in. `time_zone` is an IANA name that exists."""
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return _windows(today, time_zone)


def counting(day: Window, month: Window, now: Ms, time_zone: str) -> Windows:
    """The windows to count in from `now` on, given those counted in so far.

    One that is not over keeps its start, so that what was spent in it still counts, and ends where
    the time zone says; one that is over is left behind whole. Thus a start is the instant since
    which spending is counted, also when the time zone moved.
    """
    calendar = windows_at(now, time_zone)
    return Windows(
        day=_going_on(day, calendar.day, now), month=_going_on(month, calendar.month, now)
    )


def zone_exists(name: str) -> bool:
    """Whether this is an IANA time zone, the same on every machine.

    Asked of the package and not of the operating system, which also knows `localtime`.
    """
    return name in _zones()


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def _going_on(counted: Window, calendar: Window, now: Ms) -> Window:
    over = not counted.start <= now < counted.end
    start = max(counted.end, calendar.start) if over else counted.start
    return Window(start, calendar.end)


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
