"""Release and Expire: held credits go back the way they came, once, unless their lot is gone."""

from contracts.reasons import Outcome, Reason, Remedy
from contracts.units import BATCH_BYTES_MAX, HOUR, MINUTE

from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    PERSON,
    T0,
    charge,
    charged,
    ended_by_time,
    expire,
    granted,
    lot_expired,
    part,
    refused,
    release,
    released,
    reserve,
    reserved,
)

DUE = T0 + 5 * MINUTE


def test_a_release_gives_everything_back() -> None:
    given(granted(100), reserved("r1", 60)).when(release("r1")).then(
        released("r1", 60, lost=(), outcome=Outcome.FAILED)
    ).stands(available=100, held=0, spent=0)


def test_a_release_returns_to_the_lots_it_was_drawn_from() -> None:
    story = given(granted(5, "a", priority=1), granted(5, "b"), reserved("r1", 7))
    story.when(release("r1", outcome=Outcome.CANCELLED)).then(
        released("r1", 7, slices=(part("a", 5), part("b", 2)), outcome=Outcome.CANCELLED)
    )
    assert [lot.available for lot in story.account.lots] == [5, 5]


def test_a_hold_across_two_lots_one_of_which_expires_mid_run() -> None:
    soon = granted(10, "soon", expires_at=T0 + MINUTE, priority=1)
    given(soon, granted(10, "later"), reserved("r1", 15)).when(
        release("r1"), at=T0 + 2 * MINUTE
    ).then(released("r1", 15, lost=(part("soon", 10),))).stands(available=10, held=0, expired=10)


def test_a_reservation_ends_once() -> None:
    given(granted(100), reserved("r1", 60)).when(
        release("r1"), release("r1", "l2"), charge("r1", 1)
    ).then(
        released("r1", 60),
        refused(Reason.RESERVATION_ENDED, Remedy.NONE),
        refused(Reason.RESERVATION_ENDED),
    ).stands(available=100, held=0)


def test_a_release_after_a_charge_is_refused() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 60), release("r1")).then(
        charged("c1", "r1", 60), refused(Reason.RESERVATION_ENDED)
    )


def test_a_release_after_partial_charges_returns_the_rest() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 25, final=False), release("r1")).then(
        charged("c1", "r1", 25), released("r1", 35)
    ).stands(available=75, held=0, spent=25)


def test_a_release_of_what_nobody_reserved() -> None:
    given(granted(1)).when(release("r9")).then(refused(Reason.RESERVATION_UNKNOWN))


def test_an_expiry_restores_the_credits() -> None:
    given(granted(100), reserved("r1", 60)).when(expire(reservation="r1"), at=DUE).then(
        ended_by_time("r1", 60, slices=(part("g1", 60),), lost=())
    ).stands(available=100, held=0)


def test_an_early_expiry_is_not_due() -> None:
    given(granted(100), reserved("r1", 60)).when(expire(reservation="r1"), at=DUE - 1).then(
        refused(Reason.NOT_DUE, Remedy.NONE)
    ).stands(available=40, held=60)


def test_a_double_expiry_restores_once() -> None:
    given(granted(100), reserved("r1", 60)).when(
        expire("x1", reservation="r1"), expire("x2", reservation="r1"), at=DUE
    ).then(ended_by_time("r1", 60), refused(Reason.NOT_DUE)).stands(available=100, held=0)


def test_an_expiry_after_a_charge_is_a_no_op() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 60)).when(
        expire(reservation="r1"), at=DUE
    ).then(refused(Reason.NOT_DUE)).stands(available=40, held=0, spent=60)


def test_whoever_touches_the_account_settles_what_is_due_first() -> None:
    given(granted(100), reserved("r1", 60)).when(reserve("r2", 100), at=DUE).then(
        ended_by_time("r1", 60), reserved("r2", 100)
    ).stands(available=0, held=100)


