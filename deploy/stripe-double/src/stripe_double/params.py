"""What may be asked for: the parameters of each call, and no others.

A parameter that is not named here is refused, as Stripe refuses it; more than payments uses is not
offered.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from stripe_double.objects import Switch

Minor = Annotated[int, Meta(ge=0, le=99_999_999)]
Text = Annotated[str, Meta(max_length=500)]
Currency = Annotated[str, Meta(pattern="^[a-z]{3}$")]
Address = Annotated[str, Meta(pattern="^https?://", max_length=2048)]
PAGE_MAX = 100  # Stripe's largest
LATEST_S = 86_400  # a session's longest life


class Asked(Struct, forbid_unknown_fields=True, kw_only=True):
    """What every call may carry."""

    expand: list[Text] = field(default_factory=list)  # taken, and nothing is ever expanded
    metadata: dict[str, Text] = field(default_factory=dict)


class _Part(Struct, forbid_unknown_fields=True, kw_only=True):
    """A part of a call."""


class Product(_Part):
    """What is sold."""

    name: Text
    description: Text = ""


class Repeats(_Part):
    """How often it is paid for."""

    interval: Literal["month"]


class NewPrice(Asked, kw_only=True):
    """POST prices, and `price_data`."""

    currency: Currency
    unit_amount: Minor
    product_data: Product
    recurring: Repeats | None = None


class NewLine(_Part):
    """A line of a checkout."""

    price_data: NewPrice
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1


class IntentOf(_Part):
    """What a session's payment is to carry."""

    metadata: dict[str, Text] = field(default_factory=dict)
    setup_future_usage: Literal["off_session", "on_session"] | None = None


class Updates(_Part):
    """What a checkout may write to its payer."""

    name: Literal["auto", "never"] = "never"
    address: Literal["auto", "never"] = "never"


class NewSession(Asked, kw_only=True):
    """POST checkout/sessions."""

    mode: Literal["payment", "subscription"]
    line_items: Annotated[list[NewLine], Meta(min_length=1, max_length=20)]
    success_url: Address
    cancel_url: Address | None = None
    client_reference_id: Annotated[str, Meta(max_length=200)] | None = None
    customer: Text | None = None
    customer_update: Updates | None = None
    payment_intent_data: IntentOf | None = None
    invoice_creation: Switch = field(default_factory=Switch)
    tax_id_collection: Switch = field(default_factory=Switch)
    expires_at: int | None = None


class NewIntent(Asked, kw_only=True):
    """POST payment_intents: only off-session, by a kept card."""

    amount: Annotated[int, Meta(ge=30, le=99_999_999)]
    currency: Currency
    customer: Text
    payment_method: Text
    off_session: bool
    confirm: bool


class NewRefund(Asked, kw_only=True):
    """POST refunds."""

    payment_intent: Text
    amount: Annotated[int, Meta(ge=1)] | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class NewPayer(Asked, kw_only=True):
    """POST customers."""

    name: Text | None = None


class NewPortal(Asked, kw_only=True):
    """POST billing_portal/sessions."""

    customer: Text
    return_url: Address


class ItemChange(_Part):
    """Another price for an item."""

    id: Text
    price: Text


class SubscriptionChange(Asked, kw_only=True):
    """POST subscriptions/ and its id."""

    items: list[ItemChange] = field(default_factory=list)
    proration_behavior: Literal["always_invoice", "create_prorations", "none"] = "always_invoice"
    cancel_at_period_end: bool | None = None


class Nothing(Asked, kw_only=True):
    """A call without parameters."""


class Range(_Part):
    """Between two moments."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None

    def holds(self, moment: int) -> bool:
        """Whether a moment lies within."""
        return (
            (self.gt is None or moment > self.gt)
            and (self.gte is None or moment >= self.gte)
            and (self.lt is None or moment < self.lt)
            and (self.lte is None or moment <= self.lte)
        )


class PaidWith(_Part):
    """The payment that invoices are looked for by."""

    type: Literal["payment_intent"]
    payment_intent: Text


class Listing(Asked, kw_only=True):
    """A list: newest first, a page at a time, filtered by what the objects name."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 10
    starting_after: Text | None = None
    created: Range = field(default_factory=Range)
    customer: Text | None = None
    payment_intent: Text | None = None
    charge: Text | None = None
    payout: Text | None = None
    type: Text | None = None
    payment: PaidWith | None = None
