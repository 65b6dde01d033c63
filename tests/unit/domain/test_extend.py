"""Extend: more time or more credits for a run under way, by the rules of a new hold."""

import pytest
from contracts.commands import Extend
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, MINUTE

from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    SMALL_TOOL,
    T0,
    WORKER,
    changed,
    charge,
    charged,
    ended_by_time,
    expire,
    extend,
    extended,
    freeze,
    frozen,
    granted,
    part,
    refused,
    release,
    released,
    reserve,
    reserved,
    set_controls,
)

LATER = T0 + 8 * MINUTE


def test_more_credits_are_held_and_charged() -> None:
    given(granted(100), reserved("r1", 30)).when(extend("r1", 20), charge("r1", 45)).then(
        extended("r1", 20, slices=(part("g1", 20),)),
        charged("c1", "r1", 45, released=5, slices=(part("g1", 45),)),
    ).stands(available=55, held=0, spent=45)


def test_more_credits_come_from_the_next_lot_in_order() -> None:
    story = given(granted(40), granted(60, "g2"), reserved("r1", 30))
    story.when(extend("r1", 25), release("r1")).then(
        extended("r1", 25, slices=(part("g1", 10), part("g2", 15))),
        released("r1", 55, slices=(part("g1", 40), part("g2", 15))),
    ).stands(available=100, held=0)


def test_more_time_outlives_the_first_hold() -> None:
    story = given(granted(100), reserved("r1", 30))
    story.when(extend("r1", lifetime_ms=10 * MINUTE)).then(
        extended("r1", 0, expires_at=T0 + 10 * MINUTE)
    )
    story.when(charge("r1", 30), at=LATER).then(charged("c1", "r1", 30))


def test_a_shorter_time_never_takes_any_away() -> None:
    given(granted(100), reserved("r1", 30)).when(extend("r1", 1, lifetime_ms=1)).then(
        extended("r1", 1, expires_at=T0 + 5 * MINUTE)
    )


def test_an_extended_hold_still_ends_by_time() -> None:
    story = given(granted(100), reserved("r1", 30)).when(extend("r1", lifetime_ms=7 * MINUTE))
    story.when(expire(reservation="r1"), at=LATER).then(ended_by_time("r1", 30))
    story.stands(available=100, held=0)


def test_more_than_there_is_is_refused() -> None:
    given(granted(100), reserved("r1", 30)).when(extend("r1", 71)).then(
        refused(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=1)
    ).stands(available=70, held=30)


def test_the_run_limit_counts_what_the_run_holds_already() -> None:
    given(granted(100), reserved("r1", 30)).when(
        set_controls(run_limit=40), extend("r1", 11), extend("r1", 10, "x2")
    ).then(
        changed(),
        refused(Reason.RUN_LIMIT, Remedy.RAISE_LIMIT, shortfall=1),
        extended("r1", 10),
    )


def test_a_tools_run_never_holds_more_than_the_tool_may_cost() -> None:
    story = given(granted(100)).when(reserve("r1", tool=SMALL_TOOL))
    held = story.account.held
    story.when(extend("r1", 1)).then(refused(Reason.RUN_LIMIT, Remedy.CHANGE_REQUEST, shortfall=1))
    story.stands(held=held)


def test_a_frozen_account_gets_more_time_but_no_more_credits() -> None:
    given(granted(100), reserved("r1", 30)).when(
        freeze(), extend("r1", 1), extend("r1", 0, "x2", by=WORKER, lifetime_ms=10 * MINUTE)
    ).then(frozen(), refused(Reason.ACCOUNT_FROZEN), extended("r1", 0))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (extend("r1", -1), Reason.AMOUNT_OUT_OF_RANGE),
        (extend("r1", AMOUNT_MAX + 1), Reason.AMOUNT_OUT_OF_RANGE),
        (extend("r1"), Reason.AMOUNT_OUT_OF_RANGE),
        (extend("r1", 1, lifetime_ms=0), Reason.LIFETIME_OUT_OF_RANGE),
        (extend("r1", 1, lifetime_ms=16 * MINUTE), Reason.LIFETIME_OUT_OF_RANGE),
        (extend("never"), Reason.RESERVATION_UNKNOWN),
    ],
)
def test_a_wrong_extension_changes_nothing(asked: Extend, reason: Reason) -> None:
    given(granted(100), reserved("r1", 30)).when(asked).then(refused(reason)).stands(
        available=70, held=30
    )


def test_what_has_ended_is_not_extended() -> None:
    story = given(granted(100), reserved("r1", 30)).when(release("r1"), extend("r1", 1))
    story.then(released("r1", 30), refused(Reason.RESERVATION_ENDED))
    late = given(granted(100), reserved("r1", 30)).when(extend("r1", 1), at=LATER)
    late.then(ended_by_time("r1", 30), refused(Reason.RESERVATION_EXPIRED))
