"""One purchase: paid, refunded, disputed, warned, quarantined; each once, whatever is heard."""

import pytest
from contracts.commands import PurchaseState
from payments import seeing
from payments.handling import Hint, NotYet
from payments.objects import Dispute, Refund
from payments.seeing import Ask, RefundRefusal

from tests.unit.payments.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def paid(shop: Shop, pack: str = "starter") -> tuple[str, str]:
    """A purchase that is paid and credited: its name and its payment intent."""
    bought = shop.buy(pack)
    intent = shop.stripe.pay(bought.session)
    shop.hear([Hint("checkout.session.completed", bought.session)])
    return bought.purchase, intent


def state(shop: Shop, name: str) -> str:
    return shop.books.purchase(name).state


def test_a_paid_session_is_credited_once(shop: Shop) -> None:
    name, _ = paid(shop)
    shop.hear(shop.stripe.events * 3)
    assert (state(shop, name), shop.ledger.balance) == ("credited", 500)


def test_webhook_replay_grants_once(shop: Shop) -> None:
    name, _ = paid(shop)
    for _ in range(10):
        shop.handling.fulfil(shop.books.purchase(name).session)
        shop.relay()
    assert len(shop.ledger.lots) == 1


def test_nothing_is_granted_before_it_is_paid(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.pay(bought.session, later=True)
    shop.hear(shop.stripe.events)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("initiated", 0)
    shop.stripe.settle(bought.session, works=True)
    shop.hear(shop.stripe.events)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("credited", 500)


def test_a_delayed_payment_that_fails_grants_nothing(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.pay(bought.session, later=True)
    shop.stripe.settle(bought.session, works=False)
    shop.hear(shop.stripe.events)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("failed", 0)
    assert (bought.purchase, PurchaseState.FAILED.value) in shop.ledger.recorded


def test_an_expired_session_grants_nothing(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.expire(bought.session)
    shop.hear(shop.stripe.events)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("expired", 0)


def test_a_changed_amount_goes_to_quarantine_and_grants_nothing(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.falsify(bought.session, amount_total=1)
    shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("quarantined", 0)
    assert shop.purchase(bought).quarantine == "amount_differs"


def test_a_wrong_currency_goes_to_quarantine(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.falsify(bought.session, currency="usd")
    shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    assert shop.purchase(bought).quarantine == "currency_differs"
    assert shop.ledger.balance == 0


def test_a_foreign_mode_goes_to_quarantine(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.objects[bought.session].livemode = True
    shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    assert shop.purchase(bought).quarantine == "mode_differs"


def test_metadata_that_lies_is_not_read(shop: Shop) -> None:
    """A session that is not ours names our order: it is unknown, and the order stays as it was."""
    bought = shop.buy()
    foreign = shop.stripe.session(bought.purchase, 1)
    shop.stripe.pay(foreign.id)
    with pytest.raises(NotYet):
        shop.handling.fulfil(foreign.id)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("initiated", 0)


def test_an_operator_releases_what_was_ordered_and_nothing_else(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.falsify(bought.session, amount_total=99_999)
    shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    assert shop.books.change(bought.purchase, lambda p: seeing.release(p, shop.now))
    shop.relay()
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("credited", 500)
    assert not shop.books.change(bought.purchase, lambda p: seeing.release(p, shop.now))


def test_what_is_rejected_never_grants(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.falsify(bought.session, amount_total=1)
    shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    assert shop.books.change(bought.purchase, lambda p: seeing.reject(p, "op"))
    shop.stripe.falsify(bought.session, amount_total=1000)
    shop.hear(shop.stripe.events)
    assert (state(shop, bought.purchase), shop.ledger.balance) == ("rejected", 0)


def test_the_same_key_is_the_same_order_and_the_same_session(shop: Shop) -> None:
    first, second = shop.buy(key="k"), shop.buy(key="k")
    assert (first.purchase, first.session) == (second.purchase, second.session)
    assert shop.buy(key="other").purchase != first.purchase


def test_partial_refunds_revoke_their_share_and_together_all(shop: Shop) -> None:
    name, intent = paid(shop)
    for amount, left in ((333, 334), (333, 167), (334, 0)):
        shop.stripe.refund(intent, amount)
        shop.hear(shop.stripe.events)
        assert shop.ledger.balance == left
    assert state(shop, name) == "refunded"


def test_a_refund_that_fails_later_gives_the_credits_back(shop: Shop) -> None:
    name, intent = paid(shop)
    refund = shop.stripe.refund(intent, 400)
    shop.hear(shop.stripe.events)
    assert shop.ledger.balance == 300
    shop.stripe.refund_turns(refund.id, "failed")
    shop.hear(shop.stripe.events)
    assert (shop.ledger.balance, state(shop, name)) == (500, "credited")


def test_a_refund_heard_of_before_its_payment(shop: Shop) -> None:
    bought = shop.buy()
    intent = shop.stripe.pay(bought.session)
    refund = shop.stripe.refund(intent, 500)
    shop.hear([Hint("refund.created", refund.id)])
    assert (shop.ledger.balance, state(shop, bought.purchase)) == (250, "partly_refunded")


def test_our_refund_freezes_then_revokes(shop: Shop) -> None:
    name, intent = paid(shop)
    ask = Ask("rf-1", 500, "requested", "root")
    assert shop.books.change(name, lambda p: seeing.ask_refund(p, ask, shop.now)) is None
    shop.relay()
    (lot,) = shop.ledger.lots.values()
    assert lot.frozen
    assert shop.books.errands == {"rf-1": name}
    ours = {"payment_intent": intent, "amount": 500, "metadata": {"refund": "rf-1"}}
    shop.stripe.post(Refund, "refunds", ours, "rf-1")
    shop.hear(shop.stripe.events)
    assert (lot.frozen, lot.left, shop.books.errands) == (False, 250, {})


def test_our_refund_that_stripe_refuses_thaws(shop: Shop) -> None:
    name, _ = paid(shop)
    ask = Ask("rf-1", 500, "requested", "root")
    shop.books.change(name, lambda p: seeing.ask_refund(p, ask, shop.now))
    shop.books.change(name, lambda p: seeing.refund_refused(p, "rf-1", "no", shop.now))
    shop.relay()
    (lot,) = shop.ledger.lots.values()
    assert (lot.frozen, lot.left) == (False, 500)


def test_no_money_goes_back_when_the_ledger_does_not_freeze(shop: Shop) -> None:
    name, _ = paid(shop)
    ask = Ask("rf-1", 500, "requested", "root")
    shop.books.change(name, lambda p: seeing.ask_refund(p, ask, shop.now))
    shop.books.change(name, lambda p: seeing.not_frozen(p, "grant_unknown", shop.now))
    assert (shop.books.errands, shop.books.purchase(name).asked) == ({}, {})


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [(0, RefundRefusal.AMOUNT_OUT_OF_RANGE), (1001, RefundRefusal.EXCEEDS_PAYMENT)],
)
def test_a_refund_beyond_the_payment_is_refused(
    shop: Shop, amount: int, refusal: RefundRefusal
) -> None:
    name, _ = paid(shop)
    ask = Ask("rf-1", amount, "requested", "root")
    assert shop.books.change(name, lambda p: seeing.ask_refund(p, ask, shop.now)) is refusal


def test_a_dispute_freezes_and_a_won_one_thaws(shop: Shop) -> None:
    name, intent = paid(shop)
    dispute = shop.stripe.dispute(intent, 1000)
    shop.hear(shop.stripe.events)
    (lot,) = shop.ledger.lots.values()
    assert (lot.frozen, lot.left, state(shop, name)) == (True, 500, "disputed")
    shop.stripe.dispute_turns(dispute.id, "won")
    shop.hear(shop.stripe.events)
    assert (lot.frozen, lot.left, state(shop, name)) == (False, 500, "credited")


def test_a_lost_dispute_revokes_and_what_is_spent_becomes_debt(shop: Shop) -> None:
    name, intent = paid(shop)
    (grant,) = shop.ledger.lots
    assert shop.ledger.spend(grant, 200) == 200
    dispute = shop.stripe.dispute(intent, 1000)
    shop.stripe.dispute_turns(dispute.id, "lost")
    shop.hear(shop.stripe.events)
    assert (shop.ledger.balance, state(shop, name)) == (-200, "lost")


def test_a_dispute_and_a_refund_are_netted(shop: Shop) -> None:
    """Refunded in part, then the bank took all of it: never more credits than were sold."""
    name, intent = paid(shop)
    shop.stripe.refund(intent, 400)
    dispute = shop.stripe.dispute(intent, 1000)
    shop.stripe.dispute_turns(dispute.id, "lost")
    shop.hear(shop.stripe.events)
    assert (shop.ledger.balance, state(shop, name)) == (0, "lost")


def test_a_lost_dispute_that_is_reinstated_gives_the_credits_back(shop: Shop) -> None:
    name, intent = paid(shop)
    dispute = shop.stripe.dispute(intent, 1000)
    shop.stripe.dispute_turns(dispute.id, "lost")
    shop.hear(shop.stripe.events)
    assert shop.ledger.balance == 0
    shop.stripe.dispute_turns(dispute.id, "reinstated")
    shop.hear(shop.stripe.events)
    assert (shop.ledger.balance, state(shop, name)) == (500, "reinstated")


def test_an_inquiry_takes_no_money_and_stops_nothing(shop: Shop) -> None:
    name, intent = paid(shop)
    dispute = shop.stripe.dispute(intent, 1000, "warning_needs_response")
    shop.stripe.dispute_turns(dispute.id, "warning_closed")
    shop.hear(shop.stripe.events)
    (lot,) = shop.ledger.lots.values()
    assert (lot.frozen, lot.left, state(shop, name)) == (False, 500, "credited")


def test_an_early_fraud_warning_freezes_until_it_is_acted_on(shop: Shop) -> None:
    _, intent = paid(shop)
    warning = shop.stripe.warn(intent)
    shop.hear(shop.stripe.events)
    (lot,) = shop.ledger.lots.values()
    assert lot.frozen
    shop.stripe.unwarn(warning.id)
    shop.hear(shop.stripe.events)
    assert not lot.frozen


def test_a_stale_look_changes_nothing(shop: Shop) -> None:
    name, intent = paid(shop)
    old = shop.stripe.dispute(intent, 1000)
    stale = shop.stripe.get(Dispute, f"disputes/{old.id}")
    shop.stripe.dispute_turns(old.id, "won")
    shop.hear(shop.stripe.events)
    shop.handling.look_at_dispute(stale)
    assert state(shop, name) == "credited"
