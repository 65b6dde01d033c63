"""What a purchase makes of Stripe's objects: the rules. Any order, any number of times.

Every function takes an object as it is now and records only what is new. A stale fetch that
arrives late changes nothing. What does not fit our own order goes to quarantine and grants nothing.
"""

from enum import StrEnum

from contracts.commands import Freeze, Revoke, Thaw
from contracts.units import DAY, Ms
from msgspec import Struct

from payments import mending
from payments.effects import effect_id
from payments.netting import DISPUTE_RANKS, OPEN_DISPUTES, REFUND_RANKS
from payments.objects import Dispute, FraudWarning, Intent, Refund, Session
from payments.purchase import Purchase
from payments.standing import settle


class Misfit(StrEnum):
    """Why a payment goes to quarantine instead of becoming credits."""

    OTHER_SESSION = "other_session"
    OTHER_ORDER = "other_order"
    OTHER_INTENT = "other_intent"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    MODE_DIFFERS = "mode_differs"
    NOTHING_PAID = "nothing_paid"
    LEDGER_REFUSED = "ledger_refused"


class RefundRefusal(StrEnum):
    """Why a refund is not even asked for."""

    NOT_PAID = "not_paid"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    EXCEEDS_PAYMENT = "exceeds_payment"


class Ask(Struct, frozen=True):
    """A refund of ours, by its own id: how much, why, and who asked."""

    refund: str
    amount_minor: int
    reason: str
    actor: str


def see_session(purchase: Purchase, session: Session, *, live: bool, now: Ms) -> None:
    """A checkout session of this order."""
    if purchase.paid_at or purchase.rejected:
        return
    if session.payment_status != "paid":
        if session.payment_status == "no_payment_required":
            quarantine(purchase, Misfit.NOTHING_PAID, session.id)
        elif session.status == "expired":
            end(purchase, "expired", "expired")
        return
    found = (
        Misfit.OTHER_SESSION
        if session.id != purchase.session
        else Misfit.OTHER_ORDER
        if session.client_reference_id != purchase.purchase
        else _misfit(purchase, session.amount_total, session.currency, session.livemode, live)
    )
    if found is not None:
        quarantine(purchase, found, f"{session.id} {session.amount_total} {session.currency}")
        return
    _paid(purchase, session.payment_intent or session.id, now)


def see_intent(purchase: Purchase, intent: Intent, *, live: bool, now: Ms) -> None:
    """A payment intent of this order: a top-up without a session."""
    if purchase.paid_at or purchase.rejected or intent.status != "succeeded":
        return
    found = (
        Misfit.OTHER_INTENT
        if purchase.intent and intent.id != purchase.intent
        else _misfit(purchase, intent.amount_received, intent.currency, intent.livemode, live)
    )
    if found is not None:
        quarantine(purchase, found, f"{intent.id} {intent.amount_received} {intent.currency}")
        return
    _paid(purchase, intent.id, now)


def see_refund(purchase: Purchase, refund: Refund, now: Ms) -> None:
    """A refund, ours or made in Stripe's dashboard; it may fail after it succeeded."""
    status = refund.status or "pending"
    known = purchase.refunds.get(refund.id)
    if known is not None and _rank(REFUND_RANKS, status) <= _rank(REFUND_RANKS, known.status):
        return
    ours = refund.metadata.get("refund", "")  # a pointer; what it points at must fit
    purchase.trigger_event(
        Purchase.RefundSeen,
        refund=refund.id,
        ours=ours if purchase.asked.get(ours) == refund.amount else "",
        amount_minor=refund.amount,
        status=status,
    )
    settle(purchase, refund.id if status == "succeeded" else f"{refund.id}:{status}", now)


def see_dispute(purchase: Purchase, dispute: Dispute, now: Ms) -> None:
    """A dispute at any stage; inquiries take no money and stop nothing."""
    status, known = dispute.standing, purchase.disputes.get(dispute.id)
    if known is not None and _rank(DISPUTE_RANKS, status) <= _rank(DISPUTE_RANKS, known.status):
        return
    purchase.trigger_event(
        Purchase.DisputeSeen, dispute=dispute.id, amount_minor=dispute.amount, status=status
    )
    settle(purchase, f"{dispute.id}:{status}" if status == "reinstated" else dispute.id, now)


def see_warning(purchase: Purchase, warning: FraudWarning, now: Ms, *, freezes: bool) -> None:
    """An early fraud warning; by policy the lot is frozen until somebody acted."""
    is_open = warning.actionable and freezes
    if warning.id in purchase.warnings and purchase.warnings[warning.id] <= is_open:
        return
    purchase.trigger_event(Purchase.WarningSeen, warning=warning.id, open=is_open)
    settle(purchase, warning.id, now)


def ask_refund(purchase: Purchase, ask: Ask, now: Ms) -> RefundRefusal | None:
    """Begin a refund of ours: the lot freezes first. The same refund id asks once."""
    refund, amount_minor = ask.refund, ask.amount_minor
    if refund in purchase.asked or any(part.ours == refund for part in purchase.refunds.values()):
        return None
    if not purchase.paid_at:
        return RefundRefusal.NOT_PAID
    if amount_minor < 1:
        return RefundRefusal.AMOUNT_OUT_OF_RANGE
    if amount_minor > refundable_minor(purchase):
        return RefundRefusal.EXCEEDS_PAYMENT
    purchase.trigger_event(
        Purchase.RefundAsked,
        refund=refund,
        amount_minor=amount_minor,
        reason=ask.reason,
        actor=ask.actor,
    )
    settle(purchase, refund, now)
    return None


