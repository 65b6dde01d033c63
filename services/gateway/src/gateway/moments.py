"""Milliseconds since the epoch to RFC 3339 in UTC and back."""

from datetime import UTC, datetime, timedelta

from contracts.units import FOREVER, Ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = -62_135_596_800_000  # the year 1: what a date can show
_LAST = FOREVER - 1


def moment(ms: Ms) -> datetime:
    """An instant; what no date can show becomes the first or the last one that can."""
    return _EPOCH + timedelta(milliseconds=max(_FIRST, min(ms, _LAST)))


def moment_or_none(ms: Ms) -> datetime | None:
    """An instant, or None for never."""
    return None if ms >= FOREVER else moment(ms)


def milliseconds(at: datetime) -> Ms:
    """Whole milliseconds of an instant with a time zone."""
    return (at - _EPOCH) // timedelta(milliseconds=1)
