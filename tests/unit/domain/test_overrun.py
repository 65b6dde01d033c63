"""Charges by usage: failed runs by their tool's policy, holds of the typical price, overruns."""

import msgspec
import pytest
from contracts.catalogue import Catalogue, FailurePolicy, HoldPolicy
from contracts.commands import Controls
from contracts.reasons import Outcome, Reason

from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.words import (
    SMALL_TOOL,
    T0,
    TOOL,
    changed,
    charge,
    charged,
    extended,
    freeze,
    frozen,
    granted,
    refused,
    release,
    released,
    reserve,
    reserved,
    set_controls,
    usage,
)

ALL = usage(30_000, 512, 30_000)  # the most that the tool may use: 16 credits; 12 are typical


def selling(**changed_: object) -> Catalogue:
    """The catalogue with one tool's policies changed."""
    tool = msgspec.structs.replace(CATALOGUE.tools[TOOL], **changed_)
    return msgspec.structs.replace(CATALOGUE, tools={**CATALOGUE.tools, TOOL: tool})


def typical(owned: int) -> Story:
    story = given(granted(owned), catalogue=selling(hold_policy=HoldPolicy.TYPICAL))
    return story.when(reserve("r1", tool=TOOL))


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CANCELLED])
@pytest.mark.parametrize(
    ("policy", "cost"),
    [(FailurePolicy.FREE, 0), (FailurePolicy.MINIMUM, 3), (FailurePolicy.METERED, 16)],
)
def test_a_failed_or_cancelled_run_costs_what_its_tools_policy_says(
    policy: FailurePolicy, cost: int, outcome: Outcome
) -> None:
    story = given(granted(100), catalogue=selling(failure_policy=policy))
    story.when(reserve("r1", tool=TOOL), charge("r1", usage=ALL, outcome=outcome))
    story.then(reserved("r1", 16), charged("c1", "r1", cost, released=16 - cost, final=True))
    story.stands(held=0, spent=cost)


def test_a_completed_run_is_metered_whatever_the_policy() -> None:
    story = given(granted(100), catalogue=selling(failure_policy=FailurePolicy.FREE))
    story.when(reserve("r1", tool=TOOL), charge("r1", usage=ALL)).stands(held=0, spent=16)


def test_a_failure_after_partial_charges_takes_no_more_and_gives_nothing_back() -> None:
    story = given(granted(100)).when(
        reserve("r1", tool=TOOL),
        charge("r1", 4, final=False),
        charge("r1", named="c2", usage=ALL, outcome=Outcome.FAILED),
    )
    story.then(reserved("r1", 16), charged("c1", "r1", 4), charged("c2", "r1", 0, released=12))


def test_three_partial_charges_and_a_final_one() -> None:
    story = given(granted(100)).when(
        reserve("r1", 60), *(charge("r1", 10, f"c{n}", final=False) for n in range(3))
    )
    story.when(charge("r1", 5, "c9"), charge("r1", 1, "c10")).then(
        charged("c9", "r1", 5, released=25), refused(Reason.RESERVATION_ENDED)
    ).stands(available=65, held=0, spent=35)


def test_a_typical_hold_is_less_than_the_run_may_cost() -> None:
    story = typical(100)
    (held,) = story.last
    assert (held.amount, held.typical, held.ceiling) == (12, 12, 16)  # type: ignore[union-attr]
    story.stands(available=88, held=12)


def test_what_passes_a_typical_hold_is_drawn_when_it_is_charged() -> None:
    typical(100).when(charge("r1", usage=ALL)).then(
        extended("r1", 4), charged("c1", "r1", 16, overrun=0, released=0)
    ).stands(available=84, held=0, spent=16)


def test_what_is_not_there_is_recorded_and_nobody_is_overdrawn() -> None:
    typical(13).when(charge("r1", usage=ALL)).then(
        extended("r1", 1), charged("c1", "r1", 13, overrun=3)
    ).stands(available=0, held=0, spent=13)


def test_no_limit_is_passed_by_what_is_drawn_late() -> None:
    story = typical(100).when(set_controls(day_limit=14), charge("r1", usage=ALL))
    story.then(changed(), extended("r1", 2), charged("c1", "r1", 14, overrun=2))


def test_a_frozen_account_gives_nothing_beyond_its_hold() -> None:
    typical(100).when(freeze(), charge("r1", usage=ALL)).then(
        frozen(), charged("c1", "r1", 12, overrun=4)
    ).stands(available=88, held=0, spent=12)


def test_a_nested_run_draws_what_passes_its_hold_from_its_parent() -> None:
    story = given(granted(100), catalogue=selling(hold_policy=HoldPolicy.TYPICAL))
    story.when(reserve("p", 14), reserve("c", tool=TOOL, parent="p"), charge("c", usage=ALL))
    story.then(
        reserved("p", 14),
        reserved("c", 12),
        extended("c", 2, parent="p"),
        charged("c1", "c", 14, overrun=2),
    ).stands(available=86, held=0, spent=14)


def test_a_hold_of_the_maximum_has_no_overrun() -> None:
    story = given(granted(100)).when(reserve("r1", tool=SMALL_TOOL), charge("r1", usage=ALL))
    story.then(reserved("r1", 5, ceiling=0), charged("c1", "r1", 5, overrun=0))


def test_every_open_reservation_can_be_ended_after_any_of_it() -> None:
    story = typical(100).when(charge("r1", usage=usage(1, 1, 1), final=False), release("r1"))
    story.then(charged("c1", "r1", 3), released("r1", 9)).stands(held=0, spent=3)
    assert story.account.controls == Controls()
    assert story.account.charges["c1"].at + 1 > T0
