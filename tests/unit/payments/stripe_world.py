"""Stripe in memory: objects that change, and an event for each change. No network.

It answers the three verbs of `payments.till.Till`, so that the real handling runs on it.
"""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from payments.handling import Hint
from payments.objects import (
    Charge,
    Dispute,
    FraudWarning,
    Intent,
    Movement,
    Payer,
    PaymentError,
    Payout,
    Portal,
    Refund,
    Session,
)
from payments.till import CardRefused, TillDown, TillRefused

_Object = TypeVar("_Object", bound=Struct)


class Stripe:
    """One account at Stripe. `events` are hints in the order in which they were made."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.objects: dict[str, Any] = {}
        self.events: list[Hint] = []
        self.keys: dict[str, Any] = {}
        self.down = False
        self.kept: dict[str, bool] = {}  # sessions whose buyer lets us keep the card
        self.answers_lost = 0  # calls that work and whose answer nobody hears
        self.declines: list[str] = []  # codes of the next off-session payments
        self.now_s = int(time.time())
        self.calls = 0

    # ---- the three verbs

    def get(self, kind: type[_Object], path: str, **_: object) -> _Object:
        self._answers()
        found = self.objects.get(path.rsplit("/", 1)[1])
        if found is None:
            raise TillRefused("resource_missing", missing=True)
        assert isinstance(found, kind)
        return msgspec.json.decode(msgspec.json.encode(found), type=kind)

    def every(self, kind: type[_Object], _path: str, **params: Any) -> Iterator[_Object]:
        self._answers()
        for found in reversed(list(self.objects.values())):
            if isinstance(found, kind) and self._fits(found, params):
                yield msgspec.json.decode(msgspec.json.encode(found), type=kind)

    def post(self, kind: type[_Object], path: str, params: Any, key: str) -> _Object:
        self._answers()
        if key in self.keys:
            before, first = self.keys[key]
            if before != (path, params):
                raise TillRefused("idempotency_error")
            assert isinstance(first, kind)
            return first
        made: Any
        if path == "checkout/sessions":
            item = params["line_items"][0]["price_data"]
            made = self.session(params["client_reference_id"], item["unit_amount"])
            made.customer = params.get("customer")
            self.kept[made.id] = "setup_future_usage" in params["payment_intent_data"]
        elif path == "customers":
            made = Payer(self._id("cus"), livemode=False, created=self.now_s, **params)
            self.objects[made.id] = made
        elif path == "billing_portal/sessions":
            made = Portal(self._id("bps"), url="https://billing.example/p/secret")
        elif path == "payment_intents":
            made = self._off_session(params)
        elif path == "refunds":
            made = self.refund(
                params["payment_intent"], params["amount"], **params.get("metadata", {})
            )
        else:
            raise AssertionError(path)
        self.keys[key] = ((path, params), made)
        if self.answers_lost:
            self.answers_lost -= 1
            raise TillDown("the answer was lost")
        assert isinstance(made, kind)
        return made

    def _answers(self) -> None:
        self.calls += 1
        if self.down:
            raise TillDown("down")

    @staticmethod
    def _fits(found: Any, params: dict[str, Any]) -> bool:
        wanted = params.get("payment_intent")
        if wanted is not None and found.payment_intent != wanted:
            return False
        created = params.get("created")
        return created is None or found.created >= created["gte"]

    # ---- what happens

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