def not_frozen(purchase: Purchase, reason: str, now: Ms) -> None:
    """The ledger did not freeze the credits: no money goes back that they could still spend."""
    for refund in list(purchase.asked):
        if not any(part.ours == refund for part in purchase.refunds.values()):
            refund_refused(purchase, refund, reason, now)


def refundable_minor(purchase: Purchase) -> int:
    """How much of the payment may still be given back."""
    if not purchase.paid_at:
        return 0
    back = sum(part.amount_minor for part in purchase.refunds.values() if part.status != "failed")
    waiting = {part.ours for part in purchase.refunds.values()}
    asked = sum(amount for ours, amount in purchase.asked.items() if ours not in waiting)
    lost = sum(
        part.amount_minor
        for part in purchase.disputes.values()
        if part.status in {*OPEN_DISPUTES, "lost"}
    )
    return max(0, purchase.price_minor - back - asked - lost)


def refund_refused(purchase: Purchase, refund: str, reason: str, now: Ms) -> None:
    """Stripe said no to a refund of ours: everything is as it was."""
    if refund in purchase.asked:
        purchase.trigger_event(Purchase.RefundRefused, refund=refund, reason=reason)
        settle(purchase, refund, now)


def credited(purchase: Purchase, grant: str, now: Ms) -> None:
    """The ledger's log says that the credits are there."""
    if not purchase.credited_at:
        purchase.trigger_event(Purchase.Credited, grant=grant, at=now)


def know_intent(purchase: Purchase, intent: str) -> None:
    """The payment intent that was made for this order."""
    if purchase.intent != intent and not purchase.paid_at:
        purchase.trigger_event(Purchase.IntentKnown, intent=intent)


def declined(purchase: Purchase, code: str) -> None:
    """A saved card was declined and will be tried again."""
    if not (purchase.paid_at or purchase.ended):
        purchase.trigger_event(Purchase.Declined, code=code, number=purchase.declines + 1)


def end(purchase: Purchase, how: str, reason: str) -> None:
    """No money came; said once."""
    if not (purchase.paid_at or purchase.ended == how):
        purchase.trigger_event(Purchase.Ended, how=how, reason=reason)


def quarantine(purchase: Purchase, why: Misfit, seen: str) -> None:
    """Stop and call a person; said once for each reason."""
    if purchase.quarantine != why:
        purchase.trigger_event(Purchase.Quarantined, reason=str(why), seen=seen)


def grant_refused(purchase: Purchase, grant: str, reason: str) -> None:
    """The ledger said no to a grant: paid and not credited, which only a person may settle."""
    if grant not in purchase.lots:
        return
    if grant != next(iter(purchase.lots)):  # not what was bought: it was to come back
        purchase.trigger_event(Purchase.ReturnRefused, grant=grant, reason=reason)
    elif not purchase.credited_at:
        purchase.trigger_event(Purchase.GrantRefused, grant=grant, reason=reason)


def refused(purchase: Purchase, command: Freeze | Thaw | Revoke, reason: str) -> None:
    """The ledger refused a command about a lot; it waits for a person."""
    if command.id not in purchase.unheeded:
        purchase.trigger_event(
            Purchase.Refused,
            command=command.id,
            kind=type(command).__name__,
            grant=command.grant or "",
            credits=(command.amount or 0) if isinstance(command, Revoke) else 0,
            reason=reason,
        )


def release(purchase: Purchase, now: Ms) -> bool:
    """A person decided that our order stands: it grants what was ordered, nothing else.

    What the ledger refused is asked once more.
    """
    if mending.release(purchase, now):
        return True
    if purchase.rejected or not purchase.quarantine or purchase.paid_at:
        return False
    _paid(purchase, purchase.intent or purchase.session, now)
    return True


def reject(purchase: Purchase, actor: str) -> bool:
    """A person decided that it grants nothing, or that what the ledger refused stays undone."""
    if mending.let_stand(purchase, actor):
        return True
    if purchase.rejected or not purchase.quarantine or purchase.paid_at:
        return False
    purchase.trigger_event(Purchase.Rejected, actor=actor)
    return True


def _paid(purchase: Purchase, paid_by: str, now: Ms) -> None:
    grant = f"grant-{purchase.tries}" if purchase.tries else "grant"
    purchase.trigger_event(
        Purchase.Paid,
        intent=paid_by,
        grant=effect_id(paid_by, grant),
        at=now,
        expires_at=now + purchase.expires_days * DAY,
    )
    settle(purchase, paid_by, now)


def _misfit(
    purchase: Purchase, amount: int | None, currency: str | None, livemode: bool, live: bool
) -> Misfit | None:
    if livemode is not live:
        return Misfit.MODE_DIFFERS
    if (currency or "").upper() != purchase.currency:
        return Misfit.CURRENCY_DIFFERS
    return Misfit.AMOUNT_DIFFERS if amount != purchase.price_minor else None


def _rank(ranks: dict[str, int], status: str) -> int:
    return ranks.get(status, 0)
