"""SetControls: the owner's limits stop, count spent + held, and never touch what is owned."""

from typing import Any

import pytest
from contracts.commands import Controls
from contracts.events import LimitStatus
from contracts.reasons import Reason, Remedy
from contracts.toppings import TopUpRule
from contracts.units import AMOUNT_MAX, DAY, HOUR, MINUTE, Ms

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    T0,
    changed,
    charge,
    charged,
    granted,
    refund,
    refused,
    release,
    reserve,
    reserved,
    set_controls,
)

MIDNIGHT = T0 + 12 * HOUR  # of UTC, which ends the first of March
APRIL = T0 - 12 * HOUR + 31 * DAY


def spent(story: Story, amount: int, at: Ms, run: str) -> Story:
    """A run that cost this much, all of it at one moment."""
    return story.when(reserve(f"r-{run}", amount), charge(f"r-{run}", amount, f"c-{run}"), at=at)


def test_controls_change_as_a_whole_and_say_what_stood_before() -> None:
    given().when(set_controls(day_limit=5), set_controls("k2", run_limit=3)).then(
        changed(before=Controls(), after=Controls(day_limit=5), windows=None),
        changed(before=Controls(day_limit=5), after=Controls(run_limit=3)),
    )


def test_the_day_limit_counts_spent_and_held_and_is_met_exactly() -> None:
    story = given(granted(100)).when(set_controls(day_limit=30))
    spent(story, 10, T0, "a").when(reserve("r1", 10), reserve("r2", 11), reserve("r3", 10)).then(
        reserved("r1", 10),
        refused(
            Reason.DAY_LIMIT,
            Remedy.WAIT_FOR_RESET,
            limit=LimitStatus("day", 30, 10, 10, 10, MIDNIGHT),
            shortfall=1,
        ),
        reserved("r3", 10),
    )


def test_the_month_limit_counts_spent_and_held_over_the_days() -> None:
    story = given(granted(100)).when(set_controls(month_limit=30))
    spent(spent(story, 10, T0, "a"), 10, T0 + 20 * DAY, "b")
    story.when(reserve("r1", 11), reserve("r2", 10), at=T0 + 25 * DAY).then(
        refused(Reason.MONTH_LIMIT, limit=LimitStatus("month", 30, 20, 0, 10, APRIL), shortfall=1),
        reserved("r2", 10),
    )


def test_of_a_thousand_reserves_none_passes_a_limit_by_one_unit() -> None:
    story = given(granted(10_000)).when(set_controls(day_limit=95))
    story.when(*(reserve(f"r{n}", 10) for n in range(1000))).stands(held=90)


def test_released_credits_count_no_more() -> None:
    story = given(granted(100)).when(set_controls(day_limit=10), reserve("r1", 10))
    story.when(release("r1"), reserve("r2", 10))
    story.stands(held=10)


def test_a_new_day_counts_from_nothing() -> None:
    story = given(granted(100)).when(set_controls(day_limit=10))
    spent(story, 10, MIDNIGHT - 1, "a")
    story.when(reserve("r1", 1), at=MIDNIGHT - 1).then(refused(Reason.DAY_LIMIT))
    story.when(reserve("r2", 10), at=MIDNIGHT).then(reserved("r2", 10))


def test_what_is_held_over_midnight_counts_on_the_new_day() -> None:
    story = given(granted(100)).when(set_controls(day_limit=10))
    story.when(reserve("r1", 8), at=MIDNIGHT - MINUTE)
    story.when(reserve("r2", 3), at=MIDNIGHT).then(refused(Reason.DAY_LIMIT, shortfall=1))
    story.when(charge("r1", 8), reserve("r3", 2), at=MIDNIGHT).then(
        charged("c1", "r1", 8), reserved("r3", 2)
    )


def test_a_new_month_counts_from_nothing() -> None:
    story = given(granted(100)).when(set_controls(month_limit=10))
    spent(story, 10, APRIL - 1, "a")
    story.when(reserve("r1", 1), at=APRIL - 1).then(refused(Reason.MONTH_LIMIT))
    story.when(reserve("r2", 10), at=APRIL).then(reserved("r2", 10))


def test_a_limit_lowered_below_what_is_used_stops_everything_and_says_so() -> None:
    story = given(granted(100), reserved("r1", 20)).when(set_controls(day_limit=10))
    story.when(reserve("r2", 1)).then(
        refused(
            Reason.DAY_LIMIT,
            limit=LimitStatus("day", 10, 0, 20, 0, MIDNIGHT),
            shortfall=1,
        )
    )
    story.when(charge("r1", 20)).then(charged("c1", "r1", 20))  # what was held stays usable


def test_a_run_larger_than_a_whole_day_is_helped_by_no_reset() -> None:
    given(granted(100)).when(set_controls(day_limit=10), reserve("r1", 11)).then(
        changed(), refused(Reason.DAY_LIMIT, Remedy.RAISE_LIMIT)
    )


