"""The last value of a range, and what is told or remembered beside the sums: each by its own case.

What a change of the rules once did unnoticed stands here, so that it is noticed from now on.
"""

import pytest
from contracts.caps import Cap, CapOf, CapWindow
from contracts.catalogue import HoldPolicy
from contracts.commands import CostBasis, GrantKind, PurchaseState, RecordPurchase, RecordTopUp
from contracts.events import LimitStatus
from contracts.reasons import Reason
from contracts.toppings import TopUpState
from contracts.units import AMOUNT_MAX, DAY, HOUR
from ledger.domain import overrunning, settling
from ledger.domain.account import Account
from ledger.domain.owning import ALERTS_MAX, CONCURRENCY_MAX
from ledger.domain.slices import EVENT_BYTES, SLICE_BYTES
from ledger.domain.trail import follow
from msgspec.structs import replace

from contracts import events as e
from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.test_transfer import OTHER, followed, owned
from tests.unit.domain.words import (
    ACCOUNT,
    PAYMENTS,
    T0,
    TOOL,
    Said,
    changed,
    charge,
    extend,
    grant,
    granted,
    refund,
    refunded,
    refused,
    reserve,
    reserved,
    revoke,
    send,
    set_controls,
    set_plan,
    usage,
)

MIDNIGHT = T0 + 12 * HOUR


# ---- ranges


def test_the_largest_grant_is_in_range_and_one_more_is_not() -> None:
    given().when(grant(AMOUNT_MAX), grant(AMOUNT_MAX + 1, "g2")).then(
        granted(AMOUNT_MAX), refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    )


def test_as_many_runs_at_once_as_can_be_meant_and_no_more() -> None:
    given().when(
        set_controls(concurrency=CONCURRENCY_MAX),
        set_controls("k2", concurrency=CONCURRENCY_MAX + 1),
    ).then(changed(), refused(Reason.CONTROLS_INVALID, fields=("concurrency",)))


def test_alerts_are_as_many_as_fit_from_one_per_cent_on() -> None:
    most = tuple(range(1, ALERTS_MAX + 1))
    given().when(
        set_controls(alert_percents=most),
        set_controls("k2", alert_percents=(*most, 100)),
        set_controls("k3", alert_percents=(0,)),
        set_controls("k4", alert_percents=(1, 100)),
        set_controls("k5", alert_percents=(101,)),
    ).then(
        changed(),
        refused(Reason.CONTROLS_INVALID, fields=("alertPercents",)),
        refused(Reason.CONTROLS_INVALID, fields=("alertPercents",)),
        changed(),
        refused(Reason.CONTROLS_INVALID, fields=("alertPercents",)),
    )


@pytest.mark.parametrize(
    ("minor", "fits"), [(0, True), (AMOUNT_MAX, True), (AMOUNT_MAX + 1, False)]
)
def test_a_purchase_costs_what_a_column_holds(minor: int, *, fits: bool) -> None:
    cost = CostBasis(minor, "GBP")
    fact = RecordPurchase(
        id="r1", account=ACCOUNT, actor=PAYMENTS, purchase="p1", pack="starter", cost=cost,
        state=PurchaseState.COMPLETED,
    )  # fmt: skip
    no = refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("cost",))
    given().when(fact).then(Said(e.PurchaseCompleted, cost=cost) if fits else no)


@pytest.mark.parametrize(("most", "drawn"), [(16, 4), (15, 0)])
def test_a_late_draw_fills_the_slices_that_a_hold_may_have(
    monkeypatch: pytest.MonkeyPatch, most: int, drawn: int
) -> None:
    """Twelve lots are held and four are missing, a credit each."""
    monkeypatch.setattr(overrunning, "SLICES_MAX", most)
    tool = replace(CATALOGUE.tools[TOOL], hold_policy=HoldPolicy.TYPICAL)
    catalogue = replace(CATALOGUE, tools={**CATALOGUE.tools, TOOL: tool})
    story = given(*(granted(1, f"g{n}") for n in range(20)), catalogue=catalogue)
    story.when(reserve("r1", tool=TOOL), charge("r1", usage=usage(30_000, 512, 30_000)))
    story.stands(spent=12 + drawn, available=8 - drawn)


