"""Revoke: what is left is taken, what is used up becomes debt, and debt is paid before all else."""

import pytest
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, DAY, MINUTE

from contracts import commands as c
from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    ADMIN,
    PAYMENTS,
    PERSON,
    T0,
    charge,
    charged,
    ended_by_time,
    expire,
    freeze,
    frozen,
    grant,
    granted,
    lot_expired,
    part,
    refund,
    refunded,
    refused,
    release,
    released,
    reserve,
    reserved,
    revoke,
    revoked,
    thaw,
    thawed,
)

SPENT_60 = (granted(100), reserved("r1", 60), charged("c1", "r1", 60))


def test_what_is_left_is_taken() -> None:
    given(granted(100), granted(7, "g2")).when(revoke("g1")).then(revoked("g1", 100)).stands(
        available=7, revoked=100, debts={}
    )


def test_what_was_spent_becomes_debt_and_other_lots_stay() -> None:
    given(*SPENT_60, granted(7, "g2")).when(revoke("g1")).then(revoked("g1", 40, debt=60)).stands(
        available=7, revoked=40, spent=60, debts={"g1": 60}
    )


def test_a_part_is_taken_from_what_is_left_first() -> None:
    given(*SPENT_60).when(revoke("g1", 30), revoke("g1", 30, "v2")).then(
        revoked("g1", 30), revoked("g1", 10, debt=20)
    ).stands(available=0, revoked=40, debts={"g1": 20})


def test_no_more_is_taken_back_than_was_given() -> None:
    given(*SPENT_60).when(revoke("g1", 101), revoke("g1", 100, "v2"), revoke("g1", 1, "v3")).then(
        refused(Reason.EXCEEDS_GRANT, Remedy.NONE, shortfall=1),
        revoked("g1", 40, debt=60),
        refused(Reason.EXCEEDS_GRANT, Remedy.NONE, shortfall=1),
    )


def test_a_later_grant_pays_the_debt_first() -> None:
    given(*SPENT_60).when(revoke("g1"), grant(50, "g2"), grant(50, "g3")).then(
        revoked("g1", 40, debt=60),
        granted(50, "g2", repaid=(part("g1", 50),)),
        granted(50, "g3", repaid=(part("g1", 10),)),
    ).stands(available=40, granted=200, revoked=100, debts={})


def test_the_oldest_debt_is_paid_first() -> None:
    given(
        granted(10), reserved("r1", 10), charged("c1", "r1", 10),
        granted(20, "g2"), reserved("r2", 20), charged("c2", "r2", 20),
    ).when(revoke("g2"), revoke("g1", named="v2"), grant(25, "g3")).then(
        revoked("g2", 0, debt=20),
        revoked("g1", 0, debt=10),
        granted(25, "g3", repaid=(part("g2", 20), part("g1", 5))),
    ).stands(available=0, debts={"g1": 5})  # fmt: skip


def test_a_grant_that_paid_a_debt_and_is_revoked_leaves_the_debt_again() -> None:
    given(*SPENT_60).when(revoke("g1"), grant(60, "g2"), revoke("g2", named="v2")).then(
        revoked("g1", 40, debt=60),
        granted(60, "g2", repaid=(part("g1", 60),)),
        revoked("g2", 0, debt=60),
    ).stands(available=0, debts={"g2": 60})


def test_what_a_run_holds_counts_as_used_and_pays_when_it_comes_back() -> None:
    given(granted(100), reserved("r1", 60)).when(revoke("g1"), release("r1")).then(
        revoked("g1", 40, debt=60), released("r1", 60, repaid=(part("g1", 60),), lost=())
    ).stands(available=0, held=0, revoked=100, debts={})


def test_what_a_run_spends_of_a_revoked_grant_stays_owed() -> None:
    given(granted(100), reserved("r1", 60)).when(revoke("g1"), charge("r1", 45)).then(
        revoked("g1", 40, debt=60),
        charged("c1", "r1", 45, rest=(part("g1", 15),), repaid=(part("g1", 15),)),
    ).stands(available=0, spent=45, revoked=55, debts={"g1": 45})


def test_a_refund_into_a_revoked_grant_pays_the_debt() -> None:
    given(*SPENT_60).when(revoke("g1"), refund("c1", 25)).then(
        revoked("g1", 40, debt=60), refunded("c1", 25, repaid=(part("g1", 25),), extended=())
    ).stands(available=0, spent=35, revoked=65, debts={"g1": 35})


def test_a_refund_after_the_debt_was_paid_by_others_stays() -> None:
    given(*SPENT_60).when(revoke("g1"), grant(60, "g2"), refund("c1", 25)).then(
        revoked("g1", 40, debt=60),
        granted(60, "g2", repaid=(part("g1", 60),)),
        refunded("c1", 25, repaid=()),
    ).stands(available=25, debts={})


