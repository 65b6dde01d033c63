"""Stripe's objects, with the fields that its API has and somebody here reads or shows.

`object` names the kind, as in Stripe's JSON. Amounts are minor units, times are seconds since the
epoch. No card number is ever kept: a payment method knows a brand and four digits.
"""

from msgspec import Struct, field


class Thing(Struct, kw_only=True, tag_field="object"):
    """What all of them have."""

    id: str
    created: int
    livemode: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


class Recurring(Struct):
    """How often a price falls due."""

    interval: str = "month"


class Price(Thing, kw_only=True, tag="price"):
    """What one of something costs, once or every month."""

    unit_amount: int
    currency: str
    nickname: str = ""
    recurring: Recurring | None = None


class Line(Struct):
    """So many of one price."""

    price: Price
    quantity: int = 1

    @property
    def amount(self) -> int:
        """What the line costs."""
        return self.price.unit_amount * self.quantity


class Lines(Struct):
    """The lines of a session."""

    data: list[Line]


class Switch(Struct):
    """Something that is on or off."""

    enabled: bool = False


class Session(Thing, kw_only=True, tag="checkout.session"):
    """A checkout. `setup_future_usage` and `intent_metadata` wait here for its payment intent."""

    mode: str
    status: str = "open"
    payment_status: str = "unpaid"
    amount_total: int
    currency: str
    expires_at: int
    url: str | None
    success_url: str
    cancel_url: str = ""
    client_reference_id: str | None = None
    customer: str | None = None
    payment_intent: str | None = None
    subscription: str | None = None
    invoice: str | None = None
    line_items: Lines
    invoice_creation: Switch = field(default_factory=Switch)
    setup_future_usage: str | None = None
    intent_metadata: dict[str, str] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What is bought, in one line."""
        return ", ".join(line.price.nickname for line in self.line_items.data)


class PaymentError(Struct):
    """Why a payment did not happen."""

    code: str
    decline_code: str | None = None
    message: str = ""
    type: str = "card_error"


class Intent(Thing, kw_only=True, tag="payment_intent"):
    """One payment on its way."""

    status: str
    amount: int
    currency: str
    amount_received: int = 0
    customer: str | None = None
    payment_method: str | None = None
    setup_future_usage: str | None = None
    latest_charge: str | None = None
    last_payment_error: PaymentError | None = None


class Charge(Thing, kw_only=True, tag="charge"):
    """One taking of money. `amount_refunded` adds up all refunds that did not fail."""

    amount: int
    currency: str
    payment_intent: str | None
    amount_refunded: int = 0
    refunded: bool = False
    disputed: bool = False
    paid: bool = True
    status: str = "succeeded"
    balance_transaction: str | None = None
    payment_method: str | None = None
    receipt_url: str | None = None


class Refund(Thing, kw_only=True, tag="refund"):
    """Money on its way back."""

    amount: int
    currency: str
    status: str
    payment_intent: str | None
    charge: str | None = None
    reason: str | None = None
    balance_transaction: str | None = None


class Movement(Thing, kw_only=True, tag="balance_transaction"):
    """What one fact did to the balance. `paid_out_by` is the double's own: lists filter by it."""

    amount: int
    fee: int
    net: int
    type: str
    currency: str
    source: str | None
    paid_out_by: str | None = None
    status: str = "available"


class Dispute(Thing, kw_only=True, tag="dispute"):
    """A bank's claim. It carries no metadata of the shop."""

    amount: int
    currency: str
    status: str
    payment_intent: str | None
    charge: str | None
    reason: str = "fraudulent"
    balance_transactions: list[Movement] = field(default_factory=list)


class FraudWarning(Thing, kw_only=True, tag="radar.early_fraud_warning"):
    """A card network's early warning."""

    actionable: bool
    payment_intent: str | None
    charge: str | None
    fraud_type: str = "unauthorized_use_of_card"


class Payout(Thing, kw_only=True, tag="payout"):
    """Money that left for the bank; on the balance it is a movement of its own."""

    amount: int
    currency: str
    arrival_date: int
    status: str = "paid"


class CardFace(Struct):
    """What may be shown of a card."""

    brand: str
    last4: str
    exp_month: int = 12
    exp_year: int = 2040


class PaymentMethod(Thing, kw_only=True, tag="payment_method"):
    """A card or a bank account. `behaves` is the double's own: which test card it is."""

    type: str = "card"
    card: CardFace | None = None
    customer: str | None = None
    behaves: str = "works"


class Preferred(Struct):
    """The card that its owner chose last."""

    default_payment_method: str | None = None


class Payer(Thing, kw_only=True, tag="customer"):
    """Who pays; the shop's opaque id is in the metadata."""

    name: str | None = None
    invoice_settings: Preferred = field(default_factory=Preferred)


class Item(Struct, kw_only=True):
    """What a subscription is of, with the period that is charged."""

    id: str
    price: Price
    current_period_start: int
    current_period_end: int
    quantity: int = 1
    object: str = "subscription_item"


class Items(Struct):
    """A list of items."""

    data: list[Item]


class Subscription(Thing, kw_only=True, tag="subscription"):
    """Something that is paid for every month."""

    status: str
    customer: str
    items: Items
    cancel_at_period_end: bool = False
    latest_invoice: str | None = None


class Details(Struct):
    """Which subscription an invoice is of."""

    subscription: str


class Parent(Struct):
    """Where an invoice comes from."""

    subscription_details: Details
    type: str = "subscription_details"


class Invoice(Thing, kw_only=True, tag="invoice"):
    """A bill with pages of its own."""

    customer: str | None
    number: str
    status: str
    total: int
    currency: str
    hosted_invoice_url: str
    description: str = ""
    parent: Parent | None = None


class PaidBy(Struct):
    """The payment of an invoice."""

    payment_intent: str
    type: str = "payment_intent"


class InvoicePayment(Thing, kw_only=True, tag="invoice_payment"):
    """A payment that belongs to an invoice."""

    invoice: str
    payment: PaidBy
    amount_paid: int
    status: str = "paid"


class Portal(Thing, kw_only=True, tag="billing_portal.session"):
    """An hour's access to the payer's own pages."""

    customer: str
    return_url: str
    url: str
