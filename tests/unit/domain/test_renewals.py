"""The next period of a plan: where it begins, what it says, and what a paid one may be."""

from typing import Any

import msgspec
import pytest
from contracts.commands import GrantKind
from contracts.reasons import Reason, Remedy
from contracts.units import DAY, FOREVER, HOUR, Ms

from contracts import events as e
from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.words import (
    SMALL_TOOL,
    T0,
    estimate,
    expire,
    granted,
    planned,
    refused,
    reserve,
    revoked,
    set_controls,
    set_plan,
)

MARCH = T0 - 12 * HOUR
APRIL = MARCH + 31 * DAY
MAY = APRIL + 30 * DAY
JUNE = MAY + 31 * DAY
MIDDLE = MARCH + 31 * DAY // 2


def on(plan: str, **paid: Any) -> Story:
    return given().when(set_plan(plan, **paid))


def renewal(story: Story) -> e.Allowance:
    """The period that the last step began."""
    told = [x.allowance for x in story.last if isinstance(x, e.CreditsGranted | e.PlanChanged)]
    (found,) = [x for x in told if x is not None]
    return found


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        (APRIL, APRIL, MAY),
        (MAY - 1, APRIL, MAY),
        (MAY, MAY, JUNE),
        (MAY + DAY, MAY, JUNE),
    ],
)
def test_a_renewal_is_the_month_that_it_is_touched_in(at: Ms, start: Ms, end: Ms) -> None:
    period = renewal(on("free").when(estimate(SMALL_TOOL), at=at))
    assert period == e.Allowance(
        plan="free", start=start, end=end, credits=300, day_limit=30, renews=True,
        since=start, accrued=0, given=300,
    )  # fmt: skip


def test_a_paid_period_does_not_renew_by_itself() -> None:
    story = on("pro", period_start=T0, period_end=T0 + 30 * DAY)
    story.when(estimate(SMALL_TOOL), at=T0 + 31 * DAY)
    assert not [x for x in story.last if isinstance(x, e.CreditsGranted)]
    story.when(expire("x2", period_end=T0 + 30 * DAY), at=T0 + 31 * DAY).then(
        refused(Reason.NOT_DUE)
    )


def test_a_plan_that_is_sold_no_more_goes_on_as_it_was() -> None:
    story = on("free")
    plans = {name: plan for name, plan in CATALOGUE.plans.items() if name != "free"}
    story.partition.catalogue = msgspec.structs.replace(CATALOGUE, plans=plans)
    period = renewal(story.when(estimate(SMALL_TOOL), at=APRIL))
    assert (period.credits, period.day_limit, period.given) == (300, 30, 300)


def test_a_plan_that_gives_nothing_renews_without_a_grant() -> None:
    story = on("free")
    nothing = msgspec.structs.replace(CATALOGUE.plans["free"], monthly_credits=0)
    plans = {**CATALOGUE.plans, "free": nothing}
    story.partition.catalogue = msgspec.structs.replace(CATALOGUE, plans=plans)
    story.when(estimate(SMALL_TOOL), at=APRIL)
    (moved,) = [x for x in story.last if isinstance(x, e.PlanChanged)]
    assert (moved.before, moved.after) == ("free", "free")
    assert renewal(story) == e.Allowance(
        plan="free", start=APRIL, end=MAY, credits=0, day_limit=30, renews=True,
        since=APRIL, accrued=0, given=0,
    )  # fmt: skip
    assert story.account.plan == moved.allowance


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"period_start": T0}, ("periodStart", "periodEnd")),
        ({"period_end": T0 + DAY}, ("periodStart", "periodEnd")),
        ({"period_start": T0 + DAY, "period_end": T0 + DAY}, ("periodStart", "periodEnd")),
        ({"period_start": T0, "period_end": FOREVER + 1}, ("periodStart", "periodEnd")),
        ({"period_start": T0 + HOUR + 1, "period_end": T0 + DAY}, ("periodStart",)),
    ],
)
def test_a_period_out_of_range_names_its_fields(
    more: dict[str, Any], fields: tuple[str, ...]
) -> None:
    given(granted(1)).when(set_plan("pro", **more)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=fields)
    )


@pytest.mark.parametrize(
    "more",
    [
        {"period_start": 0, "period_end": T0 + 1},
        {"period_start": T0 + HOUR, "period_end": T0 + DAY},
        {"period_start": T0, "period_end": FOREVER},
    ],
)
def test_the_first_and_the_last_of_all_times_are_in_range(more: dict[str, Any]) -> None:
    story = given(granted(1)).when(set_plan("pro", **more))
    assert renewal_or_change(story) == (more["period_start"], more["period_end"])


def renewal_or_change(story: Story) -> tuple[Ms, Ms]:
    plan = story.account.plan
    assert plan is not None
    return plan.start, plan.end


def test_a_period_that_ends_now_is_over_and_the_same_start_again_is_not_older() -> None:
    given(granted(1)).when(set_plan("pro", period_start=T0 - DAY, period_end=T0)).then(
        refused(Reason.EXPIRY_IN_THE_PAST, Remedy.NONE, fields=("periodEnd",))
    )
    story = on("pro", period_start=T0, period_end=T0 + 5 * DAY)
    story.when(set_plan("pro", "p2", period_start=T0, period_end=T0 + 9 * DAY))
    assert renewal_or_change(story) == (T0, T0 + 9 * DAY)


def test_a_plan_by_the_calendar_keeps_its_month_until_the_very_end() -> None:
    story = on("free").when(set_plan("supporter", "p2"), at=APRIL - 1)
    assert renewal_or_change(story) == (MARCH, APRIL)
    story.when(set_plan("pro", "p3"), at=APRIL)
    assert renewal_or_change(story) == (APRIL, MAY)


def test_going_down_takes_from_every_lot_of_the_period_the_newest_first() -> None:
    """Of what an upgrade gave, then of the month's own; bought lots between stay."""
    story = on("free").when(set_plan("pro", "p2"), at=MIDDLE)
    first, second = (f"allowance:{MARCH}", f"allowance:{MARCH}:2")
    given_ = {lot.grant: lot.amount for lot in story.account.lots}
    story.when(set_plan("free", "p3"), at=MIDDLE)
    story.then(revoked(second, given_[second]), planned("free", before="pro"))
    assert story.account.lot(first).available == 300
    assert all(lot.kind is GrantKind.PLAN for lot in story.account.lots)


def test_going_down_twice_takes_of_two_lots() -> None:
    story = on("supporter").when(set_plan("pro", "p2"), at=MARCH + 31 * DAY // 4)
    first, second = (f"allowance:{MARCH}", f"allowance:{MARCH}:2")
    taken = story.account.lot(second).available
    story.when(reserve("r1", 300), set_plan("free", "p3"), at=MIDDLE)
    parts = [x for x in story.last if isinstance(x, e.CreditsRevoked)]
    assert parts[0].grant == second
    assert {x.grant for x in parts} <= {first, second}
    worth = story.account.plan
    assert worth is not None
    assert worth.given == story.account.available + story.account.held
    assert parts[0].amount <= taken


def test_a_second_zone_moves_no_period_that_runs() -> None:
    story = on("free").when(set_controls(time_zone="Asia/Tokyo"), set_plan("free", "p2"))
    assert renewal_or_change(story) == (MARCH, APRIL)
