"""Plans: an allowance a period, no rollover, prorated inside it, with a day's limit of its own."""

from typing import Any

import pytest
from contracts.commands import GrantKind
from contracts.reasons import Reason
from contracts.units import DAY, HOUR, Credits, Ms
from msgspec.structs import replace

from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.words import (
    PERSON,
    SMALL_TOOL,
    T0,
    Said,
    charge,
    charged,
    estimate,
    estimated,
    expire,
    grant,
    granted,
    lot_expired,
    part,
    planned,
    refund,
    refused,
    reserve,
    reserved,
    revoke,
    revoked,
    set_controls,
    set_plan,
)

MARCH = T0 - 12 * HOUR  # T0 is noon of 1 March
APRIL = MARCH + 31 * DAY
MIDDLE = MARCH + 31 * DAY // 2
FIRST = f"allowance:{MARCH}"


def allowance(amount: Credits, start: Ms = MARCH, nth: str = "") -> Said:
    named = f"allowance:{start}"
    return Said(granted(0).kind, grant=f"{named}{nth}", amount=amount, source=named)


def paid(start: Ms = T0, end: Ms = T0 + 30 * DAY) -> dict[str, Any]:
    return {"period_start": start, "period_end": end}


def spend(story: Story, amount: Credits, named: str, at: Ms) -> None:
    story.when(reserve(named, amount), charge(named, amount, f"c-{named}"), at=at)


def on(plan: str) -> Story:
    return given().when(set_plan(plan))


def test_a_plan_gives_its_whole_allowance_until_the_month_ends() -> None:
    on("free").then(allowance(300), planned("free", before=None)).stands(available=300)


def test_a_period_that_is_paid_has_its_own_ends() -> None:
    story = given().when(set_plan("pro", **paid()))
    story.then(allowance(12_000, T0), planned("pro"))
    story.when(expire(), at=T0 + 30 * DAY - 1).then(refused(Reason.NOT_DUE))
    story.when(expire("x2", grant=f"allowance:{T0}"), at=T0 + 30 * DAY).then(
        lot_expired(f"allowance:{T0}", 12_000)
    ).stands(available=0)


def test_an_allowance_does_not_roll_over() -> None:
    story = on("free")
    spend(story, 20, "r1", T0)
    story.when(reserve("r2", 5), at=APRIL).then(
        lot_expired(FIRST, 280), allowance(300, APRIL), reserved("r2", 5)
    ).stands(available=295, expired=280)


def test_the_first_touch_of_a_period_grants_it_and_later_ones_do_not() -> None:
    story = on("free").when(estimate(SMALL_TOOL), at=APRIL + DAY)
    story.then(lot_expired(FIRST, 300), allowance(300, APRIL), estimated())
    story.when(estimate(SMALL_TOOL, "e2"), at=APRIL + 2 * DAY).then(estimated())


def test_periods_that_nobody_touched_are_not_given() -> None:
    july = APRIL + (30 + 31 + 30) * DAY
    on("free").when(reserve("r1", 5), at=july + DAY).then(
        lot_expired(FIRST, 300), allowance(300, july), reserved("r1", 5)
    ).stands(granted=600)


def test_the_sweep_grants_a_period_by_its_end() -> None:
    story = on("free")
    spend(story, 30, "r1", T0)
    story.when(expire(period_end=APRIL), at=APRIL - 1).then(refused(Reason.NOT_DUE))
    story.when(expire("x2", period_end=APRIL), at=APRIL).then(
        lot_expired(FIRST, 270), allowance(300, APRIL)
    )
    story.when(expire("x3", period_end=APRIL), at=APRIL).then(refused(Reason.NOT_DUE))


def test_a_move_of_the_time_zone_brings_no_second_month() -> None:
    story = on("free").when(set_controls(time_zone="Pacific/Kiritimati"))
    story.when(estimate(SMALL_TOOL), at=APRIL)
    assert story.account.plan is not None
    april_end = story.account.plan.end
    story.when(set_controls("k2", time_zone="Pacific/Niue"), at=april_end - 1)
    story.when(estimate(SMALL_TOOL, "e2"), at=april_end)
    assert story.account.plan.end - story.account.plan.start > 27 * DAY
    story.stands(granted=900)


def test_an_upgrade_inside_a_period_grants_the_difference_for_its_rest() -> None:
    """Half of 300 and half of 3,000 are 1,650."""
    on("free").when(set_plan("supporter", "p2"), at=MIDDLE).then(
        allowance(1_350, MARCH, ":2"), planned("supporter", before="free")
    ).stands(available=1_650)


def test_plan_downgrade_mid_period() -> None:
    """What the smaller plan is not worth goes, but for what is used or held of it."""
    story = on("supporter").when(set_plan("free", "p2"), at=MIDDLE)
    story.then(revoked(FIRST, 1_350, reason="plan"), planned("free", before="supporter"))
    story.stands(available=1_650, revoked=1_350)
    used = given().when(set_plan("supporter"))
    for day in range(9):
        spend(used, 300, f"r{day}", T0 + day * DAY)
    used.when(set_plan("free", "p2"), at=MIDDLE).then(
        revoked(FIRST, 300), planned("free", before="supporter")
    ).stands(available=0, spent=2_700)


def test_up_and_down_again_wins_nothing() -> None:
    story = on("free").when(set_plan("pro", "p2"), at=MIDDLE)
    spend(story, 2_000, "r1", MIDDLE)
    spend(story, 2_000, "r2", MIDDLE + DAY)
    at = MIDDLE + DAY
    story.when(set_plan("free", "p3"), at=at)
    spent = story.account.spent
    story.stands(available=0)
    story.when(set_plan("pro", "p4"), set_plan("free", "p5"), set_plan("pro", "p6"), at=at)
    owed = story.account.available + spent
    assert owed == 150 + (12_000 * (APRIL - MIDDLE)) // (31 * DAY), (
        "as if it had been pro all along"
    )


