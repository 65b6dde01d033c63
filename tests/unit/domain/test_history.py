"""Estimates that rest on what runs have cost: inside the rule's range, and honoured as given."""

from contracts.catalogue import HoldPolicy
from contracts.commands import Limits
from contracts.events import CreditsReserved, EstimateGiven
from contracts.history import Basis
from contracts.units import ANONYMOUS
from ledger.domain.expecting import RUNS_MIN
from ledger.partition import Partition
from msgspec.structs import replace

from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.words import (
    FREE_TOOL,
    SMALL_TOOL,
    T0,
    TOOL,
    estimate,
    estimated,
    granted,
    reserve,
    reserved,
)

KNOWN = Basis(version="a1", runs=RUNS_MIN, low=4, typical=7, high=9)
VALID_MS = CATALOGUE.pricing.estimate_valid_ms


def known(basis: Basis = KNOWN, tool: str = TOOL) -> Story:
    """An account with credits, in a ledger that was told what runs cost."""
    return given(granted(100), catalogue=replace(CATALOGUE, history={tool: basis}))


def test_typical_is_what_runs_have_cost_and_the_range_is_the_rules() -> None:
    known().when(estimate(TOOL)).then(estimated(min=3, typical=7, max=16, basis=KNOWN))


def test_of_too_few_runs_the_rule_knows_more() -> None:
    few = replace(KNOWN, runs=RUNS_MIN - 1)
    known(few).when(estimate(TOOL)).then(estimated(typical=12, basis=None))


def test_of_another_tools_runs_nothing_is_learned() -> None:
    known().when(estimate(SMALL_TOOL)).then(estimated(min=3, typical=5, max=5, basis=None))


def test_a_tool_that_costs_nothing_rests_on_nothing() -> None:
    known(tool=FREE_TOOL).when(estimate(FREE_TOOL)).then(estimated(typical=0, max=0, basis=None))


def test_typical_never_leaves_the_range_of_the_limits_asked_for() -> None:
    asked = Limits(cpu_ms=2000, memory_mb=256, duration_ms=2000)
    dear, cheap = replace(KNOWN, typical=40), replace(KNOWN, typical=1)
    known(dear).when(estimate(TOOL, limits=asked)).then(estimated(min=3, typical=4, max=4))
    known(cheap).when(estimate(TOOL, limits=asked)).then(estimated(min=3, typical=3, max=4))


def test_anonymous_is_told_the_same() -> None:
    known().when(estimate(TOOL, account=ANONYMOUS)).then(estimated(typical=7, basis=KNOWN))


def test_a_hold_says_what_its_typical_rests_on() -> None:
    known().when(reserve("r1", tool=TOOL)).then(
        reserved("r1", 16, min=3, typical=7, ceiling=0, basis=KNOWN)
    )


def test_a_tool_that_holds_what_is_typical_holds_what_runs_have_cost() -> None:
    tools = {
        **CATALOGUE.tools,
        TOOL: replace(CATALOGUE.tools[TOOL], hold_policy=HoldPolicy.TYPICAL),
    }
    catalogue = replace(CATALOGUE, tools=tools, history={TOOL: KNOWN})
    given(granted(100), catalogue=catalogue).when(reserve("r1", tool=TOOL)).then(
        reserved("r1", 7, min=3, typical=7, ceiling=16, basis=KNOWN)
    )


def test_an_estimate_is_honoured_with_its_figures_when_they_have_changed_since() -> None:
    story = known().when(estimate(TOOL, "e1"))
    newer = replace(KNOWN, version="b2", runs=90, typical=11)
    story.partition.catalogue = replace(CATALOGUE, history={TOOL: newer})
    story.when(reserve("r1", tool=TOOL, estimate="e1"), at=T0 + VALID_MS).then(
        reserved("r1", 16, typical=7, basis=KNOWN)
    )
    story.when(reserve("r2", tool=TOOL), at=T0 + VALID_MS).then(
        reserved("r2", 16, typical=11, basis=newer)
    )


def test_a_ledger_that_takes_over_without_figures_honours_those_in_the_log() -> None:
    story = known().when(estimate(TOOL, "e1"))
    heir = Partition(0, 1, CATALOGUE)
    heir.replay(story.log)
    assert heir.accounts.state_hash() == story.partition.accounts.state_hash()
    story.partition = heir
    story.when(reserve("r1", tool=TOOL, estimate="e1")).then(
        reserved("r1", 16, typical=7, basis=KNOWN)
    )
    story.when(reserve("r2", tool=TOOL)).then(reserved("r2", 16, typical=12, basis=None))


def test_events_without_figures_are_written_as_before() -> None:
    story = given(granted(100)).when(estimate(TOOL), reserve("r1", tool=TOOL))
    assert [type(event) for event in story.last] == [EstimateGiven, CreditsReserved]
    assert all(b"basis" not in record.value for record in story.log)