def test_a_lot_expires_with_what_is_left_of_it() -> None:
    given(granted(100, expires_at=DUE), reserved("r1", 60, expires_at=DUE + 1)).when(
        expire(grant="g1"), at=DUE
    ).then(lot_expired("g1", 40)).stands(available=0, held=60, expired=40)


def test_credits_that_expire_now_cannot_be_held_now() -> None:
    story = given(granted(100, expires_at=DUE))
    story.when(reserve("r1", 100), at=DUE - 1).then(reserved("r1", 100))
    given(granted(100, expires_at=DUE)).when(reserve("r1", 1), at=DUE).then(
        lot_expired("g1", 100), refused(Reason.INSUFFICIENT_CREDITS)
    )


def test_an_expired_reservation_loses_what_came_from_an_expired_lot() -> None:
    given(granted(100, expires_at=DUE - 1), reserved("r1", 60)).when(
        expire(reservation="r1"), at=DUE
    ).then(lot_expired("g1", 40), ended_by_time("r1", 60, lost=(part("g1", 60),))).stands(
        available=0, held=0, expired=100
    )


def test_what_an_expire_names_is_the_answer_and_comes_last() -> None:
    story = given(
        granted(100),
        reserved("r1", 10, expires_at=DUE),
        reserved("r2", 20, expires_at=DUE + 1),
        reserved("r3", 30, expires_at=DUE + 2),
    )
    story.when(expire(reservation="r2"), at=DUE + HOUR).then(
        ended_by_time("r1", 10), ended_by_time("r3", 30), ended_by_time("r2", 20)
    )


def test_an_expire_of_a_person_is_refused_though_the_time_has_come() -> None:
    given(granted(100), reserved("r1", 60)).when(expire(reservation="r1", by=PERSON), at=DUE).then(
        ended_by_time("r1", 60), refused(Reason.NOT_PERMITTED)
    )


def test_more_expiries_than_one_batch_can_tell_are_settled_in_several() -> None:
    """One command's events are one batch: a flood of expiries must not stop the partition."""
    story = given(granted(5000))
    story.when(*(reserve(f"r{n}", 1) for n in range(2000)))
    story.when(expire(reservation="r0"), at=DUE)
    sizes = [sum(len(r.value) for r in story.log[-len(story.last) :])]
    assert 0 < len(story.account.reservations) < 2000
    while story.account.reservations:
        before = len(story.log)
        story.when(expire(f"x{len(sizes)}", reservation="none"), at=DUE)
        sizes.append(sum(len(record.value) for record in story.log[before:]))
    story.stands(available=5000, held=0)
    assert max(sizes) < BATCH_BYTES_MAX // 2


def test_what_is_due_but_not_settled_yet_cannot_be_used() -> None:
    story = given(granted(5000))
    story.when(*(reserve(f"r{n}", 1) for n in range(2000)))
    story.when(charge("r1999", 1), at=DUE)
    assert "r1999" in story.account.reservations
    assert (story.last[-1].reason, len(story.last) > 400) == (Reason.RESERVATION_EXPIRED, True)  # type: ignore[union-attr]
    story.when(release("r1999"), at=DUE)
    assert story.last[-1].reason is Reason.RESERVATION_EXPIRED  # type: ignore[union-attr]


def test_no_credits_are_drawn_from_a_lot_that_expired_but_is_not_settled_yet() -> None:
    story = given(*(granted(1, f"g{n}", expires_at=DUE) for n in range(1000)))
    story.when(reserve("r1", 1), at=DUE)
    assert story.account.available > 0
    assert story.last[-1].reason is Reason.INSUFFICIENT_CREDITS  # type: ignore[union-attr]


def test_a_hold_names_no_more_lots_than_an_event_can_carry() -> None:
    story = given(*(granted(1, f"g{n}") for n in range(1001)))
    story.when(reserve("r1", 1001), reserve("r2", 1000)).then(
        refused(Reason.INSUFFICIENT_CREDITS, shortfall=1), reserved("r2", 1000)
    )
