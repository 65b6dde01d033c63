"""Stripe in memory: objects that change, and an event for each change. No network.

It answers the three verbs of `payments.till.Till`, so that the real handling runs on it.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from payments.objects import (
    InvoicePayment,
    Named,
    Payer,
    Portal,
)
from payments.till import TillDown, TillRefused

from tests.unit.payments.stripe_happenings import Happenings

MONTH_S = 30 * 86_400
_Object = TypeVar("_Object", bound=Struct)


class Stripe(Happenings):
    """One account at Stripe. `events` are hints in the order in which they were made."""

    def get(self, kind: type[_Object], path: str, **_: object) -> _Object:
        self._answers()
        found = self.objects.get(path.rsplit("/", 1)[1])
        if found is None:
            raise TillRefused("resource_missing", missing=True)
        assert isinstance(found, kind)
        return msgspec.json.decode(msgspec.json.encode(found), type=kind)

    def every(self, kind: type[_Object], _path: str, **params: Any) -> Iterator[_Object]:
        self._answers()
        for found in reversed(list(self.objects.values())):
            if isinstance(found, kind) and self._fits(found, params):
                yield msgspec.json.decode(msgspec.json.encode(found), type=kind)

    def post(self, kind: type[_Object], path: str, params: Any, key: str) -> _Object:
        self._answers()
        if key in self.keys:
            before, first = self.keys[key]
            if before != (path, params):
                raise TillRefused("idempotency_error")
            assert isinstance(first, kind)
            return first
        made: Any
        if path == "prices":
            made = Named(self._id("price"))
            self.prices[made.id] = params["unit_amount"]
        elif path.startswith("subscriptions/"):
            made = self._changed(path.rsplit("/", 1)[1], params)
        elif path == "checkout/sessions" and params["mode"] == "subscription":
            made = self.session(params["client_reference_id"], 0)
            made.mode, made.customer = "subscription", params["customer"]
            self.prices[made.id] = params["line_items"][0]["price_data"]["unit_amount"]
        elif path == "checkout/sessions":
            item = params["line_items"][0]["price_data"]
            made = self.session(params["client_reference_id"], item["unit_amount"])
            made.customer = params.get("customer")
            self.kept[made.id] = "setup_future_usage" in params["payment_intent_data"]
        elif path == "customers":
            made = Payer(self._id("cus"), livemode=False, created=self.now_s, **params)
            self.objects[made.id] = made
        elif path == "billing_portal/sessions":
            made = Portal(self._id("bps"), url="https://billing.example/p/secret")
        elif path == "payment_intents":
            made = self._off_session(params)
        elif path == "refunds":
            made = self.refund(
                params["payment_intent"], params["amount"], **params.get("metadata", {})
            )
        else:
            raise AssertionError(path)
        self.keys[key] = ((path, params), made)
        if self.answers_lost:
            self.answers_lost -= 1
            raise TillDown("the answer was lost")
        assert isinstance(made, kind)
        return made

    def _answers(self) -> None:
        self.calls += 1
        if self.down:
            raise TillDown("down")

    @staticmethod
    def _fits(found: Any, params: dict[str, Any]) -> bool:
        if "customer" in params and found.customer != params["customer"]:
            return False
        wanted = params.get("payment_intent")
        if isinstance(found, InvoicePayment) and "payment" in params:
            return bool(found.payment.payment_intent == params["payment"]["payment_intent"])
        if wanted is not None and found.payment_intent != wanted:
            return False
        created = params.get("created")
        return created is None or found.created >= created["gte"]