def test_the_same_plan_again_changes_nothing() -> None:
    on("free").when(set_plan("free", "p2"), at=MIDDLE).then(planned("free", before="free")).stands(
        available=300
    )


def test_a_paid_period_that_begins_cuts_the_calendars_short() -> None:
    story = on("free").when(set_plan("pro", "p2", **paid(MIDDLE, MIDDLE + 30 * DAY)), at=MIDDLE)
    story.then(revoked(FIRST, 150), allowance(12_000, MIDDLE), planned("pro", before="free"))


def test_a_renewal_leaves_the_old_period_to_its_end() -> None:
    story = given().when(set_plan("pro", **paid()))
    next_ = paid(T0 + 30 * DAY, T0 + 60 * DAY)
    story.when(set_plan("pro", "p2", **next_), at=T0 + 30 * DAY).then(
        lot_expired(f"allowance:{T0}", 12_000),
        allowance(12_000, T0 + 30 * DAY),
        planned("pro", before="pro"),
    )


def test_back_on_the_calendar_only_the_rest_of_the_month_is_given() -> None:
    story = given().when(set_plan("pro", **paid(T0, MIDDLE)))
    story.when(set_plan("free", "p2"), at=MIDDLE).then(
        lot_expired(f"allowance:{T0}", 12_000), allowance(150), planned("free", before="pro")
    )


def test_a_period_that_is_over_or_older_than_the_one_that_stands_is_refused() -> None:
    story = given().when(set_plan("pro", **paid()), at=T0 + 31 * DAY)
    story.then(refused(Reason.EXPIRY_IN_THE_PAST, fields=("periodEnd",)))
    story = given().when(set_plan("pro", **paid(T0, T0 + 5 * DAY)))
    story.when(set_plan("free", "p2", **paid(T0 - 1, T0 + 9 * DAY))).then(
        refused(Reason.EXPIRY_IN_THE_PAST)
    )


@pytest.mark.parametrize(
    "more",
    [
        {"period_start": T0},
        {"period_end": T0 + DAY},
        {"period_start": T0 + DAY, "period_end": T0},
        {"period_start": -1, "period_end": T0 + DAY},
        {"period_start": T0, "period_end": 10**30},
        {"period_start": T0 + 2 * HOUR, "period_end": T0 + DAY},
    ],
)
def test_a_period_out_of_range_is_refused(more: dict[str, Any]) -> None:
    given(granted(1)).when(set_plan("pro", **more)).then(refused(Reason.AMOUNT_OUT_OF_RANGE))


def test_an_unknown_plan_is_refused() -> None:
    given(granted(1)).when(set_plan("platinum")).then(
        refused(Reason.PLAN_UNKNOWN, fields=("plan",))
    )


def test_a_person_may_take_only_what_costs_nothing() -> None:
    given(granted(1)).when(
        set_plan("pro", by=PERSON), set_plan("free", "p2", by=PERSON, **paid())
    ).then(refused(Reason.NOT_PERMITTED), refused(Reason.NOT_PERMITTED))
    given().when(set_plan("free", by=PERSON)).then(allowance(300), planned("free"))


def test_an_allowance_pays_what_is_owed_first() -> None:
    story = given(granted(10))
    spend(story, 10, "r1", T0)
    story.when(revoke("g1"), set_plan("free")).then(
        revoked("g1", 0, 10), allowance(300), planned("free")
    ).stands(available=290, revoked=10)


def test_a_renewed_plan_takes_the_catalogues_newest_terms() -> None:
    story = on("free")
    more = replace(CATALOGUE.plans["free"], monthly_credits=400, daily_limit=40)
    story.partition.catalogue = replace(CATALOGUE, plans={"free": more})
    story.when(reserve("r1", 40), at=APRIL).then(
        lot_expired(FIRST, 300), allowance(400, APRIL), reserved("r1", 40)
    )


def test_a_grant_of_the_callers_cannot_take_the_name_of_an_allowance() -> None:
    story = given().when(grant(5, FIRST, kind=GrantKind.PAID))
    story.when(set_plan("free")).then(allowance(300, MARCH, ":2"), planned("free"))
    story.when(grant(5, f"{FIRST}:2", source="mine")).then(refused(Reason.GRANT_EXISTS))


def test_a_run_over_the_end_of_a_period_is_charged_to_the_old_one() -> None:
    story = on("free").when(reserve("r1", 10), at=APRIL - 1)
    story.when(charge("r1", 4), at=APRIL).then(
        lot_expired(FIRST, 290),
        allowance(300, APRIL),
        charged("c1", "r1", 4, lost=(part(FIRST, 6),)),
    ).stands(available=300, expired=296, spent=4)


def test_a_debt_that_was_paid_is_not_taken_again_by_a_smaller_plan() -> None:
    """Revoked whole, its used part paid by the next allowance, then refunded: it stays theirs."""
    story = on("free").when(reserve("r1", 1), charge("r1", 1))
    story.when(set_plan("free", "p2", paid=(T0, T0 + HOUR)), revoke(FIRST))
    story.when(set_plan("free", "p3"), refund("c1"))
    story.when(set_plan("free", "p4", paid=(T0, T0 + HOUR)))
    for lot in story.account.lots:
        assert lot.revoked <= lot.amount, lot.grant
