"""The chain of limits: which one binds first, what a refusal says of it, and who asks the same."""

from typing import Any

import pytest
from contracts.caps import Cap, CapOf, CapWindow
from contracts.events import EstimateGiven, LimitStatus
from contracts.reasons import Reason, Remedy
from contracts.units import DAY, HOUR, Ms

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    SERVICE,
    SMALL_TOOL,
    T0,
    TOOL,
    changed,
    charge,
    charged,
    estimate,
    freeze,
    frozen,
    granted,
    refund,
    refunded,
    refused,
    release,
    released,
    reserve,
    reserved,
    set_controls,
)

MIDNIGHT = T0 + 12 * HOUR
APRIL = T0 - 12 * HOUR + 31 * DAY


def cap(of: CapOf, named: str, limit: int, window: CapWindow = CapWindow.EVER) -> Cap:
    return Cap(of, named, limit, window)


KEY = cap(CapOf.KEY, SERVICE.id, 30)
MEMBER = cap(CapOf.MEMBER, "ada", 20, CapWindow.MONTH)
BY_TOOL = cap(CapOf.TOOL, SMALL_TOOL, 12, CapWindow.DAY)


def limited(owned: int = 1_000, **controls: Any) -> Story:
    return given(granted(owned)).when(set_controls(**controls))


def test_of_several_limits_the_first_of_the_chain_is_named() -> None:
    """Each step leaves out the one that bound, and the next one of the chain binds."""
    every: dict[str, Any] = {
        "run_limit": 4,
        "concurrency": 1,
        "caps": (
            cap(CapOf.TOOL, SMALL_TOOL, 4),
            cap(CapOf.MEMBER, "ada", 4),
            cap(CapOf.KEY, SERVICE.id, 4),
        ),
        "day_limit": 4,
        "month_limit": 4,
    }
    story = given(granted(4)).when(reserve("r0", 1), set_controls(**every))
    bound = []
    for number in range(9):
        story.when(reserve(f"r{number}x", tool=SMALL_TOOL, member="ada"))
        (no,) = story.last
        bound.append(no.reason.value)  # type: ignore[union-attr]
        name = bound[-1].removesuffix("_limit")
        if name in ("key", "member", "tool"):
            every["caps"] = tuple(c for c in every["caps"] if c.of.value != name)
        else:
            every.pop(name if name == "concurrency" else f"{name}_limit", None)
        story.when(set_controls(f"k{number}x", **every))
    assert bound == [
        "run_limit",
        "concurrency_limit",
        "key_limit",
        "member_limit",
        "tool_limit",
        "day_limit",
        "month_limit",
        "insufficient_credits",
        "insufficient_credits",
    ]


def test_a_frozen_account_is_told_so_before_anything_else() -> None:
    limited(run_limit=1).when(freeze(), reserve("r1", tool="no-such-tool")).then(
        frozen(), refused(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT)
    )


def test_so_many_runs_at_once_and_no_more() -> None:
    story = limited(concurrency=2).when(reserve("r1", 5), reserve("r2", 5), reserve("r3", 5))
    story.then(
        reserved("r1", 5),
        reserved("r2", 5),
        refused(
            Reason.CONCURRENCY_LIMIT,
            Remedy.WAIT_FOR_RUNS,
            limit=LimitStatus("concurrency", 2, 0, 2, 0),
            shortfall=1,
        ),
    )
    story.when(release("r1"), reserve("r4", 5)).then(released("r1", 5), reserved("r4", 5))


def test_a_keys_budget_counts_what_it_spent_and_holds() -> None:
    story = limited(caps=(KEY,)).when(reserve("r1", 20), charge("r1", 15), reserve("r2", 10))
    story.when(reserve("r3", 6), reserve("r4", 5)).then(
        refused(
            Reason.KEY_LIMIT,
            Remedy.RAISE_LIMIT,
            limit=LimitStatus("key_ever", 30, 15, 10, 5),
            shortfall=1,
        ),
        reserved("r4", 5),
    )


def test_another_keys_runs_do_not_count() -> None:
    limited(caps=(KEY,)).when(reserve("r1", 30, key="k2"), reserve("r2", 31, key="k2")).then(
        reserved("r1", 30), reserved("r2", 31)
    )


