"""What is remembered of small things, and the first and last value of a range."""

import pytest
from contracts.catalogue import HoldPolicy
from contracts.commands import Limits
from contracts.header import Window
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, DAY, HOUR, MINUTE
from ledger.domain.account import Account, Charged
from ledger.domain.trail import follow
from ledger.domain.windows import counting
from msgspec.structs import replace

from contracts import events as e
from tests.unit.domain.kit import CATALOGUE, given
from tests.unit.domain.words import (
    SMALL_TOOL,
    T0,
    TOOL,
    charge,
    charged,
    crossed,
    estimate,
    expire,
    grant,
    granted,
    lot_expired,
    part,
    refund,
    refused,
    release,
    reserve,
    reserved,
    revoke,
    set_controls,
    set_plan,
)

MIDNIGHT = T0 + 12 * HOUR


# ---- the trail


def trail(*charges: tuple[str, int, tuple[str, ...]]) -> int:
    account = Account("acct-1")
    for named, amount, counts in charges:
        follow(account, named, Charged("r1", None, amount, amount, (), T0, T0 + DAY), counts)
    return account.trail


def test_a_trail_is_of_every_charge_its_name_what_it_counts_and_their_order() -> None:
    one, two = ("c1", 5, ()), ("c2", 6, ())
    trails = [
        trail(one), trail(two), trail(one, two), trail(two, one), trail(one, one),
        trail(("c1", 6, ())), trail(("c1", 5, ("key:k",))), trail(),
    ]  # fmt: skip
    assert len(set(trails)) == len(trails)
    assert trail(one, two) == trail(one, two)


def test_a_charge_and_each_refund_of_it_move_the_trail() -> None:
    story = given(granted(100)).when(reserve("r1", 50), charge("r1", 20))
    seen = [story.account.trail]
    for number in range(2):
        story.when(refund("c1", 5, f"f{number}"))
        seen.append(story.account.trail)
    assert len({0, *seen}) == 4
    other = given(granted(100)).when(reserve("r1", 50), charge("r1", 20, "c9"))
    assert other.account.trail != seen[0]


# ---- charges and lots


def test_a_charge_remembers_its_tool_and_until_when_it_can_be_refunded() -> None:
    story = given(granted(100)).when(reserve("r1", tool=TOOL), charge("r1", 4))
    made = story.account.charges["c1"]
    assert (made.reservation, made.tool, made.amount, made.left) == ("r1", TOOL, 4, 4)
    assert (made.at, made.refundable_until) == (T0, T0 + 180 * DAY)


def test_what_is_revoked_and_what_expires_of_a_lot_are_gone_together() -> None:
    story = given(granted(100, expires_at=T0 + DAY)).when(revoke("g1", 30))
    story.when(expire(grant="g1"), at=T0 + DAY).then(lot_expired("g1", 70))
    assert (story.account.lot("g1").gone, story.account.lot("g1").available) == (100, 0)


def test_what_comes_back_to_a_revoked_lot_is_gone_too() -> None:
    story = given(granted(100), reserved("r1", 60)).when(revoke("g1"), release("r1"))
    lot = story.account.lot("g1")
    assert (lot.gone, lot.owed, lot.revoked) == (100, 0, 100)


def test_the_largest_charge_is_in_range_and_one_more_is_not() -> None:
    given(granted(100), reserved("r1", 30)).when(
        charge("r1", AMOUNT_MAX), charge("r1", AMOUNT_MAX + 1, "c2"), charge("r1", -1, "c3")
    ).then(
        refused(Reason.EXCEEDS_RESERVATION),
        refused(Reason.AMOUNT_OUT_OF_RANGE),
        refused(Reason.AMOUNT_OUT_OF_RANGE),
    )


def test_the_plans_credits_of_a_day_add_up() -> None:
    story = given().when(set_plan("free"))
    for named in ("r1", "r2"):
        story.when(reserve(named, 10), charge(named, 10, f"c-{named}"))
    story.stands(plan_spent=20)
    story.when(reserve("r3", 11)).then(refused(Reason.DAY_LIMIT, shortfall=1))
    story.when(refund("c-r1", 10), refund("c-r2", 10, "f2")).stands(plan_spent=0)


