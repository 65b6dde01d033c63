"""Calendar days and months in an account's time zone, as spans of milliseconds [start, end)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.events import Window, Windows
from contracts.units import Ms

from gateway.moments import milliseconds, moment


def windows_at(now: Ms, time_zone: str) -> Windows:
    """The day and the month that `now` lies in."""
    zone = ZoneInfo(time_zone)
    local = moment(now).astimezone(zone)
    first = local.replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return Windows(
        day=Window(_midnight(local, zone), _midnight(local + timedelta(days=1), zone)),
        month=Window(_midnight(first, zone), _midnight(next_month, zone)),
    )


def day_start(at: Ms, time_zone: str) -> Ms:
    """The local midnight at or before an instant."""
    zone = ZoneInfo(time_zone)
    return _midnight(moment(at).astimezone(zone), zone)


def _midnight(local: datetime, zone: ZoneInfo) -> Ms:
    return milliseconds(datetime(local.year, local.month, local.day, tzinfo=zone))
