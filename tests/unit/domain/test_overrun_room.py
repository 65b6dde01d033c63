"""What a charge draws beyond its hold: as much as each limit and each lot lets, to the credit."""

from typing import Any

import msgspec
import pytest
from contracts.caps import Cap, CapOf
from contracts.catalogue import FailurePolicy, HoldPolicy
from contracts.reasons import Outcome

from contracts import events as e
from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.words import (
    SERVICE,
    TOOL,
    charge,
    charged,
    extended,
    freeze,
    granted,
    part,
    reserve,
    set_controls,
    usage,
)

ALL = usage(30_000, 512, 30_000)  # 16 credits, of which a typical hold has 12


def typical(owned: int = 100, **changed: Any) -> Story:
    tool = msgspec.structs.replace(CATALOGUE.tools[TOOL], hold_policy=HoldPolicy.TYPICAL, **changed)
    catalogue = msgspec.structs.replace(CATALOGUE, tools={**CATALOGUE.tools, TOOL: tool})
    return given(granted(owned), catalogue=catalogue).when(reserve("r1", tool=TOOL))


def drawn(story: Story) -> int:
    """How much a charge of everything draws late; what it takes is that and the hold."""
    story.when(charge("r1", usage=ALL))
    more, taken = story.last[-2:]
    assert isinstance(more, e.ReservationExtended)
    assert isinstance(taken, e.CreditsCharged)
    assert (taken.amount, taken.overrun) == (12 + more.amount, 4 - more.amount)
    assert sum(each.amount for each in more.slices) == more.amount
    assert (story.account.held, story.account.available) == (0, 100 - story.account.spent)
    return more.amount


@pytest.mark.parametrize(
    ("controls", "more"),
    [
        ({"run_limit": 15}, 3),
        ({"run_limit": 12}, None),
        ({"run_limit": 16}, 4),
        ({"month_limit": 13}, 1),
        ({"day_limit": 11}, None),
        ({"day_limit": 15, "month_limit": 14}, 2),
        ({"caps": (Cap(CapOf.KEY, "other", 1),)}, 4),
    ],
)
def test_what_a_limit_leaves_is_drawn(controls: dict[str, Any], more: int | None) -> None:
    story = typical().when(set_controls(**controls))
    if more is not None:
        assert drawn(story) == more
        return
    story.when(charge("r1", usage=ALL)).then(charged("c1", "r1", 12, overrun=4))


def test_a_cap_leaves_what_it_leaves_and_counts_what_is_drawn() -> None:
    caps = (Cap(CapOf.KEY, SERVICE.id, 14),)
    story = given(granted(100), catalogue=typical().partition.catalogue)
    story.when(set_controls(caps=caps), reserve("r1", tool=TOOL))
    assert drawn(story) == 2
    assert story.account.counted == {f"ever:key:{SERVICE.id}": 14}


def test_what_was_spent_before_in_the_window_counts() -> None:
    story = given(granted(100), catalogue=typical().partition.catalogue)
    story.when(set_controls(day_limit=20), reserve("r0", 5), charge("r0", 5, "c0"))
    story.when(reserve("r1", tool=TOOL))
    assert drawn(story) == 3


def test_a_frozen_lot_gives_nothing_and_the_next_one_what_it_has() -> None:
    story = given(granted(12), granted(3, "g2"), granted(2, "g3"))
    story.partition.catalogue = typical().partition.catalogue
    story.when(reserve("r1", tool=TOOL), freeze("g2"), charge("r1", usage=ALL))
    more = story.last[-2]
    assert isinstance(more, e.ReservationExtended)
    assert more.slices == (part("g3", 2),)


def test_a_partial_charge_beyond_the_hold_leaves_nothing_held_and_goes_on() -> None:
    story = typical().when(
        charge("r1", usage=ALL, final=False), charge("r1", named="c2", usage=ALL)
    )
    story.then(
        extended("r1", 4), charged("c1", "r1", 16, overrun=0), charged("c2", "r1", 0, final=True)
    ).stands(held=0, spent=16)


def test_a_failure_that_costs_the_minimum_costs_it_once() -> None:
    story = typical(failure_policy=FailurePolicy.MINIMUM).when(
        charge("r1", 2, final=False), charge("r1", named="c2", usage=ALL, outcome=Outcome.FAILED)
    )
    story.then(charged("c1", "r1", 2), charged("c2", "r1", 1)).stands(held=0, spent=3)
    more = typical(failure_policy=FailurePolicy.MINIMUM).when(
        charge("r1", 5, final=False), charge("r1", named="c2", usage=ALL, outcome=Outcome.FAILED)
    )
    more.then(charged("c1", "r1", 5), charged("c2", "r1", 0)).stands(held=0, spent=5)


def test_a_tool_that_is_sold_no_more_fails_for_nothing() -> None:
    story = typical(failure_policy=FailurePolicy.METERED)
    rest = {name: tool for name, tool in CATALOGUE.tools.items() if name != TOOL}
    story.partition.catalogue = msgspec.structs.replace(CATALOGUE, tools=rest)
    story.when(charge("r1", usage=ALL, outcome=Outcome.FAILED)).then(charged("c1", "r1", 0))


def test_a_run_by_amount_that_failed_is_metered() -> None:
    given(granted(100)).when(
        reserve("r1", 10), charge("r1", usage=usage(1, 1, 1), outcome=Outcome.FAILED)
    ).stands(held=0, spent=3)
