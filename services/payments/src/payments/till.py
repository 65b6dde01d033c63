"""The till: every call to Stripe, each with a timeout, two retries, a key, and its own circuit.

One decode at the door into `objects`; nothing behind it knows Stripe's library. Synchronous: call
it from a thread. `TillDown` means that nobody knows whether it happened: ask again by the same key.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeAlias, TypeVar

import msgspec
import stripe
from msgspec import Struct

from payments.circuit import CircuitOpen, Circuits
from payments.objects import Named, PaymentError

CONNECT_S = 2.0  # a loopback or a nearby region answers in milliseconds
READ_S = 10.0  # a confirmed payment may ask a bank
RETRIES = 2
PAGE = 100  # Stripe's largest

Value: TypeAlias = str | int | bool | Mapping[str, "Value"] | list["Value"]
Params: TypeAlias = Mapping[str, Value]
_Object = TypeVar("_Object", bound=Struct)
_Named = TypeVar("_Named", bound=Named)


class TillDown(RuntimeError):
    """Stripe cannot be asked now, or did not answer; the outcome is unknown."""


class TillRefused(RuntimeError):
    """Stripe said no. `code` is its word for why; `missing` when the object does not exist."""

    def __init__(self, code: str, *, missing: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.missing = missing


class CardRefused(RuntimeError):
    """The card was declined, or its owner must confirm. Carries the intent that failed."""

    def __init__(self, error: PaymentError, intent: str) -> None:
        super().__init__(error.decline_code or error.code or "declined")
        self.error = error
        self.intent = intent


class Till:
    """One connection to Stripe's API. Thread-safe."""

    def __init__(self, key: str, api_base: str, circuits: Circuits) -> None:
        self.circuits = circuits
        self._stripe = stripe.StripeClient(
            key,
            base_addresses={"api": api_base},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=(CONNECT_S, READ_S)),
        )

    def get(self, kind: type[_Object], path: str, **params: Value) -> _Object:
        """One object as it is now."""
        return self._call("get", kind, path, params)

    def post(self, kind: type[_Object], path: str, params: Params, key: str) -> _Object:
        """Ask for something, under an idempotency key: the same key asks once."""
        return self._call("post", kind, path, params, key=key)

    def delete(self, kind: type[_Object], path: str, key: str) -> _Object:
        """End something."""
        return self._call("delete", kind, path, {}, key=key)

    def every(self, kind: type[_Named], path: str, **params: Value) -> Iterator[_Named]:
        """All objects of a list, newest first, page by page."""
        page_of: type[_Page[_Named]] = _Page[kind]  # type: ignore[valid-type]
        after: dict[str, Value] = {}
        while True:
            page = self._call("get", page_of, path, {**params, "limit": PAGE, **after})
            yield from page.data
            if not (page.has_more and page.data):
                return
            after = {"starting_after": page.data[-1].id}

    def _call(
        self, method: str, kind: type[_Object], path: str, params: Params, *, key: str = ""
    ) -> _Object:
        operation = f"{method} {_shape(path)}"
        try:
            self.circuits.ask(operation)
        except CircuitOpen as why:
            raise TillDown(f"{operation}: resting after failures") from why
        options = {"idempotency_key": key} if key else {}
        try:
            answer = self._stripe.raw_request(method, f"/v1/{path}", **params, **options)
        except stripe.CardError as why:
            self.circuits.succeeded(operation)
            raise _card_refused(why) from why
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as why:
            self.circuits.succeeded(operation)
            missing = why.http_status == 404 or why.code == "resource_missing"
            raise TillRefused(str(why.code or "invalid_request"), missing=missing) from why
        except stripe.StripeError as why:
            self.circuits.failed(operation)
            raise TillDown(f"{operation}: {type(why).__name__} {why.http_status or ''}") from why
        self.circuits.succeeded(operation)
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.DecodeError as why:
            raise TillDown(f"{operation}: an answer that cannot be read: {why}") from why


class _Page(Struct, Generic[_Named]):
    data: list[_Named]
    has_more: bool = False


def _shape(path: str) -> str:
    """The path without ids: what a circuit and a metric are named by."""
    return "/".join(
        "…" if "_" in part and any(c.isdigit() for c in part) else part for part in path.split("/")
    )


def _card_refused(why: stripe.CardError) -> CardRefused:
    error = why.json_body.get("error", {}) if isinstance(why.json_body, Mapping) else {}
    intent = error.get("payment_intent") or {}
    return CardRefused(
        PaymentError(error.get("code"), error.get("decline_code"), error.get("advice_code")),
        str(intent.get("id", "")),
    )
