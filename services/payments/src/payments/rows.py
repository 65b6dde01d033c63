"""The rows that follow from a purchase's events: what is looked up, listed, and still to be done.

They are read models: everything in them can be derived from the streams again.
"""

from collections.abc import Mapping

from msgspec import Struct

from payments.payer import Payer
from payments.purchase import Purchase
from payments.refusal import Refusal

REFUND = "refund"  # kinds of errands
TOP_UP = "top_up"

_PURCHASE = """
INSERT INTO payments.purchases (purchase, account, pack, credits, price_minor, currency, way,
  session, intent, state, quarantine, initiated_at, paid_at, credited_at, changed_at, frozen)
VALUES (%(purchase)s, %(account)s, %(pack)s, %(credits)s, %(price_minor)s, %(currency)s, %(way)s,
  %(session)s, %(intent)s, %(state)s, %(quarantine)s, %(initiated_at)s, %(paid_at)s,
  %(credited_at)s, %(changed_at)s, %(frozen)s)
ON CONFLICT (purchase) DO UPDATE SET session = excluded.session, intent = excluded.intent,
  state = excluded.state, quarantine = excluded.quarantine, paid_at = excluded.paid_at,
  credited_at = excluded.credited_at, changed_at = excluded.changed_at, frozen = excluded.frozen
"""
_OBJECT = """
INSERT INTO payments.objects (object, stream) VALUES (%(object)s, %(stream)s)
ON CONFLICT (object) DO NOTHING
"""
_ERRAND = """
INSERT INTO payments.errands (stream, kind, name) VALUES (%(stream)s, %(kind)s, %(name)s)
ON CONFLICT DO NOTHING
"""
_REFUSED = """
INSERT INTO payments.refusals (refusal, account, command, kind, reason, refused_at)
VALUES (%(refusal)s, %(account)s, %(command)s, %(kind)s, %(reason)s, %(at)s)
"""
_SETTLED = "DELETE FROM payments.refusals WHERE refusal = %(refusal)s"
_DONE = "DELETE FROM payments.errands WHERE stream = %(stream)s AND name = %(name)s"


class Statement(Struct, frozen=True):
    """One statement of the transaction that stores events."""

    sql: bytes
    values: Mapping[str, str | int]


def rows_of(purchase: Purchase) -> list[Statement]:
    """What to write with the pending events of a purchase."""
    rows = [Statement(_PURCHASE.encode(), _listed(purchase))]
    for event in purchase.pending_events:
        match event:
            case Purchase.Initiated() if purchase.way != "checkout":
                rows.append(_errand(purchase, TOP_UP, purchase.purchase))
            case Purchase.SessionOpened():
                rows.append(_object(purchase, event.session))
            case Purchase.IntentKnown():
                rows.append(_object(purchase, event.intent))
            case Purchase.Paid():
                rows += [_object(purchase, event.intent), _done(purchase, purchase.purchase)]
            case Purchase.Ended():
                rows.append(_done(purchase, purchase.purchase))
            case Purchase.RefundAsked():
                rows.append(_errand(purchase, REFUND, event.refund))
            case Purchase.RefundRefused():
                rows.append(_done(purchase, event.refund))
            case Purchase.RefundSeen():
                rows += [_object(purchase, event.refund), _done(purchase, event.ours)]
            case Purchase.DisputeSeen():
                rows.append(_object(purchase, event.dispute))
            case _:
                pass
    return rows


def rows_of_refusal(refusal: Refusal) -> list[Statement]:
    """Listed as long as nobody has settled it."""
    if refusal.settled:
        return [Statement(_SETTLED.encode(), {"refusal": refusal.id.hex})]
    values: dict[str, str | int] = {
        "refusal": refusal.id.hex,
        "account": refusal.account,
        "command": refusal.command,
        "kind": refusal.kind,
        "reason": refusal.reason,
        "at": refusal.at,
    }
    return [Statement(_REFUSED.encode(), values)]


def rows_of_payer(payer: Payer) -> list[Statement]:
    """Stripe's customer leads to the account, and so does the card that may be charged."""
    return [
        Statement(_OBJECT.encode(), {"object": name, "stream": payer.account})
        for name in (payer.customer, payer.card)
        if name
    ]


def _listed(purchase: Purchase) -> dict[str, str | int]:
    return {
        "purchase": purchase.purchase,
        "account": purchase.account,
        "pack": purchase.pack,
        "credits": purchase.credits,
        "price_minor": purchase.price_minor,
        "currency": purchase.currency,
        "way": purchase.way,
        "session": purchase.session,
        "intent": purchase.intent,
        "state": purchase.state,
        "quarantine": _why(purchase),
        "initiated_at": int(purchase.created_on.timestamp() * 1000),
        "paid_at": purchase.paid_at,
        "credited_at": purchase.credited_at,
        "changed_at": int(purchase.modified_on.timestamp() * 1000),
        "frozen": purchase.frozen,
    }


def _why(purchase: Purchase) -> str:
    """Why a person must look; empty when nobody must."""
    kinds = sorted({one.kind for one in purchase.unheeded.values()})
    return purchase.quarantine or (f"ledger_refused {' '.join(kinds)}" if kinds else "")


def _object(purchase: Purchase, name: str) -> Statement:
    return Statement(_OBJECT.encode(), {"object": name, "stream": purchase.purchase})


def _errand(purchase: Purchase, kind: str, name: str) -> Statement:
    return Statement(_ERRAND.encode(), {"stream": purchase.purchase, "kind": kind, "name": name})


def _done(purchase: Purchase, name: str) -> Statement:
    return Statement(_DONE.encode(), {"stream": purchase.purchase, "name": name})