def test_what_came_back_after_others_paid_for_it_makes_no_debt_below_zero() -> None:
    story = given(granted(100), reserved("r1", 60))
    story.when(revoke("g1", 70), grant(30, "g2"), release("r1")).then(
        revoked("g1", 40, debt=30),
        granted(30, "g2", repaid=(part("g1", 30),)),
        released("r1", 60, repaid=()),
    ).stands(available=60, debts={})
    story.when(revoke("g1", named="v2"), revoke("g1", named="v3")).then(
        revoked("g1", 30, debt=0), revoked("g1", 0, debt=0)
    ).stands(available=30, revoked=100, debts={})


def test_two_holds_that_end_by_time_pay_a_debt_once() -> None:
    story = given(granted(100), reserved("r1", 60), reserved("r2", 40))
    story.when(revoke("g1", 70)).then(revoked("g1", 0, debt=70))
    story.when(grant(1, "g2"), at=T0 + 6 * MINUTE).then(
        ended_by_time("r1", 60, repaid=(part("g1", 60),)),
        ended_by_time("r2", 40, repaid=(part("g1", 10),)),
        granted(1, "g2", repaid=()),
    ).stands(available=31, debts={}, revoked=70)


def test_what_comes_back_to_an_expired_lot_pays_before_it_is_lost() -> None:
    story = given(granted(100, expires_at=T0 + MINUTE), reserved("r1", 60))
    story.when(revoke("g1", 70)).then(revoked("g1", 40, debt=30))
    story.when(release("r1"), at=T0 + 2 * MINUTE).then(
        released("r1", 60, repaid=(part("g1", 30),), lost=(part("g1", 30),))
    ).stands(available=0, expired=30, revoked=70, debts={})


def test_what_expired_is_neither_taken_nor_owed() -> None:
    story = given(granted(100, expires_at=T0 + MINUTE), reserved("r1", 60), charged("c1", "r1", 60))
    story.when(expire(grant="g1"), at=T0 + DAY).then(lot_expired("g1", 40))
    story.when(revoke("g1"), at=T0 + DAY).then(revoked("g1", 0, debt=60))
    story.stands(expired=40, revoked=0, debts={"g1": 60})


def test_an_unknown_grant_and_a_wrong_amount_are_refused() -> None:
    given(granted(100)).when(
        revoke("no-grant"),
        revoke("g1", 0, "v2"),
        revoke("g1", -1, "v3"),
        revoke("g1", AMOUNT_MAX + 1, "v4"),
        revoke("g1", by=PERSON, named="v5"),
    ).then(
        refused(Reason.GRANT_UNKNOWN, fields=("grant",)),
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)),
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)),
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)),
        refused(Reason.NOT_PERMITTED),
    ).stands(available=100)


BIG = 5_000
_BY_ADMIN = {
    "grant": grant(BIG, "g2", ADMIN, kind=c.GrantKind.GOODWILL, reason="outage"),
    "refund": refund("c1", BIG, by=ADMIN),
    "revoke": revoke("g1", BIG, by=ADMIN),
}


@pytest.mark.parametrize("command", _BY_ADMIN.values(), ids=_BY_ADMIN)
def test_above_the_set_amount_an_admin_needs_a_second_person(
    command: c.Grant | c.Refund | c.Revoke,
) -> None:
    history = (granted(3 * BIG), reserved("r1", BIG), charged("c1", "r1", BIG))
    given(*history).when(command).then(
        refused(Reason.SECOND_PERSON_NEEDED, fields=("approvedBy",))
    ).stands(available=2 * BIG)
    command.approved_by = ADMIN.id
    given(*history).when(command).then(refused(Reason.SECOND_PERSON_NEEDED))
    command.approved_by = "another-admin"
    story = given(*history).when(command)
    assert getattr(story.last[-1], "approved_by", None) == "another-admin"
    command.approved_by = None


def test_the_set_amount_itself_and_those_who_act_by_rule_need_nobody_else() -> None:
    given(granted(3 * BIG)).when(
        grant(1_000, "g2", ADMIN, kind=c.GrantKind.GOODWILL, reason="outage"),
        grant(BIG, "g3", PAYMENTS),
        revoke("g1", BIG),
    ).then(granted(1_000, "g2", reason="outage"), granted(BIG, "g3"), revoked("g1", BIG))


# ---- a dispute, as payments asks for it


def test_a_dispute_won_gives_the_lot_back_to_use() -> None:
    given(*SPENT_60).when(freeze("g1"), reserve("r2", 1), thaw("g1"), reserve("r3", 40)).then(
        frozen(), refused(Reason.ACCOUNT_FROZEN), thawed(), reserved("r3", 40)
    )


def test_a_dispute_lost_after_spending_with_a_partial_refund_before() -> None:
    given(*SPENT_60).when(
        revoke("g1", 25),  # a quarter of the money went back
        freeze("g1"),
        revoke("g1", 75, "v2"),  # the bank took the rest
        thaw("g1"),
        grant(100, "g2"),
    ).then(
        revoked("g1", 25),
        frozen(),
        revoked("g1", 15, debt=60),
        thawed(),
        granted(100, "g2", repaid=(part("g1", 60),)),
    ).stands(available=40, granted=200, revoked=100, spent=60, debts={})
