"""What a plan allows: so much of it a day, tools of its own, an owner's highest limits."""

from contracts.reasons import Reason, Remedy
from contracts.units import DAY
from msgspec.structs import replace

from tests.unit.domain.kit import CATALOGUE, given
from tests.unit.domain.test_plan import FIRST, MARCH, allowance, on, spend
from tests.unit.domain.words import (
    ADMIN,
    SMALL_TOOL,
    T0,
    estimate,
    estimated,
    freeze,
    frozen,
    grant,
    granted,
    part,
    planned,
    refund,
    refunded,
    refused,
    reserve,
    reserved,
    set_controls,
    set_plan,
)


def test_plan_limits_count_allowance_credits_only() -> None:
    """30 of the plan today, and bought credits beside them at will."""
    story = on("free").when(grant(100))
    story.when(reserve("r1", 50)).then(reserved("r1", 50, slices=(part(FIRST, 30), part("g1", 20))))
    story.when(reserve("r2", 60)).then(reserved("r2", 60, slices=(part("g1", 60),)))
    story.when(reserve("r3", 21)).then(
        refused(Reason.DAY_LIMIT, Remedy.WAIT_FOR_RESET, shortfall=1)
    )
    (no,) = story.last
    limit = no.limit  # type: ignore[union-attr]
    assert limit is not None
    assert (limit.name, limit.limit, limit.used, limit.held, limit.left) == (
        "plan_day",
        30,
        0,
        30,
        0,
    )
    assert limit.resets_at == MARCH + DAY


def test_the_plans_day_is_over_at_midnight() -> None:
    story = on("free")
    spend(story, 30, "r1", T0)
    story.when(reserve("r2", 1)).then(refused(Reason.DAY_LIMIT))
    story.when(reserve("r3", 30), at=MARCH + DAY).then(reserved("r3", 30))
    story.when(reserve("r4", 1), at=MARCH + DAY).then(refused(Reason.DAY_LIMIT))


def test_what_is_refunded_of_the_plan_can_be_used_again_today() -> None:
    story = on("free")
    spend(story, 30, "r1", T0)
    story.when(refund("c-r1", 10)).then(refunded("c-r1", 10))
    story.when(reserve("r2", 11)).then(refused(Reason.DAY_LIMIT))
    story.when(reserve("r3", 10)).then(reserved("r3", 10))


def test_an_estimate_says_that_the_plans_day_binds() -> None:
    story = on("free")
    spend(story, 28, "r1", T0)
    story.when(estimate(SMALL_TOOL)).then(estimated(allowed=False, reason=Reason.DAY_LIMIT))


def test_missing_credits_are_told_before_the_plans_day() -> None:
    on("free").when(reserve("r1", 301)).then(
        refused(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=1)
    )


def test_a_frozen_allowance_is_not_used() -> None:
    story = on("free").when(grant(10), freeze(FIRST)).then(granted(10), frozen(grant=FIRST))
    story.when(reserve("r1", 10)).then(reserved("r1", 10, slices=(part("g1", 10),)))
    story.when(reserve("r2", 1)).then(refused(Reason.ACCOUNT_FROZEN))


def test_an_owners_limit_is_at_most_twice_the_plans() -> None:
    story = on("free").when(set_controls(day_limit=61, month_limit=601))
    story.then(refused(Reason.CONTROLS_INVALID, fields=("dayLimit", "monthLimit")))
    story.when(set_controls("k2", day_limit=60, month_limit=600))
    story.when(set_controls("k3", by=ADMIN, day_limit=61))
    assert story.account.controls.day_limit == 61


def test_a_tool_of_a_plan_is_refused_to_others() -> None:
    tool = replace(CATALOGUE.tools[SMALL_TOOL], feature="api_access")
    catalogue = replace(CATALOGUE, tools={**CATALOGUE.tools, SMALL_TOOL: tool})
    story = given(granted(100), catalogue=catalogue).when(reserve("r1", tool=SMALL_TOOL))
    story.then(refused(Reason.PLAN_LACKS_FEATURE, Remedy.CHANGE_PLAN))
    story.when(estimate(SMALL_TOOL)).then(
        estimated(allowed=False, reason=Reason.PLAN_LACKS_FEATURE)
    )
    story.when(set_plan("free"), reserve("r2", tool=SMALL_TOOL)).then(
        allowance(300), planned("free"), refused(Reason.PLAN_LACKS_FEATURE)
    )
    story.when(set_plan("pro", "p2"), reserve("r3", tool=SMALL_TOOL))
    story.then(allowance(11_700 * 61 // 62, MARCH, ":2"), planned("pro"), reserved("r3", 5))
