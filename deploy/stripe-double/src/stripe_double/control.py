"""What happens at Stripe without anybody calling its API: buyers, banks, months, and faults.

A happening is a value; `happen` makes it so and gives the object that it was about. The tests and
the demo say them over HTTP, and nothing else does.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from stripe_double import billing, checkout, claims, money
from stripe_double.cards import Card, card_of
from stripe_double.faults import Faults
from stripe_double.objects import Dispute, FraudWarning, Intent, Payer, PaymentMethod, Session
from stripe_double.objects import Refund as Refunded
from stripe_double.objects import Subscription as Subscribed
from stripe_double.records import AnyObject
from stripe_double.refusals import Refused
from stripe_double.shelf import Shelf

WORKING_CARD = "4242424242424242"


class Happening(Struct, forbid_unknown_fields=True, tag_field="what"):
    """Something that happens."""


class Pay(Happening, tag="pay"):
    """A buyer pays a session with a card."""

    session: str
    card: str = WORKING_CARD
    confirmed: bool = True


class PayByBank(Happening, tag="pay_by_bank"):
    """A buyer completes a session; the money comes later."""

    session: str


class Settle(Happening, tag="settle"):
    """That money came, or it did not."""

    session: str
    works: bool


class Expire(Happening, tag="expire"):
    """Nobody paid a session in time."""

    session: str


class Refund(Happening, tag="refund"):
    """Somebody refunds in Stripe's dashboard."""

    intent: str
    amount: int | None = None


class RefundTurns(Happening, tag="refund_turns"):
    """A refund fails later, or goes another way."""

    refund: str
    status: str


class Claim(Happening, tag="dispute"):
    """A bank disputes a payment."""

    intent: str
    amount: int
    status: str = "needs_response"


class ClaimTurns(Happening, tag="dispute_turns"):
    """A dispute goes on: under_review, won, lost, reinstated."""

    dispute: str
    status: str


class Warn(Happening, tag="warn"):
    """A card network warns of fraud."""

    intent: str


class Unwarn(Happening, tag="unwarn"):
    """The warning was acted on."""

    warning: str


class Renew(Happening, tag="renew"):
    """A subscription's next period begins."""

    subscription: str
    works: bool = True


class SubscriptionTurns(Happening, tag="subscription_turns"):
    """A subscription ends: canceled, unpaid."""

    subscription: str
    status: str


class Prefer(Happening, tag="prefer"):
    """A payer leaves another card in the portal."""

    payer: str
    card: str


class Remove(Happening, tag="remove"):
    """A payer takes a card away in the portal."""

    card: str


class PayOut(Happening, tag="pay_out"):
    """The balance goes to the bank."""

    currency: str = "gbp"


class Falsify(Happening, tag="falsify"):
    """An object is not what it should be: a difference for the reconciler to find."""

    name: str
    amount_total: int | UnsetType = UNSET
    amount_received: int | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET


AnyHappening: TypeAlias = (
    Pay
    | PayByBank
    | Settle
    | Expire
    | Refund
    | RefundTurns
    | Claim
    | ClaimTurns
    | Warn
    | Unwarn
    | Renew
    | SubscriptionTurns
    | Prefer
    | Remove
    | PayOut
    | Falsify
)

_decode: Callable[[bytes], AnyHappening] = msgspec.json.Decoder(AnyHappening).decode


def decoded(raw: bytes) -> AnyHappening:
    """A happening from JSON; raises Refused."""
    try:
        return _decode(raw)
    except msgspec.DecodeError as why:
        raise Refused(str(why)) from why


def faults(raw: bytes) -> Faults:
    """Faults from JSON; raises Refused."""
    try:
        return msgspec.json.decode(raw, type=Faults)
    except msgspec.DecodeError as why:
        raise Refused(str(why)) from why


def happen(shelf: Shelf, what: AnyHappening) -> AnyObject:
    """Make it so; gives what it was about. Raises Refused and Declined."""
    match what:
        case Pay() | PayByBank() | Settle() | Expire():
            return _checkout(shelf, what)
        case Refund(intent, amount):
            return claims.refund(shelf, shelf.find(Intent, intent), amount)
        case RefundTurns(name, status):
            refund = shelf.find(Refunded, name)
            claims.refund_turns(shelf, refund, status)
            return refund
        case Claim(intent, amount, status):
            return claims.dispute(shelf, shelf.find(Intent, intent), amount, status)
        case ClaimTurns(name, status):
            dispute = shelf.find(Dispute, name)
            claims.dispute_turns(shelf, dispute, status)
            return dispute
        case Warn(intent):
            return claims.warn(shelf, shelf.find(Intent, intent))
        case Unwarn(name):
            warning = shelf.find(FraudWarning, name)
            claims.unwarn(shelf, warning)
            return warning
        case Renew(name, works):
            subscription = shelf.find(Subscribed, name)
            billing.renew(shelf, subscription, works=works)
            return subscription
        case SubscriptionTurns(name, status):
            subscription = shelf.find(Subscribed, name)
            billing.turn(shelf, subscription, status)
            return subscription
        case Prefer(name, typed):
            payer = shelf.find(Payer, name)
            billing.prefer(shelf, _card(typed), payer)
            return payer
        case Remove(name):
            method = shelf.find(PaymentMethod, name)
            billing.remove(shelf, method)
            return method
        case PayOut(currency):
            return money.pay_out(shelf, currency)
        case Falsify():
            return _falsify(shelf, what)


def _checkout(shelf: Shelf, what: Pay | PayByBank | Settle | Expire) -> Session:
    session = shelf.find(Session, what.session)
    match what:
        case Pay(_, typed, confirmed):
            checkout.pay(shelf, session, _card(typed), confirmed=confirmed)
        case PayByBank():
            checkout.pay_by_bank(shelf, session)
        case Settle(_, works):
            checkout.settle(shelf, session, works=works)
        case Expire():
            checkout.expire(shelf, session)
    return session


def _card(typed: str) -> Card:
    if (card := card_of(typed)) is None:
        raise Refused("That is no test card.", param="card")
    return card


def _falsify(shelf: Shelf, what: Falsify) -> AnyObject:
    found = shelf.objects.get(what.name)
    if found is None:
        raise Refused(f"No such object: '{what.name}'", status=404)
    for name in ("amount_total", "amount_received", "amount", "currency"):
        value = getattr(what, name)
        if value is UNSET:
            continue
        if not hasattr(found, name):
            raise Refused(f"{what.name} has no {name}.", param=name)
        setattr(found, name, value)
    shelf.put(found)
    return found
