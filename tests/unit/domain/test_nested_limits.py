"""Nested runs meet the limits that are their own, and their parent's key, member and tool."""

from typing import Any

from contracts.caps import Cap, CapOf
from contracts.reasons import Reason, Remedy
from contracts.units import MINUTE

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    T0,
    charge,
    charged,
    extend,
    extended,
    granted,
    refused,
    release,
    released,
    reserve,
    reserved,
    set_controls,
)


def parent(**controls: Any) -> Story:
    return given(granted(100)).when(set_controls(**controls), reserve("p", 60))


def test_a_childs_own_member_is_capped_and_its_parents_is_not_counted_twice() -> None:
    caps = (Cap(CapOf.MEMBER, "ada", 60), Cap(CapOf.MEMBER, "bob", 5))
    story = given(granted(100)).when(set_controls(caps=caps), reserve("p", 60, member="ada"))
    story.when(
        reserve("a", 50, parent="p", member="ada"),
        reserve("b", 6, parent="p", member="bob"),
        reserve("c", 5, parent="p", member="bob"),
    ).then(
        reserved("a", 50),
        refused(Reason.MEMBER_LIMIT, Remedy.RAISE_LIMIT, shortfall=1),
        reserved("c", 5),
    )
    assert story.account.reservations["c"].counts == ("key:studio", "member:bob")
    story.when(extend("c", 1)).then(
        refused(Reason.MEMBER_LIMIT, Remedy.RAISE_LIMIT, reservation="c")
    )


def test_a_child_without_a_member_is_its_parents_members() -> None:
    caps = (Cap(CapOf.MEMBER, "ada", 70),)
    story = given(granted(100)).when(set_controls(caps=caps), reserve("p", 60, member="ada"))
    story.when(reserve("c", 20, parent="p"), charge("c", 20), charge("p", 40, "c2"))
    story.when(reserve("r", 11, member="ada"), reserve("s", 10, member="ada")).then(
        refused(Reason.MEMBER_LIMIT, shortfall=1), reserved("s", 10)
    )


def test_an_extension_of_a_child_meets_its_run_limit_with_what_it_holds() -> None:
    story = parent(run_limit=60).when(
        reserve("c", 20, parent="p"), set_controls("k2", run_limit=25)
    )
    story.when(extend("c", 6), extend("c", 5, "x2")).then(
        refused(Reason.RUN_LIMIT, shortfall=1), extended("c", 5, parent="p")
    )


def test_more_time_for_a_child_needs_no_credits_of_its_parent() -> None:
    story = parent().when(reserve("c", 60, parent="p", lifetime_ms=MINUTE))
    story.when(extend("c", lifetime_ms=3 * MINUTE)).then(
        extended("c", 0, parent="p", expires_at=T0 + 3 * MINUTE, slices=())
    )
    story.when(extend("c", lifetime_ms=2 * MINUTE, named="x2")).then(
        extended("c", 0, expires_at=T0 + 3 * MINUTE)
    )


def test_more_credits_alone_leave_a_childs_time_as_it_was() -> None:
    parent().when(reserve("c", 20, parent="p", lifetime_ms=MINUTE), extend("c", 5)).then(
        reserved("c", 20, expires_at=T0 + MINUTE), extended("c", 5, expires_at=T0 + MINUTE)
    )


def test_a_parent_at_the_bottom_of_the_nest_is_named() -> None:
    story = parent()
    story.when(*(reserve(f"n{n}", 10, parent=f"n{n - 1}" if n else "p") for n in range(8)))
    story.when(reserve("x", 1, parent="n6")).then(refused(Reason.PARENT_LIMIT, fields=("parent",)))


def test_a_parent_whose_last_child_ended_has_none_open() -> None:
    story = parent().when(
        reserve("a", 10, parent="p"), reserve("b", 10, parent="p"), release("a"), charge("b", 4)
    )
    assert story.account.reservations["p"].kids == 0
    story.when(reserve("c", 10, parent="p"), release("p", "l2"), release("c", "l3")).then(
        reserved("c", 10), released("p", 46, parent=None), released("c", 10, parent=None)
    ).stands(available=96, held=0, spent=4)


def test_a_release_of_a_childs_remainder_is_the_parents_again() -> None:
    story = parent().when(reserve("c", 30, parent="p"), charge("c", 10, final=False))
    story.when(release("c")).then(released("c", 20, parent="p"))
    assert story.account.reservations["p"].held == 50
    story.when(charge("p", 50, "c2")).then(charged("c2", "p", 50)).stands(held=0, spent=60)
