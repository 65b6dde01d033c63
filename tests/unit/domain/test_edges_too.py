"""More of `test_edges`: what is told and remembered where two rules meet, each by its own case."""

import pytest
from contracts.caps import Cap, CapOf, CapWindow
from contracts.commands import GrantKind
from contracts.events import LimitStatus
from contracts.reasons import Reason, Remedy
from contracts.units import DAY, HOUR, MINUTE
from ledger.domain import reserving, sending, settling
from ledger.domain.account import Account
from ledger.domain.trail import follow
from msgspec.structs import replace

from contracts import events as e
from tests.unit.domain.kit import CATALOGUE, given
from tests.unit.domain.test_transfer import OTHER, followed, receive
from tests.unit.domain.words import (
    SERVICE,
    T0,
    TOOL,
    changed,
    charge,
    crossed,
    estimate,
    estimated,
    expire,
    extend,
    extended,
    grant,
    granted,
    lot_expired,
    refund,
    refunded,
    refused,
    reserve,
    reserved,
    revoke,
    revoked,
    scheduled,
    send,
    sent,
    set_controls,
    set_plan,
)

MIDNIGHT = T0 + 12 * HOUR
APRIL = T0 - 12 * HOUR + 31 * DAY


# ---- estimates and limits


def test_a_run_limit_is_never_the_nearest_one() -> None:
    story = given(granted(100)).when(set_controls(run_limit=20, day_limit=90), estimate())
    told = story.last[-1]
    assert isinstance(told, e.EstimateGiven)
    assert isinstance(told.limit, LimitStatus)
    assert told.limit.name == "day"


def test_an_estimate_inside_a_run_asks_what_its_parent_holds() -> None:
    story = given(granted(100)).when(reserve("p", 10), reserve("q", 90))
    story.when(estimate(parent="p"), estimate(named="e2", parent="q")).then(
        estimated(allowed=False, reason=Reason.PARENT_LIMIT), estimated(allowed=True)
    )
    story.when(estimate(named="e3", parent="never")).then(
        refused(Reason.RESERVATION_UNKNOWN, fields=("parent",))
    )


def test_an_extension_counts_against_its_keys_cap() -> None:
    caps = (Cap(CapOf.KEY, SERVICE.id, 35),)
    given(granted(100)).when(set_controls(caps=caps), reserve("r1", 30)).when(
        extend("r1", 6), extend("r1", 5, "y2")
    ).then(refused(Reason.KEY_LIMIT, shortfall=1), extended("r1", 5))


def test_a_run_is_of_a_tool_or_of_an_amount_and_the_answer_names_both() -> None:
    no = refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("toolId", "amount"))
    given(granted(100)).when(reserve("r1", 5, tool=TOOL), reserve("r2")).then(no, no)


def test_a_parent_whose_time_is_over_takes_no_child_though_nobody_ended_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "SETTLED_BYTES_MAX", 1)  # one end at a time
    story = given(granted(100)).when(reserve("p1", 10), reserve("p2", 10))
    story.when(reserve("c", 1, parent="p2"), at=T0 + HOUR)
    assert "p2" in story.account.reservations
    no = story.last[-1]
    assert isinstance(no, e.CommandRefused)
    assert (no.reason, no.fields) == (Reason.RESERVATION_EXPIRED, ("parent",))


# ---- alerts


def test_a_threshold_and_few_credits_are_both_told() -> None:
    controls = set_controls(day_limit=60, alert_percents=(50,), low_balance=70)
    given(granted(100)).when(controls).when(reserve("r1", 40)).then(
        crossed(50), crossed(0), reserved("r1", 40)
    )


def test_a_caps_alert_counts_what_was_spent_before_in_its_day_and_ever() -> None:
    for window, told in ((CapWindow.DAY, 0), (CapWindow.EVER, 1)):
        caps = (Cap(CapOf.KEY, SERVICE.id, 100, window),)
        story = given(granted(1_000)).when(set_controls(caps=caps, alert_percents=(50,)))
        story.when(reserve("r1", 40), charge("r1", 40))
        story.when(reserve("r2", 20), at=MIDNIGHT + HOUR)
        assert sum(isinstance(event, e.ThresholdCrossed) for event in story.last) == told


def test_of_a_cap_that_is_met_exactly_nothing_is_left() -> None:
    caps = (Cap(CapOf.KEY, SERVICE.id, 40),)
    story = given(granted(100)).when(set_controls(caps=caps, alert_percents=(100,)))
    story.when(reserve("r1", 40))
    told = story.last[0]
    assert isinstance(told, e.ThresholdCrossed)
    assert (told.limit.held, told.limit.left) == (40, 0)


# ---- grants, plans, transfers


def test_an_own_limit_is_at_most_twice_the_plans() -> None:
    most = 2 * CATALOGUE.plans["free"].daily_limit
    given().when(set_plan("free")).when(
        set_controls(day_limit=1),
        set_controls("k2", day_limit=most),
        set_controls("k3", day_limit=most + 1),
    ).then(changed(), changed(), refused(Reason.CONTROLS_INVALID, fields=("dayLimit",)))


def test_a_period_follows_the_one_before_though_the_zone_begins_its_month_later() -> None:
    story = given().when(set_plan("free"), set_controls(time_zone="America/Los_Angeles"))
    story.when(reserve("r1", 1), at=APRIL + HOUR)
    given_now = next(event for event in story.last if isinstance(event, e.CreditsGranted))
    assert given_now.allowance is not None
    assert (given_now.allowance.start, given_now.allowance.since) == (APRIL, APRIL)