@pytest.mark.parametrize(("in_debt", "settled"), [(False, 2), (True, 1)])
def test_what_pays_debts_takes_room_where_holds_end_together(
    monkeypatch: pytest.MonkeyPatch, settled: int, *, in_debt: bool
) -> None:
    """Room for two that list their slices twice: with a debt each lists them three times."""
    monkeypatch.setattr(settling, "SETTLED_BYTES_MAX", 2 * (EVENT_BYTES + 2 * SLICE_BYTES))
    story = given(granted(100), granted(50, "g2"))
    if in_debt:
        story.when(reserve("r0", 5), charge("r0", 5, "c0"), revoke("g1"))
    story.when(reserve("r1", 10), reserve("r2", 10))
    story.when(reserve("r3", 1), at=T0 + HOUR)
    assert sum(isinstance(event, e.ReservationExpired) for event in story.last) == settled


# ---- what is told


def test_a_refund_names_the_tool_whose_run_it_pays_back() -> None:
    given(granted(100)).when(reserve("r1", tool=TOOL), charge("r1", 4), refund("c1", 4)).then(
        reserved("r1", 16), Said(e.CreditsCharged, amount=4), refunded("c1", 4, tool=TOOL)
    )


def test_a_top_up_that_is_ready_names_its_purchase() -> None:
    ready = RecordTopUp(
        id="t1", account=ACCOUNT, actor=PAYMENTS, state=TopUpState.READY, purchase="p1"
    )
    given(granted(100)).when(ready).then(
        Said(e.TopUpReported, state=TopUpState.READY, declines=0, purchase="p1")
    )


def test_a_childs_extension_says_when_its_members_cap_begins_anew() -> None:
    caps = (Cap(CapOf.MEMBER, "bob", 5, CapWindow.DAY),)
    story = given(granted(100)).when(
        set_controls(caps=caps), reserve("p", 60), reserve("c", 5, parent="p", member="bob")
    )
    story.when(extend("c", 1))
    no = story.last[-1]
    assert isinstance(no, e.CommandRefused)
    assert isinstance(no.limit, LimitStatus)
    assert (no.reason, no.limit.resets_at) == (Reason.MEMBER_LIMIT, MIDNIGHT)


# ---- what is remembered


def test_a_charge_that_counts_nowhere_is_in_the_trail_as_such() -> None:
    story = given(granted(100)).when(reserve("r1", 5), charge("r1", 5))
    alike = Account("acct-1")
    follow(alike, "c1", story.account.charges["c1"], ())
    assert story.account.trail == alike.trail


def test_credits_that_arrive_are_added_to_what_is_there() -> None:
    story = given(granted(100)).when(grant(7, "g9", account=OTHER, source="s-other"))
    followed(story.when(send(30)))
    assert owned(story) == (37, 30)


def test_a_plan_that_goes_down_takes_of_its_own_period_alone() -> None:
    """Credits of the same kind that end at another time are another's."""
    story = given().when(set_plan("pro"))
    story.when(grant(50, "other", kind=GrantKind.PLAN, expires_at=T0 + 90 * DAY))
    story.when(set_plan("free", "p2"), at=T0 + DAY)
    taken = [event.grant for event in story.last if isinstance(event, e.CreditsRevoked)]
    assert taken == [f"allowance:{T0 - 12 * HOUR}"]
    assert story.account.lot("other").available == 50


def test_a_cap_that_is_no_more_is_forgotten_also_when_its_charges_are() -> None:
    caps = (Cap(CapOf.MEMBER, "ada", 50),)
    story: Story = given(granted(100)).when(
        set_controls(caps=caps), reserve("r1", 5, member="ada"), charge("r1", 5)
    )
    story.has_forgotten = True
    story.when(set_controls("k2", caps=caps), at=T0 + 200 * DAY)
    assert (story.account.countable, story.account.counted) == ({}, {"ever:member:ada": 5})
    story.when(set_controls("k3"), at=T0 + 201 * DAY)
    assert story.account.counted == {}
