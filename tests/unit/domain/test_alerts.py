"""Alerts tell and never stop: each threshold once a window, one top-up at a time."""

from typing import Any

import msgspec
from contracts.caps import Cap, CapOf, CapWindow
from contracts.commands import CostBasis, GrantKind
from contracts.toppings import TopUpRule
from contracts.units import DAY, MINUTE

from contracts import events as e
from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    T0,
    TOOL,
    changed,
    charge,
    crossed,
    extend,
    extended,
    freeze,
    frozen,
    grant,
    granted,
    refund,
    release,
    released,
    reserve,
    reserved,
    set_controls,
    top_up_due,
)

RULE = TopUpRule(below=50, pack="starter", monthly_max_minor=2_500)  # a starter pack costs 1,000


def alerts(story: Story) -> list[tuple[str, int]]:
    """The thresholds of the last step, by limit."""
    return [(x.limit.name, x.percent) for x in story.last if isinstance(x, e.ThresholdCrossed)]


def limited(**controls: Any) -> Story:
    return given(granted(10_000)).when(set_controls(**controls))


def test_a_threshold_is_told_by_the_command_that_crosses_it() -> None:
    story = limited(day_limit=100)
    story.when(reserve("r1", 49)).then(reserved("r1", 49))
    assert alerts(story) == []
    story.when(reserve("r2", 1)).then(crossed(50), reserved("r2", 1))
    told = story.last[0]
    assert isinstance(told, e.ThresholdCrossed)
    assert (told.limit.name, told.limit.limit, told.limit.used) == ("day", 100, 0)
    assert (told.limit.held, told.limit.left) == (50, 50)
    assert told.limit.resets_at is not None


def test_it_is_told_once_though_usage_falls_and_rises_again() -> None:
    story = limited(day_limit=100).when(reserve("r1", 60))
    assert alerts(story) == [("day", 50)]
    story.when(release("r1"), reserve("r2", 70))
    assert alerts(story) == []
    story.when(charge("r2", 70), refund("c1", 70), reserve("r3", 76))
    assert alerts(story) == [("day", 75)]


def test_several_at_once_are_told_each() -> None:
    story = limited(day_limit=100).when(reserve("r1", 95))
    assert alerts(story) == [("day", 50), ("day", 75), ("day", 90)]
    story.when(reserve("r2", 5))
    assert alerts(story) == [("day", 100)]


def test_the_next_day_tells_anew() -> None:
    story = limited(day_limit=100).when(reserve("r1", 60), charge("r1", 60))
    story.when(reserve("r2", 60), at=T0 + DAY)
    assert alerts(story) == [("day", 50)]


def test_day_and_month_are_told_apart() -> None:
    story = limited(day_limit=100, month_limit=200).when(reserve("r1", 100))
    assert alerts(story) == [("day", 50), ("day", 75), ("day", 90), ("day", 100), ("month", 50)]


def test_who_wants_no_thresholds_is_told_none() -> None:
    assert alerts(limited(day_limit=100, alert_percents=()).when(reserve("r1", 100))) == []
    assert alerts(limited(run_limit=100).when(reserve("r1", 100))) == []


# ---- caps

ADAS = Cap(CapOf.MEMBER, "ada", 100)
OF_A_DAY = Cap(CapOf.TOOL, TOOL, 50, CapWindow.DAY)


def capped(*caps: Cap) -> Story:
    return limited(caps=caps)


def whose(story: Story) -> list[tuple[str, str | None, int]]:
    """The same with whose cap it is."""
    found = [x for x in story.last if isinstance(x, e.ThresholdCrossed)]
    return [(x.limit.name, x.cap, x.percent) for x in found]


def test_a_cap_is_told_of_like_a_limit_and_says_whose_it_is() -> None:
    story = capped(ADAS, OF_A_DAY).when(reserve("r1", 49, member="ada"))
    assert whose(story) == []
    story.when(reserve("r2", 26, member="ada"))
    assert whose(story) == [("member_ever", "member:ada", 50), ("member_ever", "member:ada", 75)]
    told = story.last[0]
    assert isinstance(told, e.ThresholdCrossed)
    assert (told.limit.limit, told.limit.used, told.limit.held, told.limit.left) == (100, 0, 75, 25)
    assert told.limit.resets_at is None


def test_a_member_is_not_told_of_what_another_took() -> None:
    story = capped(ADAS, Cap(CapOf.MEMBER, "bob", 100)).when(reserve("r1", 60, member="bob"))
    assert whose(story) == [("member_ever", "member:bob", 50)]
    assert whose(story.when(reserve("r2", 60))) == []


def test_a_cap_of_a_day_is_told_of_anew_the_next_day() -> None:
    story = capped(OF_A_DAY).when(reserve("r1", tool=TOOL), reserve("r2", tool=TOOL))
    first = whose(story)
    assert first
    assert {name for name, _, _ in first} == {"tool_day"}
    story.when(release("r1", "x1"), release("r2", "x2"), reserve("r3", tool=TOOL))
    story.when(reserve("r4", tool=TOOL))
    assert whose(story) == []
    story.when(release("r3", "x3"), release("r4", "x4"), reserve("r5", tool=TOOL), at=T0 + DAY)
    story.when(reserve("r6", tool=TOOL), at=T0 + DAY)
    assert whose(story) == first