def test_a_key_revoked_mid_run_is_still_charged_for_it() -> None:
    story = limited(caps=(KEY,)).when(reserve("r1", 20), set_controls("k2"), charge("r1", 15))
    story.then(reserved("r1", 20), changed(), charged("c1", "r1", 15)).stands(spent=15, held=0)


def test_a_members_allocation_is_of_the_month() -> None:
    story = limited(caps=(MEMBER,)).when(reserve("r1", 20, member="ada"), charge("r1", 20))
    story.when(reserve("r2", 1, member="ada"), reserve("r3", 1, member="bob")).then(
        refused(
            Reason.MEMBER_LIMIT,
            Remedy.WAIT_FOR_RESET,
            limit=LimitStatus("member_month", 20, 20, 0, 0, APRIL),
        ),
        reserved("r3", 1),
    )
    story.when(release("r3"))
    story.when(reserve("r4", 20, member="ada"), at=APRIL).then(reserved("r4", 20))


def test_a_team_member_removed_mid_run_leaves_the_run_to_end() -> None:
    story = limited(caps=(MEMBER,)).when(reserve("r1", 20, member="ada"))
    story.when(set_controls("k2", caps=(cap(CapOf.MEMBER, "ada", 0, CapWindow.MONTH),)))
    story.when(charge("r1", 12), reserve("r2", 1, member="ada")).then(
        charged("c1", "r1", 12), refused(Reason.MEMBER_LIMIT, Remedy.RAISE_LIMIT)
    )


def test_a_tools_limit_counts_that_tools_runs_of_the_day() -> None:
    story = limited(caps=(BY_TOOL,))
    story.when(*(reserve(f"r{n}", tool=SMALL_TOOL) for n in range(4)), reserve("r9", tool=TOOL))
    story.then(
        *(reserved(f"r{n}", 5) for n in range(2)),
        *(
            refused(
                Reason.TOOL_LIMIT,
                Remedy.WAIT_FOR_RESET,
                limit=LimitStatus("tool_day", 12, 0, 10, 2, MIDNIGHT),
                shortfall=3,
            )
            for _ in range(2)
        ),
        reserved("r9", 16),
    )


def test_a_new_day_gives_a_daily_cap_back_whole() -> None:
    story = limited(caps=(BY_TOOL,))
    for n in range(2):
        story.when(reserve(f"r{n}", tool=SMALL_TOOL), charge(f"r{n}", 5, f"c{n}"))
    story.when(reserve("r2", tool=SMALL_TOOL)).then(refused(Reason.TOOL_LIMIT))
    story.when(reserve("r3", tool=SMALL_TOOL), at=MIDNIGHT)
    story.when(charge("r3", 5, "c3"), reserve("r4", tool=SMALL_TOOL), at=MIDNIGHT)
    story.then(charged("c3", "r3", 5), reserved("r4", 5))


def test_a_refund_gives_back_to_the_cap_what_it_counts() -> None:
    story = limited(caps=(KEY,)).when(reserve("r1", 30), charge("r1", 30), refund("c1", 4))
    story.then(reserved("r1", 30), charged("c1", "r1", 30), refunded("c1", 4))
    story.when(reserve("r2", 5), reserve("r3", 4)).then(
        refused(Reason.KEY_LIMIT), reserved("r3", 4)
    )


def test_a_refund_of_yesterdays_charge_gives_nothing_to_today() -> None:
    day = cap(CapOf.KEY, SERVICE.id, 10, CapWindow.DAY)
    story = limited(caps=(day,)).when(reserve("r1", 10), charge("r1", 10))
    story.when(reserve("r2", 6), charge("r2", 6, "c2"), refund("c1", 10), at=MIDNIGHT)
    story.when(reserve("r3", 5), reserve("r4", 4), at=MIDNIGHT).then(
        refused(Reason.KEY_LIMIT), reserved("r4", 4)
    )


def test_of_a_thousand_reserves_none_passes_a_cap_by_one_unit() -> None:
    story = limited(10_000, caps=(cap(CapOf.KEY, SERVICE.id, 95),))
    story.when(*(reserve(f"r{n}", 10) for n in range(1000))).stands(held=90)


