"""Which events tell something, to whom, and under which name."""

import pytest
from contracts.commands import CostBasis
from contracts.events import (
    AnyEvent,
    CommandRefused,
    CreditsGranted,
    CreditsReceived,
    CreditsReserved,
    CreditsSent,
    ExpiryNoticeGiven,
    LimitStatus,
    ThresholdCrossed,
    TopUpReported,
    TransferSettled,
)
from contracts.grants import GrantKind
from contracts.notifications import Notification, NotificationKind
from contracts.reasons import Reason, Remedy
from contracts.toppings import TopUpState
from contracts.units import FOREVER
from notifier.notices import Gift, UnknownGift, notices

DAY = LimitStatus("day", 100, 70, 20, 10, 1_772_409_600_000)
AT = 1_772_366_400_000


def told(event: AnyEvent, gifts: dict[str, Gift] | None = None) -> tuple[Notification, ...]:
    event.account, event.seq, event.at = event.account or "ada", event.seq or 5, AT
    return notices(event, 1, {} if gifts is None else gifts)


def granted(kind: GrantKind) -> CreditsGranted:
    return CreditsGranted(
        grant="g1",
        kind=kind,
        source="s1",
        amount=500,
        priority=50,
        effective_from=0,
        expires_at=FOREVER,
        cost_basis=CostBasis(1000, "GBP"),
    )


def refused(reason: Reason, limit: LimitStatus | None = DAY) -> CommandRefused:
    return CommandRefused(kind="Reserve", reason=reason, remedy=Remedy.WAIT_FOR_RESET, limit=limit)


def test_credits_that_end_soon() -> None:
    (found,) = told(ExpiryNoticeGiven(grant="g1", amount=40, expires_at=AT + 1, days=7))
    assert (found.id, found.account, found.at) == ("ntf-1-5-expiry_notice", "ada", AT)
    assert (found.amount, found.about, found.days, found.expires_at) == (40, "g1", 7, AT + 1)


def test_a_threshold_says_of_which_limit_and_whose_cap() -> None:
    (found,) = told(ThresholdCrossed(limit=DAY, percent=90, cap="k1"))
    assert found.kind is NotificationKind.THRESHOLD_CROSSED
    assert (found.limit, found.percent, found.cap) == (DAY, 90, "k1")


@pytest.mark.parametrize(("name", "percent"), [("low_balance", 0), ("low_percent", 10)])
def test_low_credits_are_another_kind(name: str, percent: int) -> None:
    status = LimitStatus(name, 50, 0, 0, 12)
    (found,) = told(ThresholdCrossed(limit=status, percent=percent))
    assert found.kind is NotificationKind.LOW_BALANCE
    assert (found.limit, found.percent) == (status, percent or None)


def test_a_limit_that_stops_runs_is_one_thing_however_many_it_stops() -> None:
    (first,), (second,) = told(refused(Reason.DAY_LIMIT)), told(refused(Reason.DAY_LIMIT))
    assert first.id == second.id
    assert first.kind is NotificationKind.LIMIT_REACHED


@pytest.mark.parametrize(
    "reason", [Reason.RUN_LIMIT, Reason.INSUFFICIENT_CREDITS, Reason.CONCURRENCY_LIMIT]
)
def test_a_run_that_is_too_large_or_too_many_is_for_its_caller_to_know(reason: Reason) -> None:
    assert told(refused(reason)) == ()


@pytest.mark.parametrize("kind", [GrantKind.PAID, GrantKind.TOPUP])
def test_what_was_paid_for_is_told_when_it_is_there(kind: GrantKind) -> None:
    (found,) = told(granted(kind))
    assert (found.kind, found.amount) == (NotificationKind.PURCHASE_CREDITED, 500)


@pytest.mark.parametrize("kind", [GrantKind.PLAN, GrantKind.PROMO, GrantKind.GOODWILL])
def test_what_nobody_paid_for_is_no_purchase(kind: GrantKind) -> None:
    assert told(granted(kind)) == ()


def test_a_top_up_that_failed_says_whether_there_will_be_more() -> None:
    (once,) = told(TopUpReported(state=TopUpState.DECLINED, declines=1, wait_until=AT))
    (last,) = told(TopUpReported(state=TopUpState.DECLINED, declines=4, wait_until=FOREVER))
    assert (once.paused, last.paused) == (False, True)
    assert told(TopUpReported(state=TopUpState.READY, declines=0)) == ()


def test_most_events_tell_nothing() -> None:
    assert told(CreditsReserved(reservation="r", amount=1, slices=(), expires_at=2)) == ()


def gift_event(event: AnyEvent) -> AnyEvent:
    event.account = "gift-1"
    return event


def filled(gifts: dict[str, Gift]) -> None:
    came = CreditsReceived(transfer="gift-1", sender="ada", grant="t", amount=30)
    assert told(gift_event(came), gifts) == ()


def emptied(gifts: dict[str, Gift], to: str, returned: int = 0) -> tuple[Notification, ...]:
    sent = CreditsSent(transfer="end", to=to, amount=30, slices=())
    assert told(gift_event(sent), gifts) == ()
    return told(gift_event(TransferSettled(transfer="end", returned=returned)), gifts)


def test_a_gift_that_was_claimed_is_told_to_both() -> None:
    gifts: dict[str, Gift] = {}
    filled(gifts)
    claimed, received = emptied(gifts, "bob")
    assert (claimed.account, claimed.kind.value) == ("ada", "gift_claimed")
    assert (received.account, received.kind.value) == ("bob", "gift_received")
    assert (claimed.amount, claimed.about) == (received.amount, received.about) == (30, "gift-1")


def test_a_gift_that_went_back_is_told_to_its_sender_alone() -> None:
    gifts: dict[str, Gift] = {}
    filled(gifts)
    (back,) = emptied(gifts, "ada")
    assert (back.account, back.kind.value) == ("ada", "gift_returned")


def test_a_claimant_who_could_not_receive_it_is_told_nothing_and_the_next_one_is() -> None:
    gifts: dict[str, Gift] = {}
    filled(gifts)
    assert emptied(gifts, "eve", returned=30) == ()
    assert {found.account for found in emptied(gifts, "bob")} == {"ada", "bob"}


def test_read_again_from_anywhere_a_gift_says_the_same() -> None:
    gifts: dict[str, Gift] = {}
    filled(gifts)
    first = emptied(gifts, "bob")
    assert emptied(gifts, "bob") == first


def test_a_gift_whose_beginning_is_not_known_is_told_to_nobody() -> None:
    with pytest.raises(UnknownGift):
        told(gift_event(TransferSettled(transfer="end", returned=0)))


def test_transfers_of_other_accounts_tell_nothing() -> None:
    assert told(CreditsReceived(transfer="t", sender="bob", grant="g", amount=3)) == ()
