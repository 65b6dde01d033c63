"""Three pictures compared: matched, timing, missing here, missing there, amount differs. Pure.

`here` is our books, `there` is Stripe or, for a grant, the ledger. What is younger than the time
that deliveries take is timing, not a difference.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from contracts.units import MINUTE, Ms
from msgspec import Struct

from payments.effects import effect_id
from payments.index import Listed
from payments.objects import Intent
from payments.picture import Pictures
from payments.purchase import Purchase

YOUNG_MS = 15 * MINUTE  # a delivery and its first retries; the relay is far quicker


class State(StrEnum):
    """How two pictures of one thing compare."""

    MATCHED = "matched"
    TIMING = "timing"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"


class Finding(Struct):
    """One thing compared. `repaired`: looking again put it right."""

    what: str
    name: str
    state: State
    detail: str = ""
    repaired: bool = False


Books = Callable[[str], Purchase]


def compare(pictures: Pictures, books: Books, now: Ms) -> Iterator[Finding]:
    """Every payment, refund, dispute, grant, movement and payout, once."""
    session_of = pictures.stripe.session_of
    by_object = {name: row for row in pictures.orders for name in (row.session, row.intent) if name}
    orders = {
        intent.id: by_object.get(intent.id) or by_object.get(session_of.get(intent.id, ""))
        for intent in pictures.stripe.intents
    }
    yield from _payments(pictures, orders, now)
    yield from _parts(pictures, by_object, orders, books, now)
    yield from _grants(pictures, now)
    yield from _movements(pictures, now)
    yield from _payouts(pictures)


def _payments(
    pictures: Pictures, orders: Mapping[str, Listed | None], now: Ms
) -> Iterator[Finding]:
    invoiced = pictures.stripe.invoiced
    succeeded = {
        x.id: x
        for x in pictures.stripe.intents
        if x.status == "succeeded" and (orders[x.id] is not None or x.id not in invoiced)
    }
    for intent in succeeded.values():
        order = orders[intent.id]
        if order is None:
            found = Finding("payment", intent.id, State.MISSING_HERE, "no order of ours")
        elif not _fits(intent, order):
            found = Finding("payment", intent.id, State.AMOUNT_DIFFERS, order.purchase)
        elif not order.paid_at:
            found = Finding("payment", intent.id, State.MISSING_HERE, order.purchase)
        else:
            found = Finding("payment", intent.id, State.MATCHED)
        yield _aged(found, intent.created * 1000, now)
    for order in pictures.orders:
        if order.paid_at >= pictures.start and order.intent not in succeeded:
            found = Finding("payment", order.intent, State.MISSING_THERE, order.purchase)
            yield _aged(found, order.paid_at, now)


def _parts(
    pictures: Pictures,
    by_object: Mapping[str, Listed],
    orders: Mapping[str, Listed | None],
    books: Books,
    now: Ms,
) -> Iterator[Finding]:
    """Refunds and disputes: Stripe's against those of the purchase, and the other way round."""
    refunds = {x.id: x for x in pictures.stripe.refunds}
    disputes = {x.id: x for x in pictures.stripe.disputes}
    touched = {"partly_refunded", "refunded", "disputed", "lost", "reinstated"}
    known = {x.intent: books(x.purchase) for x in pictures.orders if x.state in touched}

    def purchase_of(intent: str) -> Purchase | None:
        order = orders.get(intent) or by_object.get(intent)
        return None if order is None else known.setdefault(intent, books(order.purchase))

    for refund in refunds.values():
        purchase = purchase_of(refund.payment_intent or "")
        part = None if purchase is None else purchase.refunds.get(refund.id)
        if part is None or part.status != (refund.status or "pending"):
            found = Finding("refund", refund.id, State.MISSING_HERE, refund.payment_intent or "")
        elif part.amount_minor != refund.amount:
            found = Finding("refund", refund.id, State.AMOUNT_DIFFERS)
        else:
            found = Finding("refund", refund.id, State.MATCHED)
        yield _aged(found, refund.created * 1000, now)
    for dispute in disputes.values():
        purchase = purchase_of(dispute.payment_intent or "")
        claim = None if purchase is None else purchase.disputes.get(dispute.id)
        if claim is None or claim.status != dispute.standing:
            found = Finding("dispute", dispute.id, State.MISSING_HERE)
        elif claim.amount_minor != dispute.amount:
            found = Finding("dispute", dispute.id, State.AMOUNT_DIFFERS)
        else:
            found = Finding("dispute", dispute.id, State.MATCHED)
        yield _aged(found, dispute.created * 1000, now)
    for purchase in known.values():
        if purchase.paid_at < pictures.start:
            continue  # its parts may be older than the window
        for name in (*purchase.refunds, *purchase.disputes):
            if name not in refunds and name not in disputes:
                what = "refund" if name in purchase.refunds else "dispute"
                yield Finding(what, name, State.MISSING_THERE, purchase.purchase)


def _grants(pictures: Pictures, now: Ms) -> Iterator[Finding]:
    lots = {lot.source: lot for lot in pictures.ledger.lots}
    expected = set()
    for order in pictures.orders:
        if not order.paid_at or order.paid_at < pictures.start:
            continue
        source = effect_id(order.intent, "paid")
        expected.add(source)
        lot = lots.get(source)
        if lot is None:
            found = Finding("grant", source, State.MISSING_THERE, order.purchase)
        elif (lot.amount, lot.account) != (order.credits, order.account):
            found = Finding("grant", source, State.AMOUNT_DIFFERS, order.purchase)
        else:
            found = Finding("grant", source, State.MATCHED)
        yield _aged(found, order.paid_at, now)
    for source, lot in lots.items():
        if source not in expected and source.endswith(":paid"):
            yield Finding("grant", source, State.MISSING_HERE, lot.account)


def _movements(pictures: Pictures, now: Ms) -> Iterator[Finding]:
    """Each payment moved our balance at Stripe by its amount."""
    moved = {x.source: x for x in pictures.stripe.movements if x.type in {"charge", "payment"}}
    for intent in pictures.stripe.intents:
        if intent.status != "succeeded" or not intent.latest_charge:
            continue
        movement = moved.get(intent.latest_charge)
        if movement is None:
            found = Finding("movement", intent.latest_charge, State.MISSING_THERE, intent.id)
        elif movement.amount != intent.amount_received:
            found = Finding("movement", intent.latest_charge, State.AMOUNT_DIFFERS, intent.id)
        else:
            found = Finding("movement", intent.latest_charge, State.MATCHED)
        yield _aged(found, intent.created * 1000, now)


def _payouts(pictures: Pictures) -> Iterator[Finding]:
    """A payout is the sum of what it pays out, itself left out; one on its way is not judged."""
    for payout in pictures.stripe.payouts:
        parts = [x for x in pictures.stripe.paid_out[payout.id] if x.type != "payout"]
        if payout.status not in {"paid", "in_transit"} or not parts:
            yield Finding("payout", payout.id, State.TIMING, payout.status)
        elif sum(part.net for part in parts) != payout.amount:
            yield Finding("payout", payout.id, State.AMOUNT_DIFFERS, str(payout.amount))
        else:
            yield Finding("payout", payout.id, State.MATCHED)


def _fits(intent: Intent, order: Listed) -> bool:
    paid = (intent.amount_received, intent.currency.upper())
    return paid == (order.price_minor, order.currency)


def _aged(found: Finding, since: Ms, now: Ms) -> Finding:
    missing = found.state in {State.MISSING_HERE, State.MISSING_THERE}
    if missing and now - since < YOUNG_MS:
        found.state = State.TIMING
    return found
