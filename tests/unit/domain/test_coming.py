"""Grants that begin later, and the notices before a lot ends."""

from contracts.commands import CostBasis, GrantKind
from contracts.events import Slice
from contracts.reasons import Reason
from contracts.units import DAY, HOUR, MINUTE

from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    ADMIN,
    COURIER,
    T0,
    charge,
    charged,
    expire,
    expiring,
    freeze,
    frozen,
    grant,
    granted,
    less_scheduled,
    lot_expired,
    refund,
    refunded,
    refused,
    release,
    released,
    reserve,
    reserved,
    revoke,
    revoked,
    scheduled,
)

LATER = T0 + 2 * DAY


def test_a_grant_for_later_is_told_of_and_cannot_be_spent() -> None:
    story = (
        given().when(grant(100, effective_from=LATER)).then(scheduled(100, effective_from=LATER))
    )
    story.stands(available=0, granted=0)
    story.when(reserve("r1", 1), at=LATER - 1).then(refused(Reason.INSUFFICIENT_CREDITS))


def test_it_can_be_spent_from_its_very_millisecond_on() -> None:
    paid = CostBasis(900, "EUR")
    story = given().when(grant(100, effective_from=LATER, priority=7, cost_basis=paid))
    story.when(reserve("r1", 100), at=LATER).then(
        granted(100, effective_from=LATER, priority=7, cost_basis=paid, scheduled=True),
        reserved("r1", 100),
    ).stands(available=0, held=100, granted=100)


def test_it_begins_without_anybody_who_comes_by() -> None:
    story = given().when(grant(5, effective_from=LATER))
    story.when(expire(grant="g1", by=COURIER), at=LATER + 1).then(granted(5, scheduled=True))


def test_it_does_not_begin_early_for_the_courier() -> None:
    story = given().when(grant(5, effective_from=LATER))
    story.when(expire(grant="g1", by=COURIER), at=LATER - 1).then(refused(Reason.NOT_DUE))


def test_a_source_grants_once_though_it_grants_later() -> None:
    story = given().when(grant(5, effective_from=LATER))
    story.when(grant(5, "g2", source="s-g1")).then(refused(Reason.SOURCE_ALREADY_GRANTED))
    story.when(grant(5, "g3", source="s-g1"), at=LATER).then(
        granted(5), refused(Reason.SOURCE_ALREADY_GRANTED)
    )


def test_a_grant_that_is_to_come_keeps_its_name() -> None:
    story = given().when(grant(5, effective_from=T0 + 60 * DAY))
    story.when(grant(9, "other"), at=T0 + 26 * HOUR)  # the answer to g1 is forgotten with this
    story.when(grant(1, "g1", source="x"), at=T0 + 53 * HOUR).then(refused(Reason.GRANT_EXISTS))


def test_what_was_over_before_anybody_came_is_given_and_lost() -> None:
    story = given().when(grant(5, effective_from=LATER, expires_at=LATER + HOUR))
    story.when(expire(grant="g1", by=COURIER), at=LATER + HOUR).then(
        granted(5), lot_expired("g1", 5)
    ).stands(available=0, expired=5, granted=5)


def test_a_grant_that_begins_pays_debts_first() -> None:
    story = given(granted(50, "old"), reserved("r1", 50), charged("c1", "r1", 50))
    story.when(revoke("old")).then(revoked("old", 0, debt=50))
    story.when(grant(80, "new", effective_from=LATER)).stands(available=0)
    story.when(reserve("r2", 30), at=LATER).then(
        granted(80, "new", repaid=(Slice("old", 50),)), reserved("r2", 30)
    ).stands(available=0, held=30)


def test_two_that_begin_at_once_pay_a_debt_once() -> None:
    story = given(granted(50, "old"), reserved("r1", 50), charged("c1", "r1", 50))
    story.when(revoke("old"))
    story.when(grant(30, "a", effective_from=LATER), grant(30, "b", effective_from=LATER))
    story.when(reserve("r2", 10), at=LATER).then(
        granted(30, "a", repaid=(Slice("old", 30),)),
        granted(30, "b", repaid=(Slice("old", 20),)),
        reserved("r2", 10),
    ).stands(available=0, held=10, revoked=50)


def test_what_is_to_come_can_be_taken_back_in_part_and_whole() -> None:
    story = given().when(grant(100, effective_from=LATER))
    story.when(revoke("g1", 101)).then(refused(Reason.EXCEEDS_GRANT, shortfall=1))
    story.when(revoke("g1", 60, "v2")).then(less_scheduled("g1", 60, 40)).stands(revoked=0)
    story.when(revoke("g1", named="v3")).then(less_scheduled("g1", 40, 0))
    story.when(reserve("r1", 1), at=LATER).then(refused(Reason.INSUFFICIENT_CREDITS))
    story.when(revoke("g1", named="v4"), at=LATER).then(refused(Reason.GRANT_UNKNOWN))