def test_who_receives_what_ends_soon_is_told_as_early_as_its_owner_would_have_been() -> None:
    story = given().when(grant(100, expires_at=T0 + 60 * DAY), send(30))
    followed(story)
    other = story.partition.accounts.get(OTHER)
    assert other is not None
    assert other.lots[0].ahead == 30 * DAY


def test_a_transfer_of_nothing_names_its_amount() -> None:
    given().when(receive(0)).then(refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))


@pytest.mark.parametrize(("most", "fits"), [(4, True), (3, False)])
def test_an_extension_has_the_slices_that_a_hold_may_have(
    monkeypatch: pytest.MonkeyPatch, most: int, *, fits: bool
) -> None:
    story = given(*(granted(1, f"g{n}") for n in range(6))).when(reserve("r1", 2))
    monkeypatch.setattr(reserving, "SLICES_MAX", most)
    no = refused(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=2)
    story.when(extend("r1", 2)).then(extended("r1", 2) if fits else no)


def test_a_grant_that_begins_now_is_given_now_and_one_later_is_scheduled_with_its_reason() -> None:
    given().when(
        grant(5, effective_from=T0),
        grant(5, "g2", effective_from=T0 + 1, kind=GrantKind.GOODWILL, reason="outage"),
    ).then(granted(5), scheduled(5, "g2", reason="outage"))


def test_a_new_period_begins_with_nothing_accrued() -> None:
    story = (
        given()
        .when(set_plan("free"))
        .when(set_plan("pro", "p2", paid=(T0, T0 + 30 * DAY)), at=T0 + MINUTE)
    )
    told = story.last[-1]
    assert isinstance(told, e.PlanChanged)
    assert told.allowance is not None
    assert told.allowance.accrued == 0


def test_credits_can_be_sent_in_the_millisecond_that_they_come() -> None:
    given().when(grant(100), send(30)).then(granted(100), sent(30))


def test_what_arrives_pays_as_many_debts_as_one_event_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "DEBTS_PAID_MAX", 1)
    story = given(granted(100))
    both = ("o1", "o2")
    story.when(*(grant(5, named, account=OTHER, source=named) for named in both))
    story.when(reserve("r1", 10, account=OTHER), charge("r1", 10, account=OTHER))
    story.when(*(revoke(named, named=f"v-{named}", account=OTHER) for named in both))
    followed(story.when(send(30)))
    other = story.partition.accounts.get(OTHER)
    assert other is not None
    assert other.debts == {"o2": 5}


# ---- charges, refunds, revokes


def test_a_charge_can_be_refunded_for_as_long_as_the_catalogue_says() -> None:
    pricing = replace(CATALOGUE.pricing, refund_days=7)
    story = given(granted(100), catalogue=replace(CATALOGUE, pricing=pricing))
    story.when(reserve("r1", 5), charge("r1", 5))
    assert story.account.charges["c1"].refundable_until == T0 + 7 * DAY


def test_what_a_child_leaves_goes_to_its_parent_and_pays_no_debt() -> None:
    story = given(granted(100), granted(50, "g2")).when(
        reserve("p", 60), reserve("c", 30, parent="p"), revoke("g1")
    )
    assert story.account.debts == {"g1": 60}
    story.when(charge("c", 10))
    told = story.last[-1]
    assert isinstance(told, e.CreditsCharged)
    assert (told.released, told.repaid) == (20, ())
    assert story.account.debts == {"g1": 60}


def test_a_refund_of_a_charge_that_counts_nowhere_leaves_the_caps_alone() -> None:
    caps = (Cap(CapOf.KEY, SERVICE.id, 50),)
    story = given(granted(100)).when(reserve("r1", 5), charge("r1", 5))
    story.when(set_controls(caps=caps), reserve("r2", 7), charge("r2", 7, "c2"), refund("c1"))
    assert story.account.counted == {f"ever:key:{SERVICE.id}": 7}


def test_a_refund_is_in_the_trail_as_what_it_left_of_the_charge() -> None:
    story = given(granted(100)).when(reserve("r1", 5), charge("r1", 5))
    alike, made = Account("acct-1"), story.account.charges["c1"]
    follow(alike, "c1", made, ())
    story.when(refund("c1", 2))
    follow(alike, "c1", story.account.charges["c1"], ())
    assert story.account.trail == alike.trail


def test_a_lot_that_lives_longer_for_a_refund_takes_its_place_among_the_others() -> None:
    story = given(
        granted(10, expires_at=T0 + HOUR),
        granted(20, "g2", expires_at=T0 + 3 * DAY),
        granted(9, "g3"),
    )
    story.when(reserve("r1", 10), charge("r1", 10))
    story.when(refund("c1"), at=T0 + DAY).then(refunded("c1", 10))
    assert [lot.grant for lot in story.account.lots] == ["g2", "g1", "g3"]


def test_no_more_becomes_debt_than_is_used_of_what_a_lot_gave() -> None:
    """Of 100, 60 were spent and 40 expired; 10 came back: 50 are used, whatever is asked."""
    story = given(granted(100, expires_at=T0 + HOUR)).when(reserve("r1", 60), charge("r1", 60))
    story.when(expire(grant="g1"), at=T0 + HOUR).then(lot_expired("g1", 40))
    story.when(refund("c1", 10), revoke("g1"), at=T0 + DAY).then(
        refunded("c1", 10), revoked("g1", 10, debt=50)
    )


def test_a_lot_that_expired_unused_leaves_no_debt() -> None:
    story = given(granted(100, expires_at=T0 + HOUR)).when(expire(grant="g1"), at=T0 + HOUR)
    story.when(revoke("g1"), at=T0 + DAY).then(revoked("g1", 0, debt=0)).stands(debts={})
