"""Reserve: one decision over the whole chain of limits; what is held cannot be held again."""

import pytest
from contracts.commands import Limits
from contracts.events import CreditsReserved, LimitStatus, Slice
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, MINUTE
from msgspec.structs import replace

from contracts import catalogue as catalogues
from tests.unit.domain.kit import CATALOGUE, given, without_state
from tests.unit.domain.words import (
    FREE_TOOL,
    SERVICE,
    T0,
    TOOL,
    changed,
    granted,
    refused,
    reserve,
    reserved,
    set_controls,
)

MOST = CATALOGUE.tools[TOOL].limits


def test_credit_already_held_cannot_be_held_again() -> None:
    given(granted(100), reserved("r1", 60)).when(reserve("r2", 41)).then(
        refused(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=1)
    ).stands(available=40, held=60)


def test_the_last_credit_can_be_held() -> None:
    given(granted(100), reserved("r1", 60)).when(reserve("r2", 40)).then(
        reserved("r2", 40, slices=(Slice("g1", 40),), expires_at=T0 + 5 * MINUTE)
    ).stands(available=0, held=100)


def test_an_account_that_nobody_heard_of_has_nothing() -> None:
    given().when(reserve("r1", 1)).then(refused(Reason.INSUFFICIENT_CREDITS, shortfall=1))


def test_a_hold_spans_lots_in_burn_down_order() -> None:
    given(granted(5, "a", priority=1), granted(5, "b", priority=2)).when(reserve("r1", 7)).then(
        reserved("r1", 7, slices=(Slice("a", 5), Slice("b", 2)))
    )


def test_of_a_thousand_reserves_on_a_balance_for_ten_exactly_ten_succeed() -> None:
    story = given(granted(109)).when(*(reserve(f"r{n}", 10) for n in range(1000)))
    assert sum(isinstance(event, CreditsReserved) for event in story.last) == 10
    story.stands(available=9, held=100)


def test_a_tool_is_held_at_its_maximum() -> None:
    given(granted(100)).when(reserve("r1", tool=TOOL)).then(
        reserved(
            "r1", 16, min=3, typical=12, tool=TOOL, limits=MOST, price_version=CATALOGUE.version
        )
    )


def test_an_unknown_tool_is_refused() -> None:
    given(granted(100)).when(reserve("r1", tool="no-such-tool")).then(
        refused(Reason.TOOL_UNKNOWN, fields=("toolId",), tool="no-such-tool")
    )


def test_a_disabled_tool_is_refused() -> None:
    off = replace(CATALOGUE.tools[TOOL], status=catalogues.Status.DISABLED)
    story = given(granted(9), catalogue=replace(CATALOGUE, tools={**CATALOGUE.tools, TOOL: off}))
    story.when(reserve("r1", tool=TOOL)).then(refused(Reason.TOOL_DISABLED, Remedy.NONE))


def test_a_tool_of_the_browser_is_never_held_for() -> None:
    given(granted(9)).when(reserve("r1", tool=FREE_TOOL)).then(
        refused(Reason.TOOL_CLIENT_ONLY, Remedy.NONE)
    )


@pytest.mark.parametrize("forged", [0, -1, 2**31, 2**63, 2**64, 10**40, -(10**40)])
@pytest.mark.parametrize(
    ("field", "name"),
    [("cpu_ms", "cpuMs"), ("memory_mb", "memoryMb"), ("duration_ms", "durationMs")],
)
def test_forged_limits_are_refused_never_clamped(field: str, name: str, forged: int) -> None:
    limits = replace(MOST, **{field: forged})
    given(granted(100)).when(reserve("r1", tool=TOOL, limits=limits)).then(
        refused(Reason.REQUESTED_LIMITS_INVALID, fields=(name,))
    )


def test_one_more_than_the_tools_limits_is_refused_and_the_limits_themselves_are_not() -> None:
    over = Limits(MOST.cpu_ms + 1, MOST.memory_mb + 1, MOST.duration_ms + 1)
    given(granted(100)).when(
        reserve("r1", tool=TOOL, limits=over),
        reserve("r2", tool=TOOL, limits=MOST),
        reserve("r3", tool=TOOL, limits=Limits(1, 1, 1)),
    ).then(
        refused(Reason.REQUESTED_LIMITS_INVALID, fields=("cpuMs", "memoryMb", "durationMs")),
        reserved("r2", 16),
        reserved("r3", 3),
    )


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1, 2**63, 2**64, 10**40])
def test_an_amount_out_of_range_is_refused(amount: int) -> None:
    given(granted(100)).when(reserve("r1", amount)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    )


