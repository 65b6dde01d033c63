"""Milliseconds since the epoch to RFC 3339 in UTC and back."""

from datetime import UTC, datetime, timedelta

from contracts.units import FOREVER, Ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = FOREVER - 1


def moment(ms: Ms) -> datetime:
    """An instant; what lies beyond the year 9999 is its last millisecond."""
    return _EPOCH + timedelta(milliseconds=min(ms, _LAST))


def moment_or_none(ms: Ms) -> datetime | None:
    """An instant, or None for never."""
    return None if ms >= FOREVER else moment(ms)


def milliseconds(at: datetime) -> Ms:
    """Whole milliseconds of an instant with a time zone."""
    return (at - _EPOCH) // timedelta(milliseconds=1)
