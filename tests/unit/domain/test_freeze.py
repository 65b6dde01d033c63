"""Freeze and Thaw: nothing new is held while a reason stands; what runs hold already settles."""

from contracts.reasons import Reason, Remedy

from tests.unit.domain.kit import given, without_state
from tests.unit.domain.words import (
    ADMIN,
    PERSON,
    SMALL_TOOL,
    charge,
    charged,
    estimate,
    estimated,
    freeze,
    frozen,
    grant,
    granted,
    part,
    refund,
    refunded,
    refused,
    release,
    released,
    reserve,
    reserved,
    thaw,
    thawed,
)


def test_a_frozen_account_holds_nothing_new_and_keeps_what_it_owns() -> None:
    given(granted(100)).when(freeze()).then(frozen(grant=None)).stands(available=100).when(
        reserve("r1", 1)
    ).then(refused(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT)).stands(available=100, held=0)


def test_an_estimate_for_a_frozen_account_says_so() -> None:
    given(granted(100)).when(freeze(), estimate(SMALL_TOOL)).then(
        frozen(), estimated(allowed=False, reason=Reason.ACCOUNT_FROZEN)
    )


def test_what_was_held_before_the_freeze_is_charged_released_and_refunded() -> None:
    story = given(granted(100), reserved("r1", 30), reserved("r2", 20)).when(freeze())
    story.when(charge("r1", 10), release("r2"), refund("c1", 4)).then(
        charged("c1", "r1", 10), released("r2", 20), refunded("c1", 4)
    ).stands(available=94, held=0, spent=6)


def test_a_frozen_account_can_still_be_given_credits() -> None:
    given(granted(100)).when(freeze(), grant(5, "g2")).then(frozen(), granted(5, "g2"))


def test_a_frozen_lot_is_passed_over_and_the_next_one_is_drawn() -> None:
    given(granted(100), granted(50, "g2")).when(freeze("g1"), reserve("r1", 50)).then(
        frozen(grant="g1"), reserved("r1", 50, slices=(part("g2", 50),))
    )


def test_more_than_what_is_not_frozen_is_refused_by_the_freeze() -> None:
    given(granted(100), granted(50, "g2")).when(freeze("g1"), reserve("r1", 51)).then(
        frozen(), refused(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT, shortfall=1)
    )


def test_more_than_there_is_at_all_is_a_shortfall_of_what_is_not_frozen() -> None:
    given(granted(100), granted(50, "g2")).when(freeze("g1"), reserve("r1", 151)).then(
        frozen(), refused(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=101)
    )


def test_a_thaw_ends_the_freeze() -> None:
    given(granted(100)).when(freeze("g1"), thaw("g1"), reserve("r1", 100)).then(
        frozen(), thawed(grant="g1"), reserved("r1", 100)
    )


def test_two_reasons_stand_beside_each_other_and_end_by_their_own_names() -> None:
    given(granted(100)).when(
        freeze(reason="dispute"),
        freeze(reason="fraud", named="z2"),
        thaw(reason="dispute"),
        reserve("r1", 1),
        thaw(reason="fraud", named="w2"),
        reserve("r2", 1),
    ).then(
        frozen("dispute"),
        frozen("fraud"),
        thawed("dispute"),
        refused(Reason.ACCOUNT_FROZEN),
        thawed("fraud"),
        reserved("r2", 1),
    )


def test_the_same_reason_twice_stands_once() -> None:
    given(granted(100)).when(freeze(), freeze(named="z2"), thaw(), reserve("r1", 1)).then(
        frozen(), frozen(), thawed(), reserved("r1", 1)
    )


def test_a_thaw_of_what_is_not_frozen_is_refused_and_changes_nothing() -> None:
    story = given(granted(100)).when(freeze())
    before = without_state(story)
    story.when(thaw(reason="another"), thaw("g1", named="w2")).then(
        refused(Reason.NOT_FROZEN, Remedy.NONE, fields=("reason",)),
        refused(Reason.NOT_FROZEN, Remedy.NONE),
    )
    assert without_state(story) == before


def test_a_lot_that_there_is_not_cannot_be_frozen() -> None:
    given(granted(100)).when(freeze("no-grant")).then(
        refused(Reason.GRANT_UNKNOWN, fields=("grant",))
    )


def test_a_person_freezes_nothing_an_admin_does() -> None:
    given(granted(100)).when(freeze(by=PERSON), freeze(named="z2", by=ADMIN)).then(
        refused(Reason.NOT_PERMITTED), frozen()
    )
