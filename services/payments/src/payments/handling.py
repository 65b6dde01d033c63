"""What webhook, verify page and reconciler all call: look at Stripe, tell the purchase.

Safe any number of times, in any order, and at once.
An event is only a hint that something changed: the object is fetched and what it says counts.
"""

from msgspec import Struct

from payments import objects, seeing
from payments.books import Books
from payments.clock import now_ms
from payments.index import Index
from payments.objects import (
    Charge,
    Dispute,
    FraudWarning,
    Intent,
    InvoicePayment,
    PaymentMethod,
    Refund,
    Session,
)
from payments.payer import Payer
from payments.purchase import Purchase
from payments.till import Till, Value


class NotYet(LookupError):
    """This object belongs to nothing that is known here, yet or ever."""


class Hint(Struct, frozen=True):
    """What an event says: something about this object changed. `intent` if the event named it."""

    kind: str
    object: str
    intent: str = ""


HEARD = (  # kinds of events about purchases
    "checkout.session.",
    "payment_intent.",
    "refund.",
    "charge.refund",
    "charge.dispute.",
    "radar.early_fraud_warning.",
    "customer.updated",
    "payment_method.detached",
)


class Handling:
    """The one fulfil function and its sisters. Synchronous: call it from a thread."""

    def __init__(
        self, books: Books, index: Index, till: Till, *, live: bool, freezes: bool
    ) -> None:
        self._books = books
        self._index = index
        self._till = till
        self._live = live
        self._freezes = freezes

    def handle(self, hint: Hint) -> str:
        """Handle one hint; `handled` or `ignored`. Raises NotYet, TillDown, TillRefused."""
        kind, of = hint.kind, hint.object
        if kind.startswith("checkout.session."):
            if self._index.stream_of(of) is None and self._subscribes(of):
                return "ignored"  # the subscription's own events tell
            self.fulfil(of, failed=kind.endswith("async_payment_failed"))
        elif kind.startswith("payment_intent."):
            try:
                self.look_at_intent(of)
            except NotYet:
                if not self._invoiced(of):
                    raise
                return "ignored"
        elif kind.startswith(("refund.", "charge.refund.")):
            self.look_at_refunds(self._till.get(Refund, f"refunds/{of}").payment_intent)
        elif kind == "charge.refunded":
            self.look_at_refunds(hint.intent or self._intent_of_charge(of))
        elif kind.startswith("charge.dispute."):
            self.look_at_dispute(self._till.get(Dispute, f"disputes/{of}"))
        elif kind.startswith("radar.early_fraud_warning."):
            self.look_at_warning(self._till.get(FraudWarning, f"radar/early_fraud_warnings/{of}"))
        elif kind == "customer.updated":
            self._prefer_card(of)
        elif kind == "payment_method.detached":
            self._remove_card(of)
        else:
            return "ignored"
        return "handled"

    def fulfil(self, session: str, *, failed: bool = False) -> Purchase:
        """The state of a session's purchase after looking at Stripe; credits follow from it."""
        name = self._index.stream_of(session)
        if name is None:
            raise NotYet(f"checkout session {session}")
        purchase = self._books.purchase(name)
        if purchase.paid_at or purchase.rejected:
            return purchase
        found = self._till.get(Session, f"checkout/sessions/{session}")

        def see(purchase: Purchase) -> Purchase:
            seeing.see_session(purchase, found, live=self._live, now=now_ms())
            if failed and found.payment_status == "unpaid":
                seeing.end(purchase, "failed", "async_payment_failed")
            return purchase

        seen = self._books.change(name, see)
        if seen.paid_at and found.customer and found.payment_intent:
            self._save_card(seen.account, found.customer, found.payment_intent)
        return seen

    def _save_card(self, account: str, customer: str, intent: str) -> None:
        """Keep the card if its owner said so on Stripe's page; another card ends a pause."""
        found = self._till.get(Intent, f"payment_intents/{intent}")
        card = found.payment_method
        if found.setup_future_usage != "off_session" or not card:
            return

        def save(payer: Payer) -> bool:
            return payer.customer == customer and payer.save(card)

        if self._books.change_payer(account, save):
            self._index.errands_now(account)

    def _prefer_card(self, customer: str) -> None:
        """A card chosen in the portal takes the place of one that top-ups were allowed to charge.

        Nobody who never allowed it is charged because a card was left.
        """
        account = self._index.stream_of(customer)
        chosen = self._till.get(objects.Payer, f"customers/{customer}").invoice_settings
        if account is None or chosen is None or not (card := chosen.default_payment_method):
            return

        def save(payer: Payer) -> bool:
            return payer.customer == customer and payer.card != "" and payer.save(card)

        if self._books.change_payer(account, save):
            self._index.errands_now(account)

    def _remove_card(self, card: str) -> None:
        account = self._index.stream_of(card)
        if account is None or self._till.get(PaymentMethod, f"payment_methods/{card}").customer:
            return  # nobody's that we charge, or theirs again
        self._books.change_payer(account, lambda payer: payer.remove(card))

    def look_at_intent(self, intent: str) -> str:
        """A payment intent; gives the name of its purchase."""
        name = self._index.stream_of(intent)
        if name is not None and self._books.purchase(name).paid_at:
            return name
        for session in self._till.every(Session, "checkout/sessions", payment_intent=intent):
            return self.fulfil(session.id).purchase
        found = self._till.get(Intent, f"payment_intents/{intent}")
        if name is None:
            name = self._pointed_at(found)
        if name is None:
            raise NotYet(f"payment intent {intent}")
        self._books.change(
            name,
            lambda purchase: seeing.see_intent(purchase, found, live=self._live, now=now_ms()),
        )
        return name

    def look_at_refunds(self, intent: str | None) -> None:
        """All refunds of a payment as they are now."""
        name = self._purchase_of(intent)
        refunds = list(self._till.every(Refund, "refunds", payment_intent=str(intent)))

        def see(purchase: Purchase) -> None:
            for refund in reversed(refunds):
                seeing.see_refund(purchase, refund, now_ms())

        self._books.change(name, see)

    def look_at_dispute(self, dispute: Dispute) -> None:
        """A dispute; it is joined by its payment intent."""
        name = self._purchase_of(dispute.payment_intent)
        self._books.change(name, lambda purchase: seeing.see_dispute(purchase, dispute, now_ms()))

    def look_at_warning(self, warning: FraudWarning) -> None:
        """An early fraud warning."""
        intent = warning.payment_intent or self._intent_of_charge(warning.charge or "")
        name = self._purchase_of(intent)
        self._books.change(
            name,
            lambda purchase: seeing.see_warning(purchase, warning, now_ms(), freezes=self._freezes),
        )

    def _purchase_of(self, intent: str | None) -> str:
        """The purchase of a payment, fulfilled first: a refund may be heard of before it."""
        if not intent:
            raise NotYet("an object without a payment intent")
        name = self._index.stream_of(intent) or self.look_at_intent(intent)
        if not self._books.purchase(name).paid_at:
            self.look_at_intent(intent)
        return name

    def _subscribes(self, session: str) -> bool:
        return self._till.get(Session, f"checkout/sessions/{session}").mode == "subscription"

    def _invoiced(self, intent: str) -> bool:
        """Whether a payment is an invoice's: of a subscription, not of an order."""
        paid: Value = {"type": "payment_intent", "payment_intent": intent}
        return any(self._till.every(InvoicePayment, "invoice_payments", payment=paid))

    def _intent_of_charge(self, charge: str) -> str | None:
        return self._till.get(Charge, f"charges/{charge}").payment_intent

    def _pointed_at(self, intent: Intent) -> str | None:
        """The top-up that an intent's metadata points at; believed only if it fits ours."""
        pointer = intent.metadata.get("purchase", "")
        try:
            purchase = self._books.purchase(pointer)
        except LookupError:
            return None
        return pointer if purchase.way != "checkout" and not purchase.intent else None
