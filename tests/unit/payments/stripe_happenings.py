"""What happens at Stripe, in memory: people pay, banks claim, periods end; an event for each."""

import time
from itertools import count
from typing import Any

from payments.handling import Hint
from payments.objects import (
    Charge,
    Dispute,
    FraudWarning,
    Intent,
    Invoice,
    InvoicePayment,
    Item,
    Items,
    Movement,
    PaymentError,
    Payout,
    Price,
    Refund,
    Session,
    StripeSubscription,
    _PaidBy,
)
from payments.till import CardRefused, TillRefused

MONTH_S = 30 * 86_400


class Happenings:
    """One account at Stripe. `events` are hints in the order in which they were made."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.objects: dict[str, Any] = {}
        self.events: list[Hint] = []
        self.keys: dict[str, Any] = {}
        self.down = False
        self.kept: dict[str, bool] = {}  # sessions whose buyer lets us keep the card
        self.prices: dict[str, int] = {}  # of prices, and of sessions that begin a subscription
        self.answers_lost = 0  # calls that work and whose answer nobody hears
        self.declines: list[str] = []  # codes of the next off-session payments
        self.now_s = int(time.time())
        self.calls = 0

    def session(self, order: str, amount: int, currency: str = "gbp") -> Session:
        made = Session(
            id=self._id("cs_test"),
            status="open",
            payment_status="unpaid",
            amount_total=amount,
            currency=currency,
            livemode=False,
            created=self.now_s,
            expires_at=self.now_s + 86_400,
            client_reference_id=order,
            url="https://checkout.example/pay",
        )
        self.objects[made.id] = made
        return made

    def pay(self, session: str, *, later: bool = False) -> str:
        """Complete a session; `later`: the money comes by `settle`."""
        found: Session = self.objects[session]
        intent = self._intent(found.amount_total or 0, found.currency or "")
        found.payment_intent, found.status = intent.id, "complete"
        intent.customer = found.customer
        if self.kept.get(session):
            intent.setup_future_usage, intent.payment_method = "off_session", self._id("pm")
            self._billed(found, intent.id)
        if later:
            intent.status, intent.amount_received = "processing", 0
        else:
            found.payment_status = "paid"
            self._charged(intent)
            self._say("payment_intent.succeeded", intent.id)
            self._say("charge.succeeded", intent.latest_charge or "", intent.id)
        self._say("checkout.session.completed", session)
        return intent.id

    def settle(self, session: str, *, works: bool) -> None:
        found: Session = self.objects[session]
        intent: Intent = self.objects[found.payment_intent or ""]
        if works:
            found.payment_status, intent.status = "paid", "succeeded"
            intent.amount_received = intent.amount
            self._charged(intent)
            self._say("checkout.session.async_payment_succeeded", session)
        else:
            intent.status = "requires_payment_method"
            self._say("checkout.session.async_payment_failed", session)

    def expire(self, session: str) -> None:
        self.objects[session].status = "expired"
        self._say("checkout.session.expired", session)

    def refund(
        self, intent: str, amount: int, status: str = "succeeded", **metadata: str
    ) -> Refund:
        charge = self.objects[intent].latest_charge
        back = sum(
            x.amount
            for x in self.objects.values()
            if isinstance(x, Refund) and x.payment_intent == intent and x.status != "failed"
        )
        if back + amount > self.objects[intent].amount:
            raise TillRefused("charge_already_refunded")
        made = Refund(
            id=self._id("re"),
            amount=amount,
            currency="gbp",
            status=status,
            payment_intent=intent,
            created=self.now_s,
            metadata=metadata,
        )
        self.objects[made.id] = made
        self._moved("refund", -amount, 0, made.id)
        self._say("refund.created", made.id, intent)
        self._say("charge.refunded", charge, intent)
        return made

    def refund_turns(self, refund: str, status: str) -> None:
        found: Refund = self.objects[refund]
        found.status = status
        self._say("refund.failed" if status == "failed" else "refund.updated", refund)

    def dispute(self, intent: str, amount: int, status: str = "needs_response") -> Dispute:
        made = Dispute(
            id=self._id("dp"),
            amount=amount,
            currency="gbp",
            status=status,
            payment_intent=intent,
            created=self.now_s,
            charge=self.objects[intent].latest_charge,
        )
        self.objects[made.id] = made
        self._say("charge.dispute.created", made.id, intent)
        if not status.startswith("warning"):
            made.balance_transactions.append(self._moved("adjustment", -amount, 1500, made.id))
            self._say("charge.dispute.funds_withdrawn", made.id, intent)
        return made

    def dispute_turns(self, dispute: str, status: str) -> None:
        """A new status; won gives the money back, and so does `reinstated` after a loss."""
        found: Dispute = self.objects[dispute]
        if status in {"won", "reinstated"}:
            found.balance_transactions.append(self._moved("adjustment", found.amount, 0, dispute))
            self._say("charge.dispute.funds_reinstated", dispute)
        if status != "reinstated":
            found.status = status
            closed = status in {"won", "lost", "warning_closed"}
            self._say("charge.dispute.closed" if closed else "charge.dispute.updated", dispute)

    def subscribe(self, session: str) -> StripeSubscription:
        """A session that begins a subscription is completed: the first period is paid."""
        found: Session = self.objects[session]
        price = Price(self.prices[session], "gbp")
        item = Item(self._id("si"), price, self.now_s, self.now_s + MONTH_S)
        made = StripeSubscription(
            self._id("sub"), "active", found.customer or "", False, self.now_s, Items([item])
        )
        found.status, found.payment_status, found.subscription = "complete", "paid", made.id
        self.objects[made.id] = made
        self._invoice(made)
        self._say("checkout.session.completed", session)
        self._say("customer.subscription.created", made.id)
        return made

    def renew(self, subscription: str, *, works: bool = True) -> None:
        """The next period begins; its invoice is paid, or not."""
        found: StripeSubscription = self.objects[subscription]
        item = found.items.data[0]
        item.current_period_start, item.current_period_end = (
            item.current_period_end,
            item.current_period_end + MONTH_S,
        )
        found.status = "active" if works else "past_due"
        if works:
            self._invoice(found)
        self._say("customer.subscription.updated", subscription)

    def subscription_turns(self, subscription: str, status: str) -> None:
        self.objects[subscription].status = status
        self._say("customer.subscription.deleted", subscription)

    def _changed(self, name: str, params: Any) -> StripeSubscription:
        found: StripeSubscription = self.objects[name]
        if "cancel_at_period_end" in params:
            found.cancel_at_period_end = params["cancel_at_period_end"]
        for item in params.get("items", ()):
            found.items.data[0].price.unit_amount = self.prices[item["price"]]
            self._invoice(found)
        self._say("customer.subscription.updated", name)
        return found

    def _invoice(self, of: StripeSubscription) -> None:
        intent = self._intent(of.items.data[0].price.unit_amount or 0, "gbp")
        self._charged(intent)
        made = Invoice(self._id("in"), self.now_s, subscription=of.id, status="paid")
        paid = InvoicePayment(self._id("inpay"), _PaidBy(intent.id), self.now_s)
        self.objects |= {made.id: made, paid.id: paid}
        self._say("payment_intent.succeeded", intent.id)
        self._say("invoice.paid", made.id)

    def warn(self, intent: str) -> FraudWarning:
        made = FraudWarning(
            id=self._id("issfr"),
            actionable=True,
            payment_intent=intent,
            created=self.now_s,
            charge=self.objects[intent].latest_charge,
        )
        self.objects[made.id] = made
        self._say("radar.early_fraud_warning.created", made.id)
        return made

    def unwarn(self, warning: str) -> None:
        self.objects[warning].actionable = False
        self._say("radar.early_fraud_warning.updated", warning)

    def pay_out(self) -> Payout:
        """Everything that is not paid out yet goes to the bank."""
        waiting = [x for x in self.objects.values() if isinstance(x, Movement) and x.payout is None]
        made = Payout(
            id=self._id("po"),
            amount=sum(x.net for x in waiting),
            currency="gbp",
            status="paid",
            created=self.now_s,
            arrival_date=self.now_s,
        )
        self.objects[made.id] = made
        for movement in waiting:
            movement.payout = made.id
        return made

    def _intent(self, amount: int, currency: str) -> Intent:
        made = Intent(
            id=self._id("pi"),
            status="succeeded",
            amount=amount,
            amount_received=amount,
            currency=currency,
            livemode=False,
            created=self.now_s,
        )
        self.objects[made.id] = made
        return made

    def _billed(self, session: Session, intent: str) -> None:
        """The invoice of a purchase; its payment is an order's all the same."""
        made = Invoice(self._id("in"), self.now_s, customer=session.customer, status="paid")
        made.total, made.currency = session.amount_total or 0, session.currency or ""
        paid = InvoicePayment(self._id("inpay"), _PaidBy(intent), self.now_s)
        self.objects |= {made.id: made, paid.id: paid}

    def _off_session(self, params: Any) -> Intent:
        if self.declines:
            raise CardRefused(PaymentError("card_declined", self.declines.pop(0)), "")
        made = self._intent(params["amount"], params["currency"])
        made.metadata, made.customer = params["metadata"], params["customer"]
        made.payment_method = params["payment_method"]
        self._charged(made)
        self._say("payment_intent.succeeded", made.id)
        return made

    def _charged(self, intent: Intent) -> None:
        charge = Charge(id=self._id("ch"), payment_intent=intent.id, created=self.now_s)
        self.objects[charge.id] = charge
        intent.latest_charge = charge.id
        self._moved("charge", intent.amount, 20 + intent.amount // 70, charge.id)

    def _moved(self, kind: str, amount: int, fee: int, source: str) -> Movement:
        made = Movement(
            id=self._id("txn"),
            amount=amount,
            fee=fee,
            net=amount - fee,
            type=kind,
            created=self.now_s,
            currency="gbp",
            source=source,
        )
        self.objects[made.id] = made
        return made

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers):06d}"

    def _say(self, kind: str, name: str, intent: str = "") -> None:
        self.events.append(Hint(kind, name, intent))
