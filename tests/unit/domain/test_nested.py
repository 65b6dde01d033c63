"""Nested runs: a child draws on what its parent has left, and never on more."""

from contracts.reasons import Reason, Remedy
from contracts.units import MINUTE

from contracts import events as e
from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    T0,
    changed,
    charge,
    charged,
    ended_by_time,
    expire,
    extend,
    extended,
    granted,
    part,
    refund,
    refunded,
    refused,
    release,
    released,
    reserve,
    reserved,
    set_controls,
)


def parent(amount: int = 60) -> Story:
    """A run that holds so much, of a hundred credits."""
    return given(granted(100)).when(reserve("p", amount))


def held(story: Story, named: str) -> int:
    return story.account.reservations[named].held


def test_a_child_holds_a_part_of_what_its_parent_holds() -> None:
    story = parent().when(reserve("c", 20, parent="p"))
    story.then(reserved("c", 20, parent="p", slices=(part("g1", 20),)))
    story.stands(available=40, held=60)
    assert (held(story, "p"), held(story, "c")) == (40, 20)


def test_a_child_cannot_exceed_what_the_parent_has_left() -> None:
    parent().when(charge("p", 25, "c1", final=False), reserve("c", 36, parent="p")).then(
        charged("c1", "p", 25),
        refused(
            Reason.PARENT_LIMIT,
            Remedy.CHANGE_REQUEST,
            limit=e.LimitStatus("parent", 60, 25, 0, 35),
            shortfall=1,
        ),
    )


def test_children_together_cannot_exceed_their_parent() -> None:
    story = parent().when(*(reserve(f"c{n}", 7, parent="p") for n in range(50)))
    kept = [x for x in story.last if isinstance(x, e.CreditsReserved)]
    assert len(kept) == 8
    story.stands(available=40, held=60)
    assert held(story, "p") == 4


def test_what_a_child_did_not_use_is_its_parents_again() -> None:
    story = parent().when(reserve("c", 20, parent="p"), charge("c", 5))
    story.then(reserved("c", 20), charged("c1", "c", 5, released=15, parent="p", lost=()))
    story.stands(available=40, held=55, spent=5)
    assert held(story, "p") == 55
    story.when(charge("p", 55, "c2")).then(charged("c2", "p", 55)).stands(held=0, spent=60)


def test_a_child_that_is_released_or_expires_gives_all_of_it_back_to_its_parent() -> None:
    story = parent().when(
        reserve("a", 20, parent="p"), reserve("b", 30, parent="p", lifetime_ms=MINUTE), release("a")
    )
    story.then(reserved("a", 20), reserved("b", 30), released("a", 20, parent="p"))
    story.when(expire(reservation="b"), at=T0 + 2 * MINUTE)
    story.then(ended_by_time("b", 30, parent="p")).stands(available=40, held=60)
    assert held(story, "p") == 60


def test_runs_nest_three_levels_deep() -> None:
    story = parent().when(
        reserve("c", 30, parent="p"), reserve("g", 20, parent="c"), reserve("x", 11, parent="c")
    )
    story.then(reserved("c", 30), reserved("g", 20), refused(Reason.PARENT_LIMIT, shortfall=1))
    story.when(charge("g", 8), charge("c", 10, "c2"), charge("p", 42, "c3"))
    story.stands(available=40, held=0, spent=60)


def test_a_nest_has_a_bottom() -> None:
    story = parent()
    story.when(*(reserve(f"n{n}", 10, parent=f"n{n - 1}" if n else "p") for n in range(8)))
    story.then(*(reserved(f"n{n}", 10) for n in range(7)), refused(Reason.PARENT_LIMIT))


def test_a_parent_that_ends_leaves_its_children_to_themselves() -> None:
    story = parent().when(reserve("c", 20, parent="p"), charge("p", 10), charge("c", 5, "c2"))
    story.then(
        reserved("c", 20),
        charged("c1", "p", 10, released=30, parent=None),
        charged("c2", "c", 5, released=15, parent=None),
    ).stands(available=85, held=0, spent=15)


def test_a_child_lives_no_longer_than_its_parent() -> None:
    story = parent().when(reserve("c", 20, parent="p", lifetime_ms=10 * MINUTE))
    story.then(reserved("c", 20, expires_at=T0 + 5 * MINUTE))
    story.when(expire(reservation="p"), at=T0 + 5 * MINUTE)
    story.then(ended_by_time("c", 20, parent=None), ended_by_time("p", 40))
    story.stands(available=100, held=0)


def test_a_child_is_given_more_by_its_parent_and_no_longer_than_it() -> None:
    story = parent().when(
        reserve("c", 20, parent="p"),
        extend("c", 40, lifetime_ms=10 * MINUTE),
        extend("c", 1, "x2"),
    )
    story.then(
        reserved("c", 20),
        extended("c", 40, parent="p", expires_at=T0 + 5 * MINUTE),
        refused(Reason.PARENT_LIMIT, shortfall=1),
    ).stands(available=40, held=60)


def test_what_a_child_was_charged_is_refunded_to_the_lots() -> None:
    story = parent().when(reserve("c", 20, parent="p"), charge("c", 5), refund("c1", 3))
    story.then(reserved("c", 20), charged("c1", "c", 5), refunded("c1", 3))
    story.stands(available=43, held=55, spent=2)


def test_a_child_counts_no_credits_twice_against_a_day() -> None:
    given(granted(100)).when(
        set_controls(day_limit=60, concurrency=1),
        reserve("p", 60),
        reserve("c", 60, parent="p"),
        reserve("r", 1),
    ).then(changed(), reserved("p", 60), reserved("c", 60), refused(Reason.CONCURRENCY_LIMIT))


def test_an_unknown_or_ended_parent_is_no_parent() -> None:
    story = parent().when(
        reserve("c", 1, parent="never"), release("p"), reserve("d", 1, parent="p")
    )
    story.then(
        refused(Reason.RESERVATION_UNKNOWN, fields=("parent",)),
        released("p", 60),
        refused(Reason.RESERVATION_ENDED, fields=("parent",)),
    )
    late = parent().when(reserve("c", 1, parent="p"), at=T0 + 6 * MINUTE)
    late.then(ended_by_time("p", 60), refused(Reason.RESERVATION_EXPIRED))
