"""Estimate: a price that is honoured while it is valid, and whether the run would be allowed."""

from contracts.commands import Limits
from contracts.events import EstimateGiven
from contracts.reasons import Reason, Remedy
from contracts.units import ANONYMOUS, MINUTE
from msgspec.structs import replace

from tests.unit.domain.kit import CATALOGUE, given
from tests.unit.domain.words import (
    FREE_TOOL,
    SMALL_TOOL,
    T0,
    TOOL,
    estimate,
    estimated,
    granted,
    refused,
    reserve,
    reserved,
    set_controls,
)

VALID_MS = CATALOGUE.pricing.estimate_valid_ms


def test_an_estimate_is_min_typical_max_at_the_tools_limits() -> None:
    given(granted(100)).when(estimate(TOOL)).then(
        estimated(
            min=3,
            typical=12,
            max=16,
            allowed=True,
            reason=None,
            limits=CATALOGUE.tools[TOOL].limits,
            price_version=CATALOGUE.version,
            valid_until=T0 + VALID_MS,
        )
    ).stands(available=100, held=0)


def test_the_line_items_sum_to_the_maximum() -> None:
    story = given(granted(100)).when(estimate(TOOL, limits=Limits(3333, 100, 7777)))
    (event,) = story.last
    assert isinstance(event, EstimateGiven)
    assert sum(item.millicredits for item in event.items) == event.max * 1000


def test_an_estimate_is_at_the_limits_that_were_asked_for() -> None:
    asked = Limits(cpu_ms=2000, memory_mb=256, duration_ms=2000)
    given(granted(9)).when(estimate(TOOL, limits=asked)).then(estimated(limits=asked, max=4))


def test_without_credits_an_estimate_says_what_stands_in_the_way() -> None:
    given().when(estimate(TOOL)).then(
        estimated(max=16, allowed=False, reason=Reason.INSUFFICIENT_CREDITS)
    )


def test_an_estimate_names_the_limit_that_would_bind() -> None:
    story = given(granted(100)).when(set_controls(day_limit=15), estimate(TOOL))
    (_, event) = story.last
    assert isinstance(event, EstimateGiven)
    assert event.limit is not None
    assert not event.allowed
    assert (event.limit.name, event.limit.limit, event.limit.left) == ("day", 15, 15)


def test_a_tool_of_the_browser_is_free_and_allowed_even_beyond_every_limit() -> None:
    story = given(granted(100), reserved("r1", 60)).when(set_controls(day_limit=10))
    story.when(estimate(FREE_TOOL)).then(estimated(min=0, typical=0, max=0, allowed=True))


def test_anonymous_can_be_estimated_for() -> None:
    given().when(estimate(SMALL_TOOL, account=ANONYMOUS)).then(estimated(max=5, allowed=True))


def test_anonymous_is_told_which_tool_needs_an_account() -> None:
    given().when(estimate(TOOL, account=ANONYMOUS)).then(
        estimated(max=16, allowed=False, reason=Reason.ACCOUNT_RESERVED)
    )


def test_an_unknown_tool_is_refused() -> None:
    given(granted(100)).when(estimate("no-such-tool")).then(
        refused(Reason.TOOL_UNKNOWN, Remedy.CHANGE_REQUEST, fields=("toolId",))
    )


def test_a_reservation_holds_the_estimated_price() -> None:
    given(granted(100)).when(estimate(TOOL), reserve("r1", tool=TOOL, estimate="e1")).then(
        estimated(max=16),
        reserved("r1", 16, min=3, typical=12, tool=TOOL, estimate="e1"),
    )


def test_an_estimate_is_honoured_when_prices_rise() -> None:
    story = given(granted(100)).when(estimate(TOOL))
    dear = replace(CATALOGUE.pricing, base_credits=20, min_credits=20)
    story.partition.catalogue = replace(CATALOGUE, version="dear", pricing=dear)
    story.when(
        reserve("r1", tool=TOOL, estimate="e1"), reserve("r2", tool=TOOL), at=T0 + VALID_MS
    ).then(
        reserved("r1", 16, price_version=CATALOGUE.version),
        reserved("r2", 34, price_version="dear"),
    )


def test_an_estimate_is_not_honoured_after_its_time() -> None:
    story = given(granted(100)).when(estimate(TOOL))
    story.when(reserve("r1", tool=TOOL, estimate="e1"), at=T0 + VALID_MS + 1).then(
        refused(Reason.ESTIMATE_UNKNOWN, Remedy.ESTIMATE_AGAIN, fields=("estimateId",))
    )


def test_an_estimate_of_another_tool_or_of_other_limits_is_refused() -> None:
    given(granted(100)).when(
        estimate(TOOL),
        reserve("r1", tool=SMALL_TOOL, estimate="e1"),
        reserve("r2", tool=TOOL, estimate="e1", limits=Limits(1, 1, 1)),
    ).then(
        estimated(),
        refused(Reason.ESTIMATE_MISMATCH, Remedy.ESTIMATE_AGAIN),
        refused(Reason.ESTIMATE_MISMATCH, Remedy.ESTIMATE_AGAIN),
    )


def test_old_estimates_are_forgotten_when_a_new_one_is_given() -> None:
    story = given(granted(100)).when(*(estimate(named=f"e{n}") for n in range(5)))
    story.when(estimate(named="late"), at=T0 + VALID_MS + MINUTE)
    assert list(story.account.estimates) == ["late"]
