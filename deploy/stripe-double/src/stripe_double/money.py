"""Money: payments that are charged, what they do to the balance, and payouts to the bank."""

from stripe_double.cards import DECLINES, Behaviour
from stripe_double.objects import (
    Charge,
    Dispute,
    Intent,
    Movement,
    PaymentError,
    PaymentMethod,
    Payout,
    Refund,
)
from stripe_double.refusals import Declined
from stripe_double.shelf import Shelf

FEE_MINOR, FEE_PER_MILLE = 20, 15  # of a payment: 20p and 1.5 %
DISPUTE_FEE_MINOR = 1_500


def intend(shelf: Shelf, amount: int, currency: str) -> Intent:
    """A payment that has not happened yet."""
    made = Intent(
        id=shelf.name("payment_intent"),
        created=shelf.now_s,
        status="requires_payment_method",
        amount=amount,
        currency=currency,
    )
    shelf.put(made)
    return made


def charge(shelf: Shelf, intent: Intent) -> Charge:
    """The money is there."""
    made = Charge(
        id=shelf.name("charge"),
        created=shelf.now_s,
        amount=intent.amount,
        currency=intent.currency,
        payment_intent=intent.id,
        payment_method=intent.payment_method,
    )
    made.receipt_url = f"{shelf.page}/receipts/{made.id}"
    fee = FEE_MINOR + intent.amount * FEE_PER_MILLE // 1000
    made.balance_transaction = move(shelf, "charge", made, intent.amount, fee=fee).id
    intent.status, intent.amount_received = "succeeded", intent.amount
    intent.latest_charge, intent.last_payment_error = made.id, None
    shelf.put(made)
    shelf.say("payment_intent.succeeded", intent)
    shelf.say("charge.succeeded", made)
    return made


def decline(shelf: Shelf, intent: Intent, code: str) -> Declined:
    """The bank says no; the intent remembers why. Gives what to raise."""
    asks = code == Behaviour.ASKS_OWNER
    error = PaymentError("authentication_required" if asks else "card_declined", code)
    intent.status, intent.last_payment_error = "requires_payment_method", error
    shelf.say("payment_intent.payment_failed", intent)
    return Declined(error.code, code, intent)


def charge_absent(shelf: Shelf, intent: Intent, method: PaymentMethod) -> None:
    """Charge a kept card while its owner is away; raises Declined."""
    if code := shelf.faults.decline() or _refusal(method):
        raise decline(shelf, intent, code)
    charge(shelf, intent)


def _refusal(method: PaymentMethod) -> str | None:
    behaviour = Behaviour(method.behaves)
    if behaviour is Behaviour.WORKS_ONCE:
        return Behaviour.DECLINED
    return behaviour if behaviour in DECLINES or behaviour is Behaviour.ASKS_OWNER else None


def move(
    shelf: Shelf,
    kind: str,
    source: Charge | Refund | Dispute | Payout,
    amount: int,
    *,
    fee: int = 0,
) -> Movement:
    """A line of the balance, for the thing that moved it."""
    made = Movement(
        id=shelf.name("balance_transaction"),
        created=shelf.now_s,
        amount=amount,
        fee=fee,
        net=amount - fee,
        type=kind,
        currency=source.currency,
        source=source.id,
    )
    shelf.put(made)
    return made


def pay_out(shelf: Shelf, currency: str) -> Payout:
    """Everything of a currency that has not left yet goes to the bank."""
    waiting = [x for x in shelf.every(Movement) if x.paid_out_by is None and x.currency == currency]
    made = Payout(
        id=shelf.name("payout"),
        created=shelf.now_s,
        amount=sum(x.net for x in waiting),
        currency=currency,
        arrival_date=shelf.now_s,
    )
    for movement in waiting:
        movement.paid_out_by = made.id
        shelf.put(movement)
    shelf.put(made)
    left = move(shelf, "payout", made, -made.amount)
    left.paid_out_by = made.id
    shelf.put(left)
    shelf.say("payout.paid", made)
    return made