def test_either_a_tool_or_an_amount() -> None:
    given(granted(100)).when(reserve("r1"), reserve("r2", 5, tool=TOOL)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE), refused(Reason.AMOUNT_OUT_OF_RANGE)
    )


def test_limits_and_estimates_go_with_a_tool_only() -> None:
    given(granted(100)).when(reserve("r1", 5, limits=MOST), reserve("r2", 5, estimate="e")).then(
        refused(Reason.REQUESTED_LIMITS_INVALID), refused(Reason.REQUESTED_LIMITS_INVALID)
    )


@pytest.mark.parametrize("lifetime_ms", [0, -1, 15 * MINUTE + 1, 2**63, 10**40])
def test_a_lifetime_out_of_range_is_refused(lifetime_ms: int) -> None:
    given(granted(100)).when(reserve("r1", 5, lifetime_ms=lifetime_ms)).then(
        refused(Reason.LIFETIME_OUT_OF_RANGE, fields=("lifetimeMs",))
    )


def test_a_hold_may_live_for_a_quarter_of_an_hour() -> None:
    given(granted(100)).when(reserve("r1", 5, lifetime_ms=15 * MINUTE)).then(
        reserved("r1", 5, expires_at=T0 + 15 * MINUTE)
    )


def test_key_and_member_stand_in_the_event() -> None:
    given(granted(9)).when(reserve("r1", 5, key="k1", member="m1")).then(
        reserved("r1", 5, key="k1", member="m1")
    )


def test_a_run_above_the_run_limit_is_refused() -> None:
    story = given(granted(100)).when(set_controls(run_limit=10))
    story.when(reserve("r1", 11), reserve("r2", 10)).then(
        refused(
            Reason.RUN_LIMIT,
            Remedy.RAISE_LIMIT,
            limit=LimitStatus("run", 10, 0, 0, 10),
            shortfall=1,
        ),
        reserved("r2", 10),
    )


def test_the_first_limit_of_the_chain_is_the_one_that_is_named() -> None:
    story = given(granted(5)).when(set_controls(run_limit=1, day_limit=1, month_limit=1))
    story.when(reserve("r1", 9)).then(refused(Reason.RUN_LIMIT))
    story.when(set_controls("k2", day_limit=1, month_limit=1), reserve("r2", 9)).then(
        changed(), refused(Reason.DAY_LIMIT)
    )


def test_a_refusal_changes_nothing_but_the_remembered_answer() -> None:
    story = given(granted(100), reserved("r1", 60))
    before = without_state(story)
    story.when(reserve("r2", 41)).then(refused(Reason.INSUFFICIENT_CREDITS))
    assert without_state(story) == before
    assert list(story.account.answers)[-1] == "r2"


def test_a_deadline_that_passed_is_refused_and_one_that_is_now_is_not() -> None:
    given(granted(100)).when(reserve("r1", 5, deadline=T0 - 1), reserve("r2", 5, deadline=T0)).then(
        refused(Reason.DEADLINE), reserved("r2", 5)
    )


def test_the_clock_of_the_caller_an_hour_off_has_no_effect() -> None:
    hour = 60 * MINUTE
    given(granted(100)).when(
        reserve("early", 5, issued_at=T0 - hour),
        reserve("late", 5, issued_at=T0 + hour),
        reserve("on-time", 5, issued_at=T0),
    ).then(*(reserved(r, 5, expires_at=T0 + 5 * MINUTE) for r in ("early", "late", "on-time")))


def test_time_never_goes_back() -> None:
    story = given(granted(100)).when(reserve("r1", 5), at=T0 + MINUTE)
    story.when(reserve("r2", 5), at=T0).then(reserved("r2", 5, expires_at=T0 + 6 * MINUTE))
    assert story.last[0].at == T0 + MINUTE


def test_the_event_says_who_asked_for_what_and_what_stands_now() -> None:
    (event,) = given(granted(100)).when(reserve("r1", 5)).last
    assert event.actor == SERVICE
    assert event.command is not None
    assert (event.command.id, event.command.timestamp) == ("r1", T0)
    assert event.balance is not None
    assert (event.balance.available, event.balance.held, event.balance.spent) == (95, 5, 0)
    assert (event.v, event.version, event.account, event.at) == (1, 2, "acct-1", T0)