def test_a_cap_lowered_below_what_is_used_stops_and_takes_nothing_away() -> None:
    story = limited(caps=(KEY,)).when(reserve("r1", 25))
    story.when(set_controls("k2", caps=(cap(CapOf.KEY, SERVICE.id, 10),)), reserve("r2", 1))
    story.then(changed(), refused(Reason.KEY_LIMIT)).stands(available=975, held=25)


@pytest.mark.parametrize(
    "caps",
    [
        (cap(CapOf.KEY, "k", -1),),
        (cap(CapOf.KEY, "k", 1), cap(CapOf.KEY, "k", 2)),
        tuple(cap(CapOf.KEY, f"k{n}", 1) for n in range(51)),
    ],
)
def test_caps_that_do_not_fit_are_refused(caps: tuple[Cap, ...]) -> None:
    given().when(set_controls(caps=caps)).then(refused(Reason.CONTROLS_INVALID, fields=("caps",)))


@pytest.mark.parametrize("runs", [0, -1, 1_001])
def test_a_concurrency_out_of_range_is_refused(runs: int) -> None:
    given().when(set_controls(concurrency=runs)).then(
        refused(Reason.CONTROLS_INVALID, fields=("concurrency",))
    )


def test_an_estimate_says_which_limit_is_in_the_way_or_nearest() -> None:
    story = limited(day_limit=40, month_limit=30, caps=(BY_TOOL,), alert_percents=())
    story.when(estimate(SMALL_TOOL), estimate(TOOL, "e2"), reserve("r1", 25), estimate(TOOL, "e3"))
    near, other, _, no = story.last
    assert isinstance(near, EstimateGiven)
    assert isinstance(other, EstimateGiven)
    assert isinstance(no, EstimateGiven)
    assert (near.allowed, near.limit) == (True, LimitStatus("tool_day", 12, 0, 0, 12, MIDNIGHT))
    assert (other.allowed, other.limit) == (True, LimitStatus("month", 30, 0, 0, 30, APRIL))
    assert (no.allowed, no.reason) == (False, Reason.DAY_LIMIT)


def test_a_query_shows_the_chain_as_a_reserve_would_meet_it() -> None:
    story = limited(run_limit=50, concurrency=3, day_limit=40, caps=(BY_TOOL, KEY))
    story.when(reserve("r1", 7), estimate(SMALL_TOOL, chain=True))
    answer = story.last[-1]
    assert isinstance(answer, EstimateGiven)
    assert answer.chain == (
        LimitStatus("run", 50, 0, 0, 50),
        LimitStatus("concurrency", 3, 0, 1, 2),
        LimitStatus("key_ever", 30, 0, 7, 23),
        LimitStatus("tool_day", 12, 0, 0, 12, MIDNIGHT),
        LimitStatus("day", 40, 0, 7, 33, MIDNIGHT),
    )


# ---- the day of the account's owner

KOLKATA, ANGELES, BERLIN = "Asia/Kolkata", "America/Los_Angeles", "Europe/Berlin"


@pytest.mark.parametrize(
    ("zone", "boundary"),
    [
        (KOLKATA, 1_772_389_800_000),  # 2026-03-01 18:30 UTC: midnight at +05:30
        (ANGELES, 1_772_438_400_000),  # 2026-03-02 08:00 UTC: midnight at -08:00
        (ANGELES, 1_772_956_800_000 + 86_400_000 - HOUR),  # the end of 2026-03-08: 23 hours long
        (BERLIN, 1_774_735_200_000 + 86_400_000),  # the end of 2026-03-29: 23 hours long
        (BERLIN, 1_792_879_200_000 + 25 * HOUR),  # the end of 2026-10-25: 25 hours long
    ],
)
def test_day_boundary_in_every_zone_and_on_both_days_of_dst(zone: str, boundary: Ms) -> None:
    capped = (cap(CapOf.KEY, SERVICE.id, 10, CapWindow.DAY),)
    story = limited(time_zone=zone, day_limit=10, caps=capped)
    story.when(reserve("r1", 10), charge("r1", 10), at=boundary - 1)
    story.when(reserve("r2", 1), at=boundary - 1).then(
        refused(
            Reason.KEY_LIMIT,
            Remedy.WAIT_FOR_RESET,
            limit=LimitStatus("key_day", 10, 10, 0, 0, boundary),
        )
    )
    story.when(reserve("r3", 10), at=boundary).then(reserved("r3", 10))