def test_a_limit_of_nothing_stops_everything() -> None:
    given(granted(100)).when(set_controls(month_limit=0), reserve("r1", 1)).then(
        changed(), refused(Reason.MONTH_LIMIT)
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"run_limit": -1}, "runLimit"),
        ({"day_limit": AMOUNT_MAX + 1}, "dayLimit"),
        ({"month_limit": 2**63}, "monthLimit"),
        ({"month_limit": 10**40}, "monthLimit"),
        ({"alert_percents": (0,)}, "alertPercents"),
        ({"low_balance": 0}, "lowBalance"),
        ({"low_balance": AMOUNT_MAX + 1}, "lowBalance"),
        ({"low_percent": 0}, "lowPercent"),
        ({"low_percent": 100}, "lowPercent"),
        ({"alert_percents": (101,)}, "alertPercents"),
        ({"alert_percents": tuple(range(1, 12))}, "alertPercents"),
        ({"time_zone": "Mars/Olympus"}, "timeZone"),
        ({"time_zone": ""}, "timeZone"),
        ({"time_zone": "../../etc/passwd"}, "timeZone"),
        ({"time_zone": "localtime"}, "timeZone"),
        ({"time_zone": "right/UTC"}, "timeZone"),
        ({"time_zone": "x" * 5000}, "timeZone"),
        ({"top_up": TopUpRule(0, "starter", 1)}, "topUp"),
        ({"top_up": TopUpRule(1, "starter", 0)}, "topUp"),
        ({"top_up": TopUpRule(1, "starter", 10**40)}, "topUp"),
    ],
)
def test_controls_that_make_no_sense_are_refused(wrong: dict[str, Any], field: str) -> None:
    given(granted(1)).when(set_controls(**wrong)).then(
        refused(Reason.CONTROLS_INVALID, fields=(field,))
    )


def test_every_wrong_control_is_named_at_once() -> None:
    given().when(set_controls(run_limit=-1, day_limit=-1, time_zone="?")).then(
        refused(Reason.CONTROLS_INVALID, fields=("runLimit", "dayLimit", "timeZone"))
    )


def test_a_new_time_zone_does_not_bring_back_what_was_spent_weeks_ago() -> None:
    story = spent(given(granted(100)), 50, T0, "a")
    story.when(set_controls(day_limit=10, time_zone="Asia/Kolkata"), at=T0 + 20 * DAY)
    story.when(reserve("r1", 10), at=T0 + 20 * DAY).then(reserved("r1", 10))
    assert story.account.day_spent == 0


def test_a_new_time_zone_does_not_forget_what_was_spent_today() -> None:
    story = spent(given(granted(100)), 10, T0, "a")
    for n, zone in enumerate(("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")):
        story.when(set_controls(f"k{n}", day_limit=10, time_zone=zone))
        story.when(reserve(f"r{n}", 1)).then(refused(Reason.DAY_LIMIT))


def test_moving_the_time_zone_and_refunding_gains_no_room_under_a_limit() -> None:
    """A charge that today's count never held must not be taken from it."""
    story = spent(given(granted(100)), 50, MIDNIGHT - HOUR, "late")
    spent(story, 5, MIDNIGHT + HOUR, "early")
    moved = set_controls(day_limit=10, time_zone="America/Los_Angeles")
    story.when(moved, refund("c-late"), at=MIDNIGHT + 2 * HOUR)
    assert story.account.day_spent == 5
    story.when(reserve("r1", 6), reserve("r2", 5), at=MIDNIGHT + 2 * HOUR).then(
        refused(Reason.DAY_LIMIT), reserved("r2", 5)
    )


def test_a_zone_moved_after_the_day_ended_starts_a_new_count() -> None:
    story = spent(given(granted(100)), 50, MIDNIGHT - HOUR, "late")
    moved = set_controls(day_limit=10, time_zone="America/Los_Angeles")
    story.when(moved, refund("c-late"), reserve("r1", 10), at=MIDNIGHT + HOUR)
    assert story.account.day_spent == 0
    story.stands(held=10)


def test_the_month_goes_on_when_the_zone_moved_in_it() -> None:
    """The first charge of the next day opens a new day, and not the month anew."""
    story = spent(given(granted(100)), 30, T0 + 10 * DAY, "a")
    story.when(set_controls(month_limit=40, time_zone="Asia/Kolkata"), at=T0 + 10 * DAY)
    spent(story, 5, T0 + 11 * DAY, "b")
    assert (story.account.day_spent, story.account.month_spent) == (5, 35)
    story.when(reserve("r1", 6), reserve("r2", 5), at=T0 + 11 * DAY).then(
        refused(Reason.MONTH_LIMIT, shortfall=1), reserved("r2", 5)
    )
