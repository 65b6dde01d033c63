"""What takes money back: refunds, disputes, and the warnings that come before them."""

from stripe_double import money
from stripe_double.objects import Charge, Dispute, FraudWarning, Intent, Refund
from stripe_double.refusals import Refused
from stripe_double.shelf import Shelf

CLOSED = frozenset({"won", "lost", "warning_closed"})
NO_MONEY_BACK = frozenset({"failed", "canceled"})


def refund(
    shelf: Shelf, intent: Intent, amount: int | None, metadata: dict[str, str] | None = None
) -> Refund:
    """Give back so much, all that is left when None; together never more than was paid."""
    charge = shelf.find(Charge, intent.latest_charge)
    left = charge.amount - charge.amount_refunded
    asked = left if amount is None else amount
    if left == 0:
        raise Refused("The charge has already been refunded.", code="charge_already_refunded")
    if not 0 < asked <= left:
        message = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({left})"
        raise Refused(message, param="amount")
    made = Refund(
        id=shelf.name("refund"),
        created=shelf.now_s,
        amount=asked,
        currency=charge.currency,
        status="succeeded",
        payment_intent=intent.id,
        charge=charge.id,
        metadata=metadata or {},
    )
    made.balance_transaction = money.move(shelf, "refund", made, -asked).id
    charge.amount_refunded += asked
    charge.refunded = charge.amount_refunded == charge.amount
    shelf.say("refund.created", made)
    shelf.say("charge.refunded", charge)
    for warning in shelf.every(FraudWarning):
        if warning.charge == charge.id and warning.actionable and charge.refunded:
            unwarn(shelf, warning)
    return made


def refund_turns(shelf: Shelf, refund: Refund, status: str) -> None:
    """A refund that goes another way later; one that fails brings the money back to us."""
    if status in NO_MONEY_BACK and refund.status not in NO_MONEY_BACK:
        charge = shelf.find(Charge, refund.charge)
        charge.amount_refunded -= refund.amount
        charge.refunded = False
        shelf.put(charge)
        money.move(shelf, "refund_failure", refund, refund.amount)
    refund.status = status
    shelf.say("refund.failed" if status == "failed" else "refund.updated", refund)


def dispute(shelf: Shelf, intent: Intent, amount: int, status: str) -> Dispute:
    """A bank claims money; an inquiry (`warning_…`) takes none yet."""
    charge = shelf.find(Charge, intent.latest_charge)
    made = Dispute(
        id=shelf.name("dispute"),
        created=shelf.now_s,
        amount=amount,
        currency=charge.currency,
        status=status,
        payment_intent=intent.id,
        charge=charge.id,
    )
    charge.disputed = True
    shelf.put(charge)
    shelf.say("charge.dispute.created", made)
    if not status.startswith("warning"):
        taken = money.move(shelf, "adjustment", made, -amount, fee=money.DISPUTE_FEE_MINOR)
        made.balance_transactions.append(taken)
        shelf.say("charge.dispute.funds_withdrawn", made)
    return made


def dispute_turns(shelf: Shelf, dispute: Dispute, status: str) -> None:
    """A new status; `won` gives the money back, and so does `reinstated` after a loss."""
    if status in {"won", "reinstated"}:
        back = money.move(shelf, "adjustment", dispute, dispute.amount)
        dispute.balance_transactions.append(back)
        shelf.say("charge.dispute.funds_reinstated", dispute)
    if status == "reinstated":
        return
    dispute.status = status
    word = "closed" if status in CLOSED else "updated"
    shelf.say(f"charge.dispute.{word}", dispute)


def warn(shelf: Shelf, intent: Intent) -> FraudWarning:
    """A card network expects a dispute."""
    made = FraudWarning(
        id=shelf.name("radar.early_fraud_warning"),
        created=shelf.now_s,
        actionable=True,
        payment_intent=intent.id,
        charge=intent.latest_charge,
    )
    shelf.say("radar.early_fraud_warning.created", made)
    return made


def unwarn(shelf: Shelf, warning: FraudWarning) -> None:
    """It was acted on."""
    warning.actionable = False
    shelf.say("radar.early_fraud_warning.updated", warning)
