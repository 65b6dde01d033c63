"""Checkout: a session is paid, paid later, declined, or expires. What a buyer does on its page."""

from enum import StrEnum

from stripe_double import billing, claims, money
from stripe_double.cards import DECLINES, Behaviour, Card
from stripe_double.objects import Intent, Payer, PaymentMethod, Session
from stripe_double.refusals import Declined, Refused
from stripe_double.shelf import Shelf


class Outcome(StrEnum):
    """What came of trying to pay."""

    PAID = "paid"
    LATER = "later"  # the money is on its way
    ASKS_OWNER = "asks_owner"  # the card's owner must confirm first


def pay(shelf: Shelf, session: Session, card: Card, *, confirmed: bool = False) -> Outcome:
    """Pay a session by card; raises Declined. `confirmed`: its owner said yes to the bank."""
    _still_open(session)
    if card.behaviour in DECLINES:
        raise money.decline(shelf, _intent(shelf, session), card.behaviour)
    if card.behaviour is Behaviour.ASKS_OWNER and not confirmed:
        return Outcome.ASKS_OWNER
    method = PaymentMethod(
        id=shelf.name("payment_method"),
        created=shelf.now_s,
        card=card.face,
        behaves=card.behaviour,
    )
    _pay_with(shelf, session, method)
    return Outcome.PAID


def pay_by_bank(shelf: Shelf, session: Session) -> Outcome:
    """Complete a session whose money comes later, or never: `settle` tells."""
    _still_open(session)
    if session.mode == "subscription":
        raise Refused("A subscription is paid by card here.", param="payment_method_types")
    method = PaymentMethod(
        id=shelf.name("payment_method"), created=shelf.now_s, type="bacs_debit", behaves="works"
    )
    intent = _intent(shelf, session)
    intent.status, intent.payment_method = "processing", method.id
    session.status = "complete"
    shelf.put(method)
    shelf.put(intent)
    shelf.say("checkout.session.completed", session)
    return Outcome.LATER


def refuse(shelf: Shelf, session: Session) -> Declined:
    """The card's owner said no to the bank. Gives what to raise."""
    _still_open(session)
    return money.decline(shelf, _intent(shelf, session), Behaviour.ASKS_OWNER)


def settle(shelf: Shelf, session: Session, *, works: bool) -> None:
    """The bank's money came, or it did not; it may come after all."""
    intent = shelf.find(Intent, session.payment_intent)
    if session.status != "complete" or intent.status == "succeeded":
        raise Refused("This payment is not on its way.", param="id")
    if works:
        session.payment_status = "paid"
        money.charge(shelf, intent)
        _bill(shelf, session, intent)
        shelf.say("checkout.session.async_payment_succeeded", session)
    else:
        intent.status = "requires_payment_method"
        shelf.say("payment_intent.payment_failed", intent)
        shelf.say("checkout.session.async_payment_failed", session)


def expire(shelf: Shelf, session: Session) -> None:
    """Nobody paid in time."""
    _still_open(session)
    session.status, session.url = "expired", None
    shelf.say("checkout.session.expired", session)


def lapse(shelf: Shelf) -> None:
    """Expire the sessions whose time is over."""
    for session in list(shelf.every(Session)):
        if session.status == "open" and session.expires_at <= shelf.now_s:
            expire(shelf, session)


def _pay_with(shelf: Shelf, session: Session, method: PaymentMethod) -> None:
    payer = _payer(shelf, session)
    session.status, session.payment_status = "complete", "paid"
    if session.setup_future_usage or session.mode == "subscription":
        billing.keep(shelf, method, payer)
    shelf.put(method)
    if session.mode == "subscription":
        billing.begin(shelf, session, method)
        shelf.say("checkout.session.completed", session)
        return
    intent = _intent(shelf, session)
    intent.payment_method, intent.customer = method.id, payer.id
    intent.setup_future_usage = session.setup_future_usage
    money.charge(shelf, intent)
    _bill(shelf, session, intent)
    shelf.say("checkout.session.completed", session)
    if method.behaves == Behaviour.DISPUTES:
        claims.dispute(shelf, intent, intent.amount, "needs_response")
    elif method.behaves == Behaviour.WARNS:
        claims.warn(shelf, intent)


def _payer(shelf: Shelf, session: Session) -> Payer:
    """Whoever pays; an invoice needs somebody, so a guest is made one."""
    if session.customer:
        return shelf.find(Payer, session.customer)
    made = Payer(id=shelf.name("customer"), created=shelf.now_s)
    shelf.put(made)
    if session.invoice_creation.enabled:
        session.customer = made.id
    return made


def _intent(shelf: Shelf, session: Session) -> Intent:
    """The payment of a session, made when it is first tried."""
    if session.payment_intent:
        return shelf.find(Intent, session.payment_intent)
    made = money.intend(shelf, session.amount_total, session.currency)
    made.metadata = dict(session.intent_metadata)
    if session.mode == "payment":
        session.payment_intent = made.id
    shelf.put(made)
    shelf.put(session)
    return made


def _bill(shelf: Shelf, session: Session, intent: Intent) -> None:
    if session.invoice_creation.enabled:
        session.invoice = billing.bill(shelf, intent, session.customer, session.about).id


def _still_open(session: Session) -> None:
    if session.status != "open":
        raise Refused(f"This Checkout Session is {session.status}.", param="id")
