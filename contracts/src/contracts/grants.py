"""What kind of credits there are, and how they are described when they travel."""

from enum import StrEnum

from msgspec import Struct

from contracts.units import Credits, Ms


class GrantKind(StrEnum):
    """Where credits came from; decides how finance counts them."""

    PAID = "paid"
    PLAN = "plan"
    PROMO = "promo"
    GIFT = "gift"
    GOODWILL = "goodwill"
    TOPUP = "topup"


class CostBasis(Struct, frozen=True, gc=False, rename="camel"):
    """What was paid for a grant: minor units (pence, cents) of an ISO 4217 currency."""

    amount_minor: int
    currency: str


class Part(Struct, frozen=True, gc=False, rename="camel"):
    """Credits that travel together: what kind of lot they become, how it burns, when it expires."""

    kind: GrantKind
    amount: Credits
    priority: int
    expires_at: Ms
