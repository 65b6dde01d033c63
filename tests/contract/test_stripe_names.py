"""What payments reads and the double shows has names that Stripe's official schemas have.

The schemas come with `stripe-mock`; skipped, loudly, where that cannot be had.
"""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import pytest
import stripe_double.objects
import stripe_double.records
from engine.places import local_dir
from stripe_double.objects import Thing

from tests.contract.test_payments_requests import MOCK, program

# The double's own, and a field of older API versions that payments still reads.
OWN = {
    "balance_transaction": {"paid_out_by"},
    "checkout.session": {"intent_metadata", "setup_future_usage"},
    "payment_method": {"behaves"},
}
OLDER = {"invoice": {"subscription"}}
EVERYWHERE = {"metadata", "livemode"}  # of the double's every object; a few of Stripe's lack them
READ = {
    "Charge": "charge",
    "Dispute": "dispute",
    "FraudWarning": "radar.early_fraud_warning",
    "Intent": "payment_intent",
    "Invoice": "invoice",
    "InvoicePayment": "invoice_payment",
    "Movement": "balance_transaction",
    "Payer": "customer",
    "PaymentMethod": "payment_method",
    "Payout": "payout",
    "Portal": "billing_portal.session",
    "Refund": "refund",
    "Session": "checkout.session",
    "StripeSubscription": "subscription",
}


@pytest.fixture(scope="module")
def official() -> Mapping[str, Any]:
    program()
    module = local_dir() / "go" / "pkg" / "mod" / MOCK
    spec = json.loads((module / "embedded" / "openapi" / "spec3.json").read_text())
    schemas: Mapping[str, Any] = spec["components"]["schemas"]
    return schemas


def test_what_payments_reads_is_there(official: Mapping[str, Any]) -> None:
    from payments import objects

    for read, kind in READ.items():
        fields = set(getattr(objects, read).__struct_encode_fields__)
        assert fields - OLDER.get(kind, set()) <= set(official[kind]["properties"]), read


def test_what_the_double_shows_is_there(official: Mapping[str, Any]) -> None:
    rooms = (stripe_double.objects, stripe_double.records)
    found = {x for room in rooms for _, x in inspect.getmembers(room, inspect.isclass)}
    kinds = {x for x in found if issubclass(x, Thing)}
    compared = 0
    for kind in kinds:
        tag = str(kind.__struct_config__.tag)
        if tag not in official:
            continue  # what all have, and the remembered keys
        shown = set(kind.__struct_encode_fields__) - OWN.get(tag, set()) - EVERYWHERE
        assert shown <= set(official[tag]["properties"]), tag
        compared += 1
    assert compared == 16
