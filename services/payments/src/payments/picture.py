"""Three pictures of the same money: Stripe's objects, our orders, and the ledger's lots.

Stripe's events are not asked: one may never have been made. Only objects are.
"""

from collections.abc import Sequence

from contracts.units import Credits, Ms
from msgspec import Struct
from psycopg.rows import class_row

from payments.index import Index, Listed, Pool
from payments.objects import (
    Dispute,
    FraudWarning,
    Intent,
    InvoicePayment,
    Movement,
    Payout,
    Refund,
    Session,
)
from payments.till import Till


class StripePicture(Struct):
    """What Stripe shows of a window."""

    sessions: list[Session]
    intents: list[Intent]
    refunds: list[Refund]
    disputes: list[Dispute]
    warnings: list[FraudWarning]
    movements: list[Movement]
    payouts: list[Payout]
    paid_out: dict[str, list[Movement]]  # by payout: Stripe lists by it, and shows it nowhere
    invoiced: frozenset[str]  # payment intents of invoices: subscriptions, no orders of ours

    @property
    def session_of(self) -> dict[str, str]:
        """The session of each payment intent that came by one."""
        return {x.payment_intent: x.id for x in self.sessions if x.payment_intent}


class LedgerLot(Struct):
    """A lot that payments granted, as the ledger's read model has it."""

    account: str
    grant_id: str
    source: str
    amount: Credits
    created_at_ms: Ms


class Pictures(Struct):
    """All three, for a window that begins at `start`."""

    start: Ms
    stripe: StripePicture
    orders: Sequence[Listed]
    lots: Sequence[LedgerLot]


def take(till: Till, index: Index, lots: Sequence[LedgerLot], start: Ms) -> Pictures:
    """Look at everything since `start`; orders last, so that none of them is newer than Stripe."""
    since = {"created": {"gte": start // 1000}}
    payouts = list(till.every(Payout, "payouts", **since))
    stripe = StripePicture(
        sessions=list(till.every(Session, "checkout/sessions", **since)),
        intents=list(till.every(Intent, "payment_intents", **since)),
        refunds=list(till.every(Refund, "refunds", **since)),
        disputes=list(till.every(Dispute, "disputes", **since)),
        warnings=list(till.every(FraudWarning, "radar/early_fraud_warnings", **since)),
        movements=list(till.every(Movement, "balance_transactions", **since)),
        payouts=payouts,
        paid_out={
            one.id: list(till.every(Movement, "balance_transactions", payout=one.id))
            for one in payouts
        },
        invoiced=frozenset(
            one.payment.payment_intent or ""
            for one in till.every(InvoicePayment, "invoice_payments", **since)
        ),
    )
    return Pictures(start, stripe, index.since(start), lots)


def ledger_lots(pool: Pool, start: Ms) -> list[LedgerLot]:
    """The lots of the published read model that payments granted since `start`."""
    with (
        pool.connection() as connection,
        connection.cursor(row_factory=class_row(LedgerLot)) as rows,
    ):
        rows.execute(
            "SELECT account, grant_id, source, amount, created_at_ms FROM read.lots"
            " WHERE source LIKE 'stripe:%%' AND created_at_ms >= %s",
            (start,),
        )
        return rows.fetchall()
