"""Lists: newest first, filtered by what an object names, a page at a time."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from stripe_double.objects import InvoicePayment, Thing
from stripe_double.params import Listing
from stripe_double.records import Event
from stripe_double.refusals import missing
from stripe_double.shelf import Shelf

FILTERS = {
    "customer": "customer",
    "payment_intent": "payment_intent",
    "charge": "charge",
    "payout": "paid_out_by",  # Stripe filters by it and does not show it
    "type": "type",
}


class Page(Struct, tag_field="object", tag="list"):
    """One page of a list."""

    data: list[Thing]
    has_more: bool
    url: str = "/v1"


def listed(shelf: Shelf, kind: type[Thing], asked: Listing) -> bytes:
    """One page, encoded; raises Refused for a cursor that is not there."""
    every: Iterable[Thing] = reversed(shelf.events) if kind is Event else shelf.every(kind)
    found = [x for x in every if _fits(x, asked)]
    if asked.starting_after is not None:
        at = next((n for n, x in enumerate(found) if x.id == asked.starting_after), None)
        if at is None:
            raise missing("object", asked.starting_after)
        found = found[at + 1 :]
    return msgspec.json.encode(Page(found[: asked.limit], len(found) > asked.limit))


def _fits(thing: Thing, asked: Listing) -> bool:
    if not asked.created.holds(thing.created):
        return False
    if asked.payment is not None:
        paid = asked.payment.payment_intent
        return isinstance(thing, InvoicePayment) and thing.payment.payment_intent == paid
    return all(
        getattr(thing, shown, None) == wanted
        for name, shown in FILTERS.items()
        if (wanted := getattr(asked, name)) is not None
    )
