"""The shelf: every object of one Stripe by its id, its events in order, and its remembered keys.

Whoever changes an object puts it back, so that what is kept outside can follow (`wrote`).
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeAlias, TypeVar

import msgspec

from stripe_double.faults import Faults
from stripe_double.objects import Thing
from stripe_double.records import AnyObject, Carried, Event, Kept
from stripe_double.refusals import missing

PREFIXES = {
    "balance_transaction": "txn",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "customer": "cus",
    "dispute": "dp",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "payment_intent": "pi",
    "payment_method": "pm",
    "payout": "po",
    "price": "price",
    "radar.early_fraud_warning": "issfr",
    "refund": "re",
    "subscription": "sub",
    "subscription_item": "si",
}

AnyKept: TypeAlias = AnyObject | Event | Kept
_Thing = TypeVar("_Thing", bound=Thing)


class Shelf:
    """One account at Stripe. `series` keeps its ids apart from those of an earlier life."""

    def __init__(self, clock: Callable[[], int], page: str, series: str = "") -> None:
        self.clock = clock
        self.page = page  # where the hosted pages are
        self.faults = Faults()
        self.objects: dict[str, AnyObject] = {}
        self.events: list[Event] = []
        self.keys: dict[str, Kept] = {}
        self.wrote: Callable[[AnyKept], None] = _nobody
        self.made: Callable[[Event], None] = _nobody
        self._series = series
        self._numbers = count(1)

    @property
    def now_s(self) -> int:
        """The time, in seconds."""
        return self.clock()

    def name(self, kind: str) -> str:
        """An id that nothing has yet."""
        return f"{PREFIXES[kind]}_{self._series}{next(self._numbers):06d}"

    def put(self, thing: AnyObject) -> None:
        """Keep an object as it is now."""
        self.objects[thing.id] = thing
        self.wrote(thing)

    def find(self, kind: type[_Thing], name: str | None) -> _Thing:
        """The object of this id; raises Refused with 404."""
        found = self.objects.get(name or "")
        if not isinstance(found, kind):
            raise missing(str(kind.__struct_config__.tag), name or "")
        return found

    def every(self, kind: type[_Thing]) -> Iterator[_Thing]:
        """All of a kind, newest first."""
        return (x for x in reversed(list(self.objects.values())) if isinstance(x, kind))

    def say(self, what: str, thing: AnyObject) -> None:
        """Make the event of a change, with the object as it is now."""
        self.put(thing)
        if self.faults.never_make():
            return
        event = Event(
            id=self.name("event"),
            created=self.now_s,
            type=what,
            data=Carried(msgspec.Raw(msgspec.json.encode(thing))),
        )
        self.events.append(event)
        self.wrote(event)
        self.made(event)

    def remember(self, kept: Kept) -> None:
        """Keep the first answer under a key."""
        self.keys[kept.id] = kept
        self.wrote(kept)


def _nobody(_: object) -> None:
    """Keeps and hears nothing."""
