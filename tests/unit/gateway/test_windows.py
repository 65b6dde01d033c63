"""Days, months and spans in an account's own calendar."""

from datetime import UTC, datetime

from gateway import usage, windows
from gateway.moments import milliseconds, moment


def ms(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def test_a_day_begins_at_local_midnight() -> None:
    day = windows.windows_at(ms("2026-03-10T20:00:00+00:00"), "Asia/Kolkata").day
    assert (day.start, day.end) == (
        ms("2026-03-11T00:00:00+05:30"),
        ms("2026-03-12T00:00:00+05:30"),
    )


def test_a_day_of_the_clock_change_has_23_hours() -> None:
    day = windows.windows_at(ms("2026-03-29T12:00:00+00:00"), "Europe/London").day
    assert day.end - day.start == 23 * 3_600_000


def test_december_ends_with_the_year() -> None:
    month = windows.windows_at(ms("2026-12-31T23:59:00+00:00"), "UTC").month
    assert (month.start, month.end) == (
        ms("2026-12-01T00:00:00+00:00"),
        ms("2027-01-01T00:00:00+00:00"),
    )


def test_seven_days_end_with_today() -> None:
    span = usage.last_days(7, ms("2026-03-10T20:00:00+00:00"), "UTC")
    assert (span.start, span.end) == (
        ms("2026-03-04T00:00:00+00:00"),
        ms("2026-03-11T00:00:00+00:00"),
    )


def test_what_never_ends_is_still_a_date() -> None:
    assert moment(253_402_300_800_000) == datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
