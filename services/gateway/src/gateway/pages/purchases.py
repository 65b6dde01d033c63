"""What payments says of an account's purchases, for the pages: asked, decoded, never guessed."""

from urllib.parse import quote, urlencode

import msgspec
from contracts.billing import (
    CheckoutBody,
    CheckoutShown,
    PurchaseShown,
    PurchasesShown,
    ReceiptShown,
)
from contracts.codec import encode
from contracts.units import MINUTE, Ms
from msgspec import Struct

from gateway.moments import milliseconds
from gateway.pages.visit import Visit
from gateway.passing import Passing, Question
from gateway.problems import Problem, ProblemError, failure

UNFINISHED_MS = 60 * MINUTE  # a checkout that nobody came back from is not news after an hour

_purchases = msgspec.json.Decoder(PurchasesShown).decode
_purchase = msgspec.json.Decoder(PurchaseShown).decode
_receipt = msgspec.json.Decoder(ReceiptShown).decode
_checkout = msgspec.json.Decoder(CheckoutShown).decode
_problem = msgspec.json.Decoder(Problem).decode


class Pending(Struct, frozen=True):
    """A purchase under way. `paid`: the money is there, the credits are on their way."""

    credits: int
    paid: bool
    session_id: str


async def pending(passing: Passing, visit: Visit) -> list[Pending]:
    """Purchases that are paid and not credited, or begun within the last hour."""
    return [
        Pending(found.credits, found.status == "paid", str(found.session_id or ""))
        for found in await every(passing, visit)
        if found.status == "paid"
        or (found.status == "initiated" and _age(found, visit.guest.now) < UNFINISHED_MS)
    ]


async def state(passing: Passing, visit: Visit, session_id: str) -> PurchaseShown | None:
    """The purchase of a checkout session; None when it is not this account's."""
    query = urlencode({"session_id": session_id})
    question = Question("/api/billing/verify-payment", query)
    answer = await passing.ask(visit.guest, visit.request_id, question)
    if answer.status_code in {404, 422}:
        return None
    if answer.status_code != 200:
        raise _failed(answer.content)
    return _purchase(answer.content)


async def checkout(passing: Passing, visit: Visit, order: CheckoutBody, key: str) -> CheckoutShown:
    """A checkout of a pack; the same key gives the same one."""
    question = Question("/api/billing/checkout", body=encode(order), key=key)
    answer = await passing.ask(visit.guest, visit.request_id, question)
    if answer.status_code != 201:
        raise _failed(answer.content)
    return _checkout(answer.content)


async def every(passing: Passing, visit: Visit) -> list[PurchaseShown]:
    """What the account bought, newest first."""
    question = Question("/api/billing/purchases")
    answer = await passing.ask(visit.guest, visit.request_id, question)
    if answer.status_code != 200:
        raise _failed(answer.content)
    return _purchases(answer.content).purchases


async def receipt(passing: Passing, visit: Visit, purchase: str) -> str:
    """Where the payment provider shows what was paid; 404 for another's."""
    question = Question(f"/api/billing/purchases/{quote(purchase, safe='')}/receipt")
    answer = await passing.ask(visit.guest, visit.request_id, question)
    if answer.status_code != 200:
        raise _failed(answer.content)
    return _receipt(answer.content).url


def _age(found: PurchaseShown, now: Ms) -> Ms:
    return now - milliseconds(found.initiated_at)


def _failed(body: bytes) -> ProblemError:
    try:
        return ProblemError(_problem(body))
    except msgspec.DecodeError:
        return failure(503, "payments_unavailable", "Payments gave no answer that we understand.")
