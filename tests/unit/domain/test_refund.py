"""Refund: of one charge, in parts, together never above it, to the very lots that were drawn."""

import pytest
from contracts.events import Extension
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, DAY, HOUR, MINUTE

from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    T0,
    charge,
    charged,
    expire,
    granted,
    lot_expired,
    part,
    refund,
    refunded,
    refused,
    reserve,
    reserved,
    set_controls,
)


def test_a_refund_returns_the_whole_charge() -> None:
    given(granted(100), reserved("r1", 60), charged("c1", "r1", 60)).when(refund("c1")).then(
        refunded("c1", 60, reservation="r1", slices=(part("g1", 60),), extended=())
    ).stands(available=100, spent=0)


def test_a_refund_in_three_parts_and_the_fourth_is_refused() -> None:
    given(granted(100), reserved("r1", 60), charged("c1", "r1", 60)).when(
        refund("c1", 10, "f1"),
        refund("c1", 20, "f2"),
        refund("c1", 30, "f3"),
        refund("c1", 1, "f4"),
    ).then(
        refunded("c1", 10),
        refunded("c1", 20),
        refunded("c1", 30),
        refused(Reason.EXCEEDS_CHARGE, Remedy.NONE, shortfall=1),
    ).stands(available=100, spent=0)


def test_a_refund_above_the_charge_is_refused_whole() -> None:
    given(granted(100), reserved("r1", 60), charged("c1", "r1", 60)).when(refund("c1", 61)).then(
        refused(Reason.EXCEEDS_CHARGE, shortfall=1)
    ).stands(available=40, spent=60)


def test_a_refund_of_what_nobody_charged() -> None:
    given(granted(1)).when(refund("c9")).then(refused(Reason.CHARGE_UNKNOWN, fields=("charge",)))


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1, 2**63, 10**40])
def test_an_amount_out_of_range_is_refused(amount: int) -> None:
    given(granted(100), reserved("r1", 60), charged("c1", "r1", 60)).when(
        refund("c1", amount)
    ).then(refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))


def test_a_refund_goes_to_the_lots_in_the_order_they_were_drawn() -> None:
    story = given(granted(5, "a", priority=1), granted(5, "b"), reserved("r1", 8))
    story.when(charge("r1", 8), refund("c1", 6), refund("c1", 2, "f2")).then(
        charged("c1", "r1", 8),
        refunded("c1", 6, slices=(part("a", 5), part("b", 1))),
        refunded("c1", 2, slices=(part("b", 2),)),
    )


def test_a_refund_into_an_expired_lot_lives_a_week_longer() -> None:
    soon = granted(60, "soon", expires_at=T0 + HOUR)
    story = given(soon, reserved("r1", 60), charged("c1", "r1", 60))
    late = T0 + 30 * DAY
    story.when(refund("c1", 20), at=late).then(
        refunded("c1", 20, extended=(Extension("soon", late + 7 * DAY),))
    ).stands(available=20, spent=40)
    story.when(reserve("r2", 20), at=late + 7 * DAY - 1).then(reserved("r2", 20))
    story.when(expire(grant="soon"), at=late + 8 * DAY)
    story.stands(available=0, expired=20)


def test_a_refund_that_nobody_used_expires_after_its_grace() -> None:
    soon = granted(60, "soon", expires_at=T0 + HOUR)
    story = given(soon, reserved("r1", 60), charged("c1", "r1", 60))
    story.when(refund("c1"), at=T0 + DAY)
    story.when(expire(grant="soon"), at=T0 + 8 * DAY).then(lot_expired("soon", 60)).stands(
        available=0, expired=60, spent=0
    )


def test_a_refund_of_a_partial_charge_while_the_run_goes_on() -> None:
    given(granted(100), reserved("r1", 60)).when(
        charge("r1", 20, final=False), refund("c1"), charge("r1", 40, "c2"), at=T0 + MINUTE
    ).then(charged("c1", "r1", 20), refunded("c1", 20), charged("c2", "r1", 40)).stands(
        available=60, held=0, spent=40
    )


def test_a_refund_frees_room_under_the_day_limit_it_was_spent_in() -> None:
    story = given(granted(100)).when(set_controls(day_limit=10), reserve("r1", 10))
    story.when(charge("r1", 10), reserve("r2", 1)).then(
        charged("c1", "r1", 10), refused(Reason.DAY_LIMIT)
    )
    story.when(refund("c1", 4), reserve("r3", 4)).then(refunded("c1", 4), reserved("r3", 4))
    assert story.account.day_spent == 6


def test_a_refund_of_yesterdays_charge_does_not_count_for_today() -> None:
    story = given(granted(100), reserved("r1", 10)).when(charge("r1", 10))
    story.when(reserve("r2", 5), at=T0 + DAY).when(charge("r2", 5, "c2"), at=T0 + DAY)
    story.when(refund("c1"), at=T0 + DAY)
    assert (story.account.day_spent, story.account.month_spent) == (5, 5)
