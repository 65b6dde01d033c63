"""A purchase or an invoice as its owner sees it."""

from datetime import UTC, datetime

from contracts.billing import InvoiceShown, PurchaseShown
from contracts.units import Ms
from msgspec import UNSET, UnsetType

from payments.index import Listed
from payments.objects import Invoice
from payments.purchase import Purchase


def of_purchase(purchase: Purchase) -> PurchaseShown:
    """A purchase from its stream."""
    return PurchaseShown(
        purchase.purchase,
        purchase.state,
        purchase.pack,
        purchase.credits,
        purchase.price_minor,
        purchase.currency,
        purchase.created_on.astimezone(UTC),
        _at(purchase.paid_at),
        _at(purchase.credited_at),
        purchase.session or UNSET,
    )


def listed(row: Listed) -> PurchaseShown:
    """A purchase from the list."""
    return PurchaseShown(
        row.purchase,
        row.state,
        row.pack,
        row.credits,
        row.price_minor,
        row.currency,
        datetime.fromtimestamp(row.initiated_at / 1000, UTC),
        _at(row.paid_at),
        _at(row.credited_at),
        row.session or UNSET,
    )


def of_invoice(invoice: Invoice) -> InvoiceShown:
    """An invoice of Stripe."""
    return InvoiceShown(
        invoice.id,
        datetime.fromtimestamp(invoice.created, UTC),
        invoice.total,
        invoice.currency.upper(),
        invoice.status or "",
        invoice.number or "",
        invoice.hosted_invoice_url or "",
    )


def _at(instant: Ms) -> datetime | UnsetType:
    return datetime.fromtimestamp(instant / 1000, UTC) if instant else UNSET
