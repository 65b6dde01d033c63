"""The double of Stripe in this very process, for tests without any I/O.

It answers the verbs of `payments.till.Till` by the double's own API, so that the real handling
runs on it; what happens to the money is said by the words of `Happenings`.
"""

import time
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from payments.handling import Hint
from payments.objects import PaymentError
from payments.till import CardRefused, TillDown, TillRefused
from stripe_double import api, desk, params
from stripe_double.control import AnyHappening, happen
from stripe_double.objects import Session
from stripe_double.records import Event
from stripe_double.shelf import Shelf

from tests.unit.payments.stripe_happenings import Happenings

_Object = TypeVar("_Object", bound=Struct)


class Stripe(Happenings):
    """One account at Stripe. `events` are hints in the order in which they were made."""

    def __init__(self) -> None:
        self.now_s = int(time.time())
        self.shelf = Shelf(lambda: self.now_s, "https://checkout.example")
        self.calls = 0

    @property
    def objects(self) -> dict[str, Any]:
        """Everything there is, to be looked at and to be falsified."""
        return self.shelf.objects

    @property
    def events(self) -> list[Hint]:
        return [hint_of(event) for event in self.shelf.events]

    @property
    def sessions(self) -> list[Session]:
        """Oldest first."""
        return list(self.shelf.every(Session))[::-1]

    def happen(self, what: AnyHappening) -> Any:
        return happen(self.shelf, what)

    def session(self, order: str, amount: int, currency: str = "gbp") -> Session:
        """A checkout that nobody of ours began."""
        price = params.NewPrice(
            currency=currency, unit_amount=amount, product_data=params.Product(name="something")
        )
        asked = params.NewSession(
            mode="payment",
            line_items=[params.NewLine(price_data=price)],
            success_url="https://shop.example",
            client_reference_id=order,
        )
        return desk.new_session(self.shelf, asked)

    def get(self, kind: type[_Object], path: str, **_: object) -> _Object:
        return msgspec.json.decode(self._asked("GET", path, {}), type=kind)

    def every(self, kind: type[_Object], path: str, **values: Any) -> Iterator[_Object]:
        after: dict[str, str] = {}
        while True:
            raw = self._asked("GET", path, {**values, "limit": 100, **after})
            page = msgspec.json.decode(raw, type=_Page)
            found = [msgspec.json.decode(one, type=kind) for one in page.data]
            yield from found
            if not page.has_more:
                return
            after = {"starting_after": str(getattr(found[-1], "id", ""))}

    def post(self, kind: type[_Object], path: str, values: Any, key: str) -> _Object:
        return msgspec.json.decode(self._asked("POST", path, values, key), type=kind)

    def _asked(self, method: str, path: str, values: Any, key: str = "") -> bytes:
        """The body of a yes; raises what the till raises."""
        self.calls += 1
        found = api.answer(self.shelf, api.Call(method, path, values, key))
        if found.lost or found.late or found.status >= 500:
            raise TillDown(str(found.status))
        if found.status == 200:
            return found.body
        error = msgspec.json.decode(found.body)["error"]
        if error["type"] == "card_error":
            intent = (error.get("payment_intent") or {}).get("id", "")
            raise CardRefused(PaymentError(error.get("code"), error.get("decline_code")), intent)
        code = error.get("code") or error["type"]
        raise TillRefused(code, missing=found.status == 404)


class _Page(Struct):
    data: list[msgspec.Raw]
    has_more: bool


class _About(Struct):
    id: str
    payment_intent: str | None = None


def hint_of(event: Event) -> Hint:
    """What an event says to the handling."""
    about = msgspec.json.decode(event.data.object, type=_About)
    return Hint(event.type, about.id, about.payment_intent or "")
