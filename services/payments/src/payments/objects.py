"""Stripe's objects as this service reads them: the few fields it needs, decoded at the door.

Amounts are minor units (pence, cents); times are seconds since the epoch, as Stripe has them.
Unknown fields are ignored; a missing one that we need is an error, never a guess.
"""

import msgspec
from msgspec import Struct


class Named(Struct):
    """What all of them have."""

    id: str


class Session(Named):
    """A checkout session. `payment_status`: paid, unpaid, no_payment_required."""

    status: str | None
    payment_status: str
    amount_total: int | None
    currency: str | None
    livemode: bool
    created: int
    expires_at: int
    mode: str = "payment"
    client_reference_id: str | None = None
    customer: str | None = None
    payment_intent: str | None = None
    subscription: str | None = None
    url: str | None = None


class PaymentError(Struct):
    """Why a payment did not happen, in Stripe's codes."""

    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None


class Intent(Named):
    """A payment intent. `status` is succeeded once the money is there."""

    status: str
    amount: int
    amount_received: int
    currency: str
    livemode: bool
    created: int
    customer: str | None = None
    payment_method: str | None = None
    setup_future_usage: str | None = None
    latest_charge: str | None = None
    last_payment_error: PaymentError | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class Refund(Named):
    """Money on its way back: pending, succeeded, failed, canceled, requires_action."""

    amount: int
    currency: str
    status: str | None
    created: int
    payment_intent: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class Movement(Named):
    """A balance transaction: what one fact did to our balance at Stripe."""

    amount: int
    fee: int
    net: int
    type: str
    created: int
    currency: str
    source: str | None = None


class Dispute(Named):
    """A bank's claim. It carries no metadata of ours: it is joined by its payment intent."""

    amount: int
    currency: str
    status: str
    created: int
    payment_intent: str | None = None
    charge: str | None = None
    balance_transactions: list[Movement] = msgspec.field(default_factory=list)

    @property
    def standing(self) -> str:
        """Its status, but `reinstated` when a lost one was paid back after all."""
        moved = sum(movement.amount for movement in self.balance_transactions)
        given_back = len(self.balance_transactions) > 1 and moved >= 0
        return "reinstated" if self.status == "lost" and given_back else self.status


class FraudWarning(Named):
    """An early fraud warning of a card network. `actionable` until refunded or disputed."""

    actionable: bool
    created: int
    payment_intent: str | None = None
    charge: str | None = None


class Preferred(Struct):
    """The card that its owner chose last, in the portal."""

    default_payment_method: str | None = None


class Payer(Named):
    """A customer object: an opaque id of ours on it, the person's words stay at Stripe."""

    livemode: bool
    created: int
    invoice_settings: Preferred | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class Payout(Named):
    """Money that left Stripe for our bank."""

    amount: int
    currency: str
    status: str
    created: int
    arrival_date: int


class Portal(Named):
    """A session of Stripe's own pages. The address opens it for whoever holds it: never log it."""

    url: str

    def __repr__(self) -> str:
        """All but the address."""
        return f"Portal(id={self.id!r}, url='***')"


class Charge(Named):
    """One taking of money; `receipt_url` is Stripe's page of it."""

    created: int
    payment_intent: str | None = None
    receipt_url: str | None = None


class CardFace(Struct):
    """What may be shown of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


class PaymentMethod(Named):
    """A way to pay that its owner left with Stripe; nobody's once it was taken away."""

    card: CardFace | None = None
    customer: str | None = None


class Price(Struct):
    """What an item of a subscription costs a period."""

    unit_amount: int | None
    currency: str


class Item(Named):
    """The one item of a subscription, with the period that is charged."""

    price: Price
    current_period_start: int
    current_period_end: int


class Items(Struct):
    """A list of items."""

    data: list[Item]


class StripeSubscription(Named):
    """A subscription: incomplete, trialing, active, past_due, unpaid, canceled, paused."""

    status: str
    customer: str
    livemode: bool
    created: int
    items: Items
    cancel_at_period_end: bool = False


class _Details(Struct):
    subscription: str | None = None


class _Parent(Struct):
    subscription_details: _Details | None = None


class Invoice(Named):
    """An invoice; its pages are Stripe's. Older API versions name the subscription at the top."""

    created: int
    customer: str | None = None
    subscription: str | None = None
    parent: _Parent | None = None
    status: str | None = None
    number: str | None = None
    total: int = 0
    currency: str = ""
    hosted_invoice_url: str | None = None

    @property
    def subscription_id(self) -> str | None:
        """The subscription that it is of."""
        details = None if self.parent is None else self.parent.subscription_details
        return self.subscription or (None if details is None else details.subscription)


class _PaidBy(Struct):
    payment_intent: str | None = None


class InvoicePayment(Named):
    """A payment that belongs to an invoice, not to an order of ours."""

    payment: _PaidBy
    created: int = 0
