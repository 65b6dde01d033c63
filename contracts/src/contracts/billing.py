"""Buying over HTTP: the shapes that payments gives and the gateway documents and passes on.

camelCase, whole numbers, amounts of money in minor units (pence, cents), RFC 3339 in UTC.
"""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from contracts.units import Credits

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class CheckoutBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Which pack. With `save_card` the buyer lets us charge the card again for top-ups."""

    pack_id: Name
    save_card: bool = False


class TopUpBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Which pack to charge to the saved card."""

    pack_id: Name


class TopUpShown(Struct, rename="camel"):
    """A top-up that was asked for; its state is in the list of purchases."""

    purchase_id: str
    status: str


class SubscribeBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Which plan to pay for each month."""

    plan_id: Name


class SubscriptionShown(Struct, rename="camel", omit_defaults=True):
    """A subscription. `url` is where to pay when it has just been asked for."""

    status: str
    plan_id: str = ""
    period_ends_at: datetime | UnsetType = UNSET
    ends_with_period: bool = False
    url: str | UnsetType = UNSET


class InvoiceShown(Struct, rename="camel", omit_defaults=True):
    """An invoice. `url` is Stripe's page of it, with the receipt once it is paid."""

    invoice_id: str
    created_at: datetime
    amount_minor: int
    currency: str
    status: str = ""
    number: str = ""
    url: str = ""


class InvoicesShown(Struct):
    """An account's invoices, newest first."""

    invoices: list[InvoiceShown]


class CardShown(Struct, rename="camel"):
    """A card, as far as it may be shown. `for_top_ups`: the one that top-ups charge."""

    brand: str
    last4: str
    expires_month: int
    expires_year: int
    for_top_ups: bool


class CardsShown(Struct, rename="camel"):
    """An account's cards at Stripe, newest first."""

    payment_methods: list[CardShown]


class ReceiptShown(Struct):
    """Stripe's page of what was paid."""

    url: str


class PortalShown(Struct):
    """Stripe's own pages for cards, receipts and invoices. Good once, for whoever has it."""

    url: str


class RefundBody(Struct, rename="camel", forbid_unknown_fields=True):
    """How much of the money to give back (all that is left when omitted), and why."""

    reason: Annotated[str, Meta(pattern="^[a-z_]{1,64}$")]
    amount_minor: int | None = None


class CheckoutShown(Struct, rename="camel"):
    """Where to pay."""

    purchase_id: str
    session_id: str
    url: str


class PurchaseShown(Struct, rename="camel", omit_defaults=True):
    """A purchase as its owner sees it."""

    purchase_id: str
    status: str
    pack_id: str
    credits: Credits
    amount_minor: int
    currency: str
    initiated_at: datetime
    paid_at: datetime | UnsetType = UNSET
    credited_at: datetime | UnsetType = UNSET
    session_id: str | UnsetType = UNSET


class PurchasesShown(Struct):
    """What an account bought, newest first."""

    purchases: list[PurchaseShown]


class RefundShown(Struct, rename="camel"):
    """A refund that was asked for; it is settled when Stripe says so."""

    refund_id: str
    status: str
