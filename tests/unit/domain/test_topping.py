"""What payments reports of a top-up: the next one waits, longer each time, and then rests."""

import pytest
from contracts.commands import CostBasis, GrantKind, RecordTopUp
from contracts.reasons import Reason
from contracts.toppings import TopUpRule, TopUpState
from contracts.units import DAY, FOREVER, HOUR, Ms

from contracts import events as e
from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    ACCOUNT,
    PAYMENTS,
    PERSON,
    T0,
    Said,
    grant,
    granted,
    refused,
    release,
    reserve,
    set_controls,
)

RULE = TopUpRule(below=50, pack="starter", monthly_max_minor=100_000)


def report(state: TopUpState, named: str, *, rests: bool = False) -> RecordTopUp:
    return RecordTopUp(
        id=named, account=ACCOUNT, actor=PAYMENTS, state=state, purchase="p1", rests=rests
    )


def reported(state: TopUpState, declines: int, wait_until: Ms) -> Said:
    return Said(e.TopUpReported, state=state, declines=declines, wait_until=wait_until)


def due(story: Story, named: str, at: Ms) -> bool:
    """Whether a top-up falls due when credits run low at this time."""
    story.when(reserve(named, 60), release(named, f"l-{named}"), at=at)
    return any(isinstance(event, e.TopUpDue) for event in story.last)


def low() -> Story:
    return given(granted(100)).when(set_controls(top_up=RULE))


def test_one_that_failed_is_over_and_the_next_waits() -> None:
    story = low()
    assert due(story, "r1", T0)
    story.when(report(TopUpState.FAILED, "t1")).then(reported(TopUpState.FAILED, 1, T0 + HOUR))
    assert not due(story, "r2", T0 + HOUR - 1)
    assert due(story, "r3", T0 + HOUR)


def test_a_declined_one_is_still_under_way() -> None:
    story = low()
    assert due(story, "r1", T0)
    story.when(report(TopUpState.DECLINED, "t1"), at=T0 + HOUR)
    assert not due(story, "r2", T0 + 3 * HOUR)
    assert due(story, "r3", T0 + HOUR + DAY)


def test_auto_top_up_declined_four_times_is_paused() -> None:
    story, at = low(), T0
    for number in range(3):
        story.when(report(TopUpState.FAILED, f"t{number}"), at=at)
        story.then(reported(TopUpState.FAILED, number + 1, at + (HOUR << number)))
        at += 4 * HOUR
    story.when(report(TopUpState.FAILED, "t3"), at=at)
    story.then(reported(TopUpState.FAILED, 4, FOREVER))
    assert not due(story, "r1", at + 300 * DAY)


@pytest.mark.parametrize("with_", ["card", "rule", "credits"])
def test_a_pause_ends_with_another_card_another_rule_or_credits_that_came(with_: str) -> None:
    story = low().when(report(TopUpState.FAILED, "t1", rests=True))
    story.then(reported(TopUpState.FAILED, 1, FOREVER))
    assert not due(story, "r1", T0 + DAY)
    if with_ == "card":
        story.when(report(TopUpState.READY, "t2"), at=T0 + DAY)
        story.then(reported(TopUpState.READY, 0, 0))
    elif with_ == "rule":
        story.when(set_controls("k2", top_up=TopUpRule(51, "starter", 9_000)), at=T0 + DAY)
    else:
        cost = CostBasis(1_000, "GBP")
        story.when(grant(1, "g2", kind=GrantKind.TOPUP, cost_basis=cost), at=T0 + DAY)
    assert due(story, "r2", T0 + DAY)


def test_only_payments_reports() -> None:
    forged = RecordTopUp(id="t1", account=ACCOUNT, actor=PERSON, state=TopUpState.READY)
    low().when(forged).then(refused(Reason.NOT_PERMITTED))
