"""Extend, to the last credit and millisecond, and which field a refusal names."""

import pytest
from contracts.commands import Extend, Limits
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, MINUTE

from tests.unit.domain.kit import CATALOGUE, given
from tests.unit.domain.words import (
    T0,
    TOOL,
    changed,
    extend,
    extended,
    granted,
    part,
    refused,
    release,
    released,
    reserve,
    reserved,
    set_controls,
)


@pytest.mark.parametrize(
    ("asked", "reason", "fields"),
    [
        (extend("r1", -1), Reason.AMOUNT_OUT_OF_RANGE, ("amount",)),
        (extend("r1", AMOUNT_MAX + 1), Reason.AMOUNT_OUT_OF_RANGE, ("amount",)),
        (extend("r1"), Reason.AMOUNT_OUT_OF_RANGE, ("amount", "lifetimeMs")),
        (extend("r1", 1, lifetime_ms=0), Reason.LIFETIME_OUT_OF_RANGE, ("lifetimeMs",)),
        (
            extend("r1", 1, lifetime_ms=15 * MINUTE + 1),
            Reason.LIFETIME_OUT_OF_RANGE,
            ("lifetimeMs",),
        ),
        (extend("never", 1), Reason.RESERVATION_UNKNOWN, ("reservation",)),
    ],
)
def test_a_wrong_extension_names_the_field(
    asked: Extend, reason: Reason, fields: tuple[str, ...]
) -> None:
    given(granted(100), reserved("r1", 30)).when(asked).then(refused(reason, fields=fields))


def test_the_largest_amount_and_the_longest_time_are_in_range() -> None:
    given(granted(100), reserved("r1", 30)).when(
        extend("r1", AMOUNT_MAX), extend("r1", 1, "x2", lifetime_ms=15 * MINUTE)
    ).then(
        refused(Reason.INSUFFICIENT_CREDITS, shortfall=AMOUNT_MAX - 70),
        extended("r1", 1, expires_at=T0 + 15 * MINUTE),
    )


def test_a_tools_run_is_extended_up_to_what_the_tool_may_cost() -> None:
    story = given(granted(100)).when(reserve("r1", tool=TOOL, limits=Limits(100, 64, 100)))
    most = CATALOGUE.tools[TOOL].max_credits
    more = most - story.account.held
    story.when(extend("r1", more + 1), extend("r1", more, "x2")).then(
        refused(Reason.RUN_LIMIT, Remedy.CHANGE_REQUEST, shortfall=1), extended("r1", more)
    ).stands(held=most)


def test_what_a_hold_was_extended_by_comes_back_to_the_lots_it_came_from() -> None:
    """Three lots, drawn twice each: none gets more back than it gave."""
    story = given(granted(10), granted(20, "g2"), granted(30, "g3"))
    story.when(reserve("r1", 25), extend("r1", 25), release("r1")).then(
        reserved("r1", 25, slices=(part("g1", 10), part("g2", 15))),
        extended("r1", 25, slices=(part("g2", 5), part("g3", 20))),
        released("r1", 50, slices=(part("g1", 10), part("g2", 20), part("g3", 20))),
    ).stands(available=60, held=0)


def test_a_limit_refuses_an_extension_and_says_of_which_run() -> None:
    story = given(granted(100), reserved("r1", 30)).when(
        set_controls(day_limit=30), extend("r1", 1)
    )
    story.then(changed(), refused(Reason.DAY_LIMIT, reservation="r1", shortfall=1))
