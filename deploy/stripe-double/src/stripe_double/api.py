"""The API: which call is which, its parameters checked, its first answer kept under its key.

Pure but for the shelf. The same key with the same question gives the first answer, whatever it was;
with another question it is refused. A question that makes no sense is not remembered.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Struct

from stripe_double import desk, params
from stripe_double.listing import listed
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
from stripe_double.records import Event, Kept
from stripe_double.refusals import Error, Refused, missing
from stripe_double.shelf import Shelf

KEY_LENGTH_MAX = 255
KEYS_KEPT_S = 86_400  # Stripe may forget a key after a day; this one does


class Call(Struct, frozen=True):
    """One request. `values` are the parameters, nested, not yet checked."""

    method: str
    path: str
    values: Mapping[str, object]
    key: str = ""


class Answer(Struct):
    """A status and a body. `lost`: the connection breaks instead; `late`: nobody waits so long."""

    status: int
    body: bytes
    replayed: bool = False
    lost: bool = False
    late: bool = False


_Needs = TypeVar("_Needs", bound=params.Asked)
KINDS: Mapping[str, type[Thing]] = {
    "balance_transactions": Movement,
    "billing_portal/sessions": Portal,
    "charges": Charge,
    "checkout/sessions": Session,
    "customers": Payer,
    "disputes": Dispute,
    "events": Event,
    "invoice_payments": InvoicePayment,
    "invoices": Invoice,
    "payment_intents": Intent,
    "payment_methods": PaymentMethod,
    "payouts": Payout,
    "prices": Price,
    "radar/early_fraud_warnings": FraudWarning,
    "refunds": Refund,
    "subscriptions": Subscription,
}
NEW: Mapping[str, tuple[type[params.Asked], Callable[..., Thing]]] = {
    "billing_portal/sessions": (params.NewPortal, desk.new_portal),
    "checkout/sessions": (params.NewSession, desk.new_session),
    "customers": (params.NewPayer, desk.new_payer),
    "payment_intents": (params.NewIntent, desk.new_intent),
    "prices": (params.NewPrice, desk.new_price),
    "refunds": (params.NewRefund, desk.new_refund),
}
CHANGES: Mapping[tuple[str, str, str], tuple[type[params.Asked], Callable[..., Thing]]] = {
    ("POST", "subscriptions", ""): (params.SubscriptionChange, desk.change_subscription),
    ("DELETE", "subscriptions", ""): (params.Nothing, desk.end_subscription),
    ("POST", "checkout/sessions", "expire"): (params.Nothing, desk.expire_session),
}


def answer(shelf: Shelf, call: Call) -> Answer:
    """Answer one call."""
    if shelf.faults.down:
        return _no(503, Error("api_error", "Something is wrong at our end."))
    try:
        if call.method == "GET":
            return Answer(200, _seen(shelf, call))
        return _done_once(shelf, call)
    except Refused as why:
        return _no(why.status, why.error)


def _done_once(shelf: Shelf, call: Call) -> Answer:
    if len(call.key) > KEY_LENGTH_MAX:
        raise Refused("Idempotency keys have at most 255 characters.")
    asked = _hash(call)
    kept = shelf.keys.get(call.key) if call.key else None
    if kept is not None and kept.created + KEYS_KEPT_S > shelf.now_s:
        if kept.asked != asked:
            message = "Keys for idempotent requests can only be used with the same parameters."
            raise Refused(message, kind="idempotency_error")
        return Answer(kept.status, kept.body, replayed=True)
    do = _change(shelf, call)
    try:
        found = Answer(200, msgspec.json.encode(do()))
    except Refused as why:
        found = _no(why.status, why.error)
    if shelf.faults.fail_after():
        found = _no(500, Error("api_error", "An unknown error occurred."))
    if call.key:
        shelf.remember(
            Kept(
                id=call.key,
                created=shelf.now_s,
                asked=asked,
                status=found.status,
                body=found.body,
            )
        )
    found.lost, found.late = shelf.faults.lose_answer(), shelf.faults.time_out()
    return found


def _change(shelf: Shelf, call: Call) -> Callable[[], Thing]:
    room, name, verb = _parts(call.path)
    if not name:
        if call.method != "POST" or room not in NEW:
            raise _unknown(call)
        needs, make = NEW[room]
        asked = _checked(call.values, needs)
        return lambda: make(shelf, asked)
    if (call.method, room, verb) not in CHANGES:
        raise _unknown(call)
    needs, change = CHANGES[call.method, room, verb]
    asked = _checked(call.values, needs)
    return lambda: change(shelf, shelf.find(KINDS[room], name), asked)


def _seen(shelf: Shelf, call: Call) -> bytes:
    room, name, verb = _parts(call.path)
    if (room, verb) == ("customers", "payment_methods"):
        payer = shelf.find(Payer, name)
        return listed(
            shelf, PaymentMethod, _checked({**call.values, "customer": payer.id}, params.Listing)
        )
    if verb:
        raise _unknown(call)
    if not name:
        return listed(shelf, KINDS[room], _checked(call.values, params.Listing))
    _checked(call.values, params.Nothing)
    if room == "events":
        for event in shelf.events:
            if event.id == name:
                return msgspec.json.encode(event)
        raise missing("event", name)
    return msgspec.json.encode(shelf.find(KINDS[room], name))


def _checked(values: Mapping[str, object], kind: type[_Needs]) -> _Needs:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as why:
        unknown = "unknown field" in str(why)
        code = "parameter_unknown" if unknown else "parameter_invalid"
        raise Refused(f"{why}", code=code, param=str(why).rpartition("$.")[2]) from why


def _parts(path: str) -> tuple[str, str, str]:
    """Room, id and verb of a path."""
    for room in KINDS:
        if path == room:
            return room, "", ""
        if path.startswith(f"{room}/"):
            name, _, verb = path.removeprefix(f"{room}/").partition("/")
            return room, name, verb
    raise Refused(f"Unrecognized request URL (/v1/{path}).", status=404)


def _unknown(call: Call) -> Refused:
    return Refused(f"Unrecognized request URL ({call.method}: /v1/{call.path}).", status=404)


def _hash(call: Call) -> str:
    whole = msgspec.json.encode((call.method, call.path, call.values), order="deterministic")
    return sha256(whole).hexdigest()


def _no(status: int, error: Error) -> Answer:
    return Answer(status, msgspec.json.encode({"error": error}))
