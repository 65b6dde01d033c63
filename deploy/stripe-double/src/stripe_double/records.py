"""What is kept beside the objects: the event of each change, and the first answer of each key."""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from stripe_double.objects import (
    Charge,
    Dispute,
    FraudWarning,
    Intent,
    Invoice,
    InvoicePayment,
    Movement,
    Payer,
    PaymentMethod,
    Payout,
    Portal,
    Price,
    Refund,
    Session,
    Subscription,
    Thing,
)

AnyObject: TypeAlias = (
    Session
    | Intent
    | Charge
    | Refund
    | Movement
    | Dispute
    | FraudWarning
    | Payout
    | PaymentMethod
    | Payer
    | Price
    | Subscription
    | Invoice
    | InvoicePayment
    | Portal
)


class Carried(Struct):
    """The object as it was when the event was made."""

    object: msgspec.Raw


class Event(Thing, kw_only=True, tag="event"):
    """Something changed. `pending_webhooks` is 0 once the endpoint has acknowledged it."""

    type: str
    data: Carried
    api_version: str = "2026-04-22.dahlia"
    pending_webhooks: int = 1


class Kept(Thing, kw_only=True, tag="idempotency_key"):
    """The first answer under an idempotency key, and the hash of what was asked."""

    asked: str
    status: int
    body: bytes
