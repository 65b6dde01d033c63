"""What happens to money at the double: it adds up, and never more goes back than came."""

import pytest
from stripe_double import control
from stripe_double.cards import CARDS, card_of
from stripe_double.objects import Charge, Dispute, FraudWarning, Intent, Invoice, Movement, Session
from stripe_double.refusals import Declined, Refused

from tests.unit.payments.stripe_world import Stripe

LAST = {"4000000000000002", "4000000000009995", "4000000000000069", "4000000000000127"}


@pytest.fixture
def stripe() -> Stripe:
    return Stripe()


def paid(stripe: Stripe, card: str = control.WORKING_CARD, **how: bool) -> Intent:
    session = stripe.session("order", 1000)
    stripe.happen(control.Pay(session.id, card, **how))
    return stripe.shelf.find(Intent, session.payment_intent)


def balance(stripe: Stripe) -> int:
    return sum(x.net for x in stripe.shelf.every(Movement) if x.paid_out_by is None)


def test_a_payment_is_charged_less_a_fee(stripe: Stripe) -> None:
    intent = paid(stripe)
    assert (intent.status, intent.amount_received) == ("succeeded", 1000)
    assert balance(stripe) == 1000 - 20 - 15


@pytest.mark.parametrize("card", sorted(LAST))
def test_a_declined_card_leaves_the_session_open(stripe: Stripe, card: str) -> None:
    session = stripe.session("order", 1000)
    with pytest.raises(Declined):
        stripe.happen(control.Pay(session.id, card))
    assert (session.status, balance(stripe)) == ("open", 0)
    assert stripe.events[-1].kind == "payment_intent.payment_failed"
    stripe.pay(session.id)
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert len(list(stripe.shelf.every(Intent))) == 1, "the same payment, tried again"


def test_a_card_may_ask_its_owner_first(stripe: Stripe) -> None:
    session = stripe.session("order", 1000)
    asks = "4000002760003184"
    stripe.happen(control.Pay(session.id, asks, confirmed=False))
    assert session.status == "open"
    stripe.happen(control.Pay(session.id, asks, confirmed=True))
    assert session.payment_status == "paid"


def test_a_paid_session_is_not_paid_again(stripe: Stripe) -> None:
    session = stripe.session("order", 1000)
    stripe.pay(session.id)
    with pytest.raises(Refused):
        stripe.pay(session.id)
    assert len(list(stripe.shelf.every(Charge))) == 1


def test_a_card_that_disputes_and_one_that_warns(stripe: Stripe) -> None:
    disputed = paid(stripe, "4000000000000259")
    warned = paid(stripe, "4000000000005423")
    (dispute,) = stripe.shelf.every(Dispute)
    (warning,) = stripe.shelf.every(FraudWarning)
    assert (dispute.payment_intent, warning.payment_intent) == (disputed.id, warned.id)


def test_no_other_number_is_a_card() -> None:
    assert card_of("4111 1111 1111 1111") is None
    assert card_of("4242 4242 4242 4242") is CARDS[0]


def test_refunds_together_never_exceed_the_charge(stripe: Stripe) -> None:
    intent = paid(stripe)
    stripe.refund(intent.id, 600)
    with pytest.raises(Refused, match="greater than unrefunded"):
        stripe.refund(intent.id, 401)
    stripe.refund(intent.id, 400)
    with pytest.raises(Refused, match="already been refunded"):
        stripe.refund(intent.id, 1)
    assert balance(stripe) == -35


def test_a_refund_that_fails_later_brings_the_money_back(stripe: Stripe) -> None:
    intent = paid(stripe)
    refund = stripe.refund(intent.id, 600)
    stripe.refund_turns(refund.id, "failed")
    assert balance(stripe) == 965
    assert stripe.shelf.find(Charge, intent.latest_charge).amount_refunded == 0


def test_a_dispute_takes_the_money_and_a_won_one_gives_it_back(stripe: Stripe) -> None:
    intent = paid(stripe)
    dispute = stripe.dispute(intent.id, 1000)
    assert balance(stripe) == 965 - 1000 - 1500
    stripe.dispute_turns(dispute.id, "won")
    assert balance(stripe) == 965 - 1500


def test_a_payout_empties_the_balance(stripe: Stripe) -> None:
    paid(stripe)
    payout = stripe.pay_out()
    assert (payout.amount, balance(stripe)) == (965, 0)


def test_an_event_that_is_never_made_is_never_listed_and_the_object_is_there(
    stripe: Stripe,
) -> None:
    stripe.shelf.faults.never_made = 3
    session = stripe.session("order", 1000)
    stripe.pay(session.id)
    assert stripe.events == []
    assert stripe.shelf.find(Session, session.id).payment_status == "paid"


def test_a_purchase_that_asks_for_an_invoice_has_one(stripe: Stripe) -> None:
    session = stripe.session("order", 1000)
    session.invoice_creation.enabled = True
    stripe.pay(session.id)
    (invoice,) = stripe.shelf.every(Invoice)
    assert (invoice.total, invoice.customer) == (1000, session.customer)
    assert session.invoice == invoice.id