# ---- windows


def test_a_window_is_told_by_the_first_charge_in_it_alone() -> None:
    story = given(granted(100))
    story.when(reserve("r1", 2), charge("r1", 1, final=False), at=MIDNIGHT)
    first = story.last[-1]
    story.when(charge("r1", 1, "c2"), at=MIDNIGHT)
    second = story.last[-1]
    assert isinstance(first, e.CreditsCharged)
    assert isinstance(second, e.CreditsCharged)
    assert first.windows is not None
    assert (first.windows.day, second.windows) == (Window(MIDNIGHT, MIDNIGHT + DAY), None)


def test_counting_goes_on_from_the_first_instant_of_a_window_to_its_last() -> None:
    day, month = Window(MIDNIGHT, MIDNIGHT + DAY), Window(MIDNIGHT - DAY, MIDNIGHT + 30 * DAY)
    for now in (day.start, day.end - 1):
        assert counting(day, month, now, "UTC").day == day
    assert counting(day, month, day.end, "UTC").day == Window(day.end, day.end + DAY)


def test_a_limit_of_the_month_is_told_without_one_of_the_day() -> None:
    story = given(granted(100)).when(set_controls(month_limit=20, alert_percents=(50,)))
    story.when(reserve("r1", 9)).then(reserved("r1", 9))
    story.when(reserve("r2", 1)).then(crossed(50), reserved("r2", 1))


# ---- estimates


def test_a_reserve_by_an_estimate_has_its_limits_and_its_tools_hold() -> None:
    tool = replace(CATALOGUE.tools[TOOL], hold_policy=HoldPolicy.TYPICAL)
    catalogue = replace(CATALOGUE, tools={**CATALOGUE.tools, TOOL: tool})
    story = given(granted(100), catalogue=catalogue)
    story.when(estimate(TOOL), reserve("r1", tool=TOOL, estimate="e1"))
    held = story.last[-1]
    assert isinstance(held, e.CreditsReserved)
    assert (held.amount, held.ceiling, held.limits, held.estimate) == (12, 16, tool.limits, "e1")


def test_an_estimate_for_something_else_names_what_differs() -> None:
    story = given(granted(100)).when(estimate(TOOL))
    story.when(
        reserve("r1", tool=SMALL_TOOL, estimate="e1"),
        reserve("r2", tool=TOOL, estimate="e1", limits=Limits(100, 64, 100)),
        reserve("r3", tool=TOOL, estimate="never"),
    ).then(
        *(
            refused(
                Reason.ESTIMATE_MISMATCH,
                Remedy.ESTIMATE_AGAIN,
                fields=("toolId", "requestedLimits"),
            )
            for _ in range(2)
        ),
        refused(Reason.ESTIMATE_UNKNOWN, Remedy.ESTIMATE_AGAIN, fields=("estimateId",)),
    )


@pytest.mark.parametrize("lifetime", [1, 15 * MINUTE])
def test_the_shortest_and_the_longest_hold_are_in_range(lifetime: int) -> None:
    given(granted(5)).when(reserve("r1", 5, lifetime_ms=lifetime)).then(
        reserved("r1", 5, expires_at=T0 + lifetime, slices=(part("g1", 5),))
    )


def test_a_debt_of_two_grants_is_paid_until_the_credits_end() -> None:
    story = given(granted(5), reserved("r1", 5), charged("c1", "r1", 5), granted(5, "g2"))
    story.when(reserve("r2", 5), charge("r2", 5, "c2"), revoke("g1"), revoke("g2", named="v2"))
    story.when(grant(5, "g3")).then(granted(5, "g3", repaid=(part("g1", 5),)))
    story.when(grant(7, "g4")).then(granted(7, "g4", repaid=(part("g2", 5),)))
    story.stands(available=2, debts={})