def test_what_is_left_of_a_grant_to_come_is_what_begins() -> None:
    story = given().when(grant(100, effective_from=LATER), revoke("g1", 60))
    story.when(reserve("r1", 41), at=LATER).then(
        granted(40), refused(Reason.INSUFFICIENT_CREDITS, shortfall=1)
    )


def test_an_admin_schedules_much_only_with_a_second_person() -> None:
    much = 10**9
    given().when(grant(much, by=ADMIN, effective_from=LATER)).then(
        refused(Reason.SECOND_PERSON_NEEDED)
    )


def test_a_grant_to_come_can_be_frozen_before_it_begins() -> None:
    story = given().when(grant(5, effective_from=LATER)).when(freeze("g1")).then(frozen())
    story.when(reserve("r1", 5), at=LATER).then(granted(5), refused(Reason.ACCOUNT_FROZEN))


# ---- notices


def test_an_owner_is_told_30_7_and_1_days_before_once_each() -> None:
    end = T0 + 40 * DAY
    story = given().when(grant(9, expires_at=end)).then(granted(9, notice=30))
    story.when(expire(grant="g1", by=COURIER), at=end - 30 * DAY - 1).then(refused(Reason.NOT_DUE))
    for days, following in ((30, 7), (7, 1), (1, 0)):
        story.when(expire(f"x{days}", grant="g1", by=COURIER), at=end - days * DAY).then(
            expiring("g1", 9, days, expires_at=end, following=following)
        )
        story.when(expire(f"again{days}", grant="g1", by=COURIER), at=end - days * DAY + 1).then(
            refused(Reason.NOT_DUE)
        )
    story.when(expire("over", grant="g1", by=COURIER), at=end).then(lot_expired("g1", 9))


def test_whoever_comes_by_brings_the_notice_and_only_the_nearest() -> None:
    end = T0 + 40 * DAY
    story = given().when(grant(9, expires_at=end))
    story.when(reserve("r1", 4), at=end - 5 * DAY).then(
        expiring("g1", 9, 7, following=1), reserved("r1", 4)
    ).stands(available=5, held=4)


def test_of_an_empty_lot_nobody_is_told() -> None:
    end = T0 + 40 * DAY
    story = given().when(grant(9, expires_at=end), grant(1, "g2"), reserve("r1", 9))
    story.when(charge("r1", 9), at=T0 + 1)
    story.when(reserve("r2", 1), at=end - 3 * DAY).then(reserved("r2", 1))


def test_what_comes_back_to_a_lot_that_ends_soon_is_told_of_at_the_next_touch() -> None:
    end = T0 + 2 * DAY
    story = given().when(grant(9, expires_at=end))
    story.when(reserve("r1", 9), at=end - DAY - MINUTE).then(reserved("r1", 9))
    story.when(release("r1"), at=end - DAY + MINUTE).then(released("r1", 9))
    story.when(grant(1, "g2"), at=end - DAY + 2 * MINUTE).then(
        expiring("g1", 9, 1), granted(1, "g2")
    )


def test_a_lot_that_lives_for_a_week_is_told_of_on_its_last_day_only() -> None:
    given().when(grant(9, expires_at=T0 + 7 * DAY)).then(granted(9, notice=1))
    given().when(grant(9, expires_at=T0 + DAY)).then(granted(9, notice=0))
    given().when(grant(9, expires_at=T0 + 8 * DAY)).then(granted(9, notice=7))


def test_of_a_plans_allowance_nobody_is_told() -> None:
    given().when(grant(9, kind=GrantKind.PLAN, expires_at=T0 + 60 * DAY)).then(granted(9, notice=0))


def test_a_grant_to_come_is_told_of_by_its_own_time() -> None:
    end = LATER + 20 * DAY
    story = given().when(grant(9, effective_from=LATER, expires_at=end))
    story.when(expire(grant="g1", by=COURIER), at=LATER).then(granted(9, notice=7))
    story.when(expire("x2", grant="g1", by=COURIER), at=end - 7 * DAY).then(expiring("g1", 9, 7))


def test_what_was_told_of_is_not_told_again_when_a_refund_lets_it_live_longer() -> None:
    end = T0 + 40 * DAY
    story = given(granted(9, expires_at=end), reserved("r1", 9), charged("c1", "r1", 9))
    story.when(refund("c1"), at=end + 1).then(refunded("c1", 9))
    story.when(expire(grant="g1", by=COURIER), at=end + 6 * DAY + 2).then(refused(Reason.NOT_DUE))
    story.when(expire("x2", grant="g1", by=COURIER), at=end + 7 * DAY + 1).then(
        lot_expired("g1", 9)
    )
