"""Days and months of the calendar, in the account's time zone, on the days when clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from contracts.events import Window
from contracts.reasons import Reason
from contracts.units import DAY, HOUR, MINUTE, Ms
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from ledger.domain.windows import counting, windows_at, zone_exists

from tests.unit.domain.kit import given
from tests.unit.domain.words import charge, granted, refused, reserve, reserved, set_controls

ZONES = [
    *("UTC", "Asia/Kolkata", "America/Los_Angeles", "Europe/London", "Australia/Lord_Howe"),
    *("America/Santiago", "Asia/Beirut", "Africa/Cairo", "America/Havana", "America/Nuuk"),
    *("Pacific/Kiritimati", "Pacific/Chatham", "Antarctica/Troll", "Atlantic/Azores"),
]


def ms(text: str, zone: str = "UTC") -> Ms:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Asia/Kolkata", "2026-03-10T18:30"),  # +05:30
        ("Etc/GMT+8", "2026-03-11T08:00"),  # -08:00
        ("UTC", "2026-03-11T00:00"),
        ("Pacific/Kiritimati", "2026-03-10T10:00"),  # +14:00
    ],
)
def test_the_day_limit_resets_at_the_accounts_own_midnight(zone: str, midnight: str) -> None:
    at = ms(midnight)
    story = given(granted(100), at=at - DAY).when(
        set_controls(day_limit=10, time_zone=zone), at=at - DAY
    )
    story.when(reserve("r1", 10), at=at - MINUTE).when(charge("r1", 10), at=at - MINUTE)
    story.when(reserve("r2", 1), at=at - 1).then(refused(Reason.DAY_LIMIT))
    assert story.last[0].limit.resets_at == at  # type: ignore[union-attr]
    story.when(reserve("r3", 10), at=at).then(reserved("r3", 10))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Los_Angeles", "2026-03-08", 23),
        ("America/Los_Angeles", "2026-11-01", 25),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Santiago", "2026-09-06", 23),  # midnight itself is skipped
        ("America/Havana", "2026-11-01", 25),  # midnight comes twice
        ("Asia/Kolkata", "2026-03-08", 24),
    ],
)
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(
    zone: str, day: str, hours: float
) -> None:
    window = windows_at(ms(f"{day}T12:00", zone), zone).day
    assert (window.end - window.start) / HOUR == hours


def test_a_limit_on_a_day_of_25_hours_holds_for_all_of_them() -> None:
    zone = "America/Los_Angeles"
    start, end = ms("2026-11-01T00:00", zone), ms("2026-11-02T00:00", zone)
    story = given(granted(100), at=start).when(
        set_controls(day_limit=10, time_zone=zone), reserve("r1", 10), at=start
    )
    story.when(charge("r1", 10), at=start)
    story.when(reserve("r2", 1), at=start + 24 * HOUR + 59 * MINUTE).then(refused(Reason.DAY_LIMIT))
    story.when(reserve("r3", 10), at=end).then(reserved("r3", 10))


@settings(max_examples=300, deadline=None, database=None)
@for_all(st.sampled_from(ZONES), st.integers(ms("2025-01-01T00:00"), ms("2035-01-01T00:00")))
def test_every_moment_lies_in_its_day_and_month_and_days_leave_no_gap(zone: str, now: Ms) -> None:
    found = windows_at(now, zone)
    for window in (found.day, found.month):
        assert window.start <= now < window.end
    assert windows_at(found.day.end, zone).day.start == found.day.end
    assert windows_at(found.month.end, zone).month.start == found.month.end
    assert windows_at(found.day.start - 1, zone).day.end == found.day.start
    assert found.month.start <= found.day.start < found.day.end <= found.month.end
    local = datetime.fromtimestamp(found.month.start / 1000, UTC).astimezone(ZoneInfo(zone))
    assert local.day == 1


def test_a_window_that_is_not_over_keeps_its_start_when_the_zone_moves() -> None:
    now = ms("2026-03-10T12:00")
    utc = windows_at(now, "UTC")
    moved = counting(utc.day, utc.month, now, "Asia/Kolkata")
    assert moved.day == Window(utc.day.start, ms("2026-03-10T18:30"))
    assert moved.month == Window(utc.month.start, ms("2026-03-31T18:30"))


def test_a_window_that_is_over_is_left_behind_whole() -> None:
    utc = windows_at(ms("2026-03-10T12:00"), "UTC")
    now = ms("2026-03-11T01:00")
    moved = counting(utc.day, utc.month, now, "America/Los_Angeles")
    assert moved.day == Window(utc.day.end, ms("2026-03-11T07:00"))


def test_an_account_that_never_spent_begins_with_the_calendar() -> None:
    now = ms("2026-03-10T12:00")
    assert counting(Window(0, 0), Window(0, 0), now, "UTC") == windows_at(now, "UTC")


def test_time_zones_are_those_of_the_package_on_every_machine() -> None:
    assert all(zone_exists(zone) for zone in ZONES)
    assert not any(zone_exists(name) for name in ("localtime", "posixrules", "right/UTC", ""))