def test_a_cap_that_was_set_anew_is_told_of_anew() -> None:
    story = capped(ADAS).when(reserve("r1", 60, member="ada"), charge("r1", 60))
    story.when(set_controls("k2", caps=(msgspec.structs.replace(ADAS, limit=120),)))
    story.when(reserve("r2", 1, member="ada"))
    assert whose(story) == [("member_ever", "member:ada", 50)], "61 of 120"


# ---- low credits


def low(story: Story) -> list[tuple[str, int, int, int]]:
    found = [x for x in story.last if isinstance(x, e.ThresholdCrossed)]
    return [(x.limit.name, x.limit.limit, x.limit.left, x.percent) for x in found]


def test_few_credits_are_told_by_the_command_that_leaves_fewer() -> None:
    story = given(granted(100)).when(set_controls(low_balance=20), reserve("r1", 80))
    assert low(story) == [], "20 are left, and they are not fewer than 20"
    assert low(story.when(reserve("r2", 1))) == [("low_balance", 20, 19, 0)]


def test_few_credits_are_told_once_until_more_come_in() -> None:
    story = given(granted(100)).when(set_controls(low_balance=20), reserve("r1", 90))
    story.when(release("r1"), reserve("r2", 90))
    assert low(story) == [], "what comes back is not more"
    story.when(grant(5, "g2"), reserve("r3", 1))
    assert low(story) == [("low_balance", 20, 14, 0)], "more came, and it is little still"
    assert low(story.when(reserve("r4", 1))) == []


def test_few_in_per_cent_are_few_of_the_grants_that_are_not_used_up() -> None:
    story = given(granted(100, "g1"), granted(1_000, "g2")).when(set_controls(low_percent=25))
    assert low(story.when(reserve("r1", 825))) == [], "275 of 1,100 are a quarter"
    assert low(story.when(reserve("r2", 26))) == [("low_percent", 250, 249, 25)]


def test_a_share_is_not_rounded_to_nothing() -> None:
    story = given(granted(3)).when(set_controls(low_percent=50), reserve("r1", 1))
    assert low(story) == [], "2 of 3"
    assert low(story.when(reserve("r2", 1))) == [("low_percent", 2, 1, 50)]


def test_both_are_told_apart_and_another_rule_is_told_anew() -> None:
    story = given(granted(100)).when(set_controls(low_balance=20, low_percent=50))
    story.when(reserve("r1", 90))
    assert low(story) == [("low_balance", 20, 10, 0), ("low_percent", 50, 10, 50)]
    story.when(set_controls("k2", low_balance=15, low_percent=50), reserve("r2", 1))
    assert low(story) == [("low_balance", 15, 9, 0)]


def test_more_for_a_run_under_way_tells_too() -> None:
    story = given(granted(100)).when(set_controls(low_balance=20), reserve("r1", 50))
    assert low(story.when(extend("r1", 40))) == [("low_balance", 20, 10, 0)]


# ---- top-ups


def topped(available: int = 100) -> Story:
    return given(granted(available)).when(set_controls(top_up=RULE))


def arrives(named: str) -> Any:
    return grant(500, named, kind=GrantKind.TOPUP, cost_basis=CostBasis(1_000, "GBP"))


def test_a_top_up_is_due_once_available_falls_below_the_rule() -> None:
    story = topped().when(reserve("r1", 50)).then(reserved("r1", 50))
    assert not due(story)
    story.when(reserve("r2", 1)).then(top_up_due(below=50), reserved("r2", 1))


def due(story: Story) -> list[e.TopUpDue]:
    return [x for x in story.last if isinstance(x, e.TopUpDue)]


def test_one_top_up_is_under_way_at_a_time() -> None:
    story = topped().when(reserve("r1", 60), reserve("r2", 1), reserve("r3", 1))
    assert len(due(story)) == 1
    story.when(arrives("t1"), reserve("r4", 500)).then(
        granted(500, "t1"), top_up_due(), reserved("r4", 500)
    )


def test_one_that_brought_nothing_for_a_day_is_not_waited_for() -> None:
    story = topped().when(reserve("r1", 60))
    story.when(release("r1"), reserve("r2", 60), at=T0 + MINUTE)
    assert not due(story)
    story.when(reserve("r3", 60), at=T0 + DAY)
    assert len(due(story)) == 1


def test_never_above_the_ceiling_of_the_month() -> None:
    story = topped().when(reserve("r1", 60), arrives("t1"), reserve("r2", 500), arrives("t2"))
    assert len(due(story)) == 2
    story.when(reserve("r3", 500))
    assert not due(story), "a third pack would pass 2,500"
    story.when(reserve("r4", 1_060), at=T0 + 31 * DAY)
    assert len(due(story)) == 1, "another month, another ceiling"


def test_a_frozen_lot_counts_as_there_and_a_frozen_account_buys_nothing() -> None:
    story = topped().when(reserve("r1", 40), freeze(), extend("r1", 0, lifetime_ms=60_000))
    story.then(reserved("r1", 40), frozen(), extended("r1", 0))
    assert not due(story)


def test_a_rule_for_a_pack_that_there_is_not_is_refused() -> None:
    no = given(granted(10)).when(set_controls(top_up=TopUpRule(5, "no-such-pack", 1_000)))
    (answer,) = no.last
    assert isinstance(answer, e.CommandRefused)
    assert answer.fields == ("topUp",)


def test_a_release_tells_nothing() -> None:
    story = topped().when(reserve("r1", 60), release("r1"))
    story.then(top_up_due(), reserved("r1", 60), released("r1", 60))


def test_controls_alone_tell_nothing_until_something_is_held() -> None:
    given(granted(10)).when(set_controls(top_up=RULE)).then(changed())
