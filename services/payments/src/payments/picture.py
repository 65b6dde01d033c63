"""Three pictures of the same money: Stripe's objects, our orders, and the ledger's lots.

Stripe's events are not asked: one may never have been made. Only objects are.
"""

from collections.abc import Sequence

from contracts.units import Credits, Ms
from msgspec import Struct, field
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
from payments.wishes import REASON

_LOTS = (
    "SELECT account, grant_id, source, amount, created_at_ms FROM read.lots"
    " WHERE source LIKE 'stripe:%%' AND created_at_ms >= %s"
)
_FROZEN = f"SELECT account, grant_id FROM read.freezes WHERE reason = '{REASON}'"  # noqa: S608
# What had expired of a lot cannot be taken back, and need not.
_TAKEN = """
WITH who AS (
  SELECT DISTINCT account FROM payments.purchases JOIN read.balances USING (account)
  WHERE paid_at > 0 AND changed_at >= %s AND revoked + debt + expired > 0
), parts AS (
  SELECT account, grant_id, moved + coalesce((detail->>'debt')::bigint, 0) AS taken, 0 AS expired
  FROM read.entries JOIN who USING (account)
  WHERE type = 'CreditsRevoked' AND actor_kind = 'payments'
  UNION ALL
  SELECT account, grant_id, 0, moved
  FROM read.entries JOIN who USING (account) WHERE type = 'GrantExpired'
  UNION ALL
  SELECT account, part->>'grant', 0, (part->>'amount')::bigint
  FROM read.entries JOIN who USING (account), jsonb_array_elements(detail->'lost') AS part
  WHERE type IN ('CreditsCharged', 'CreditsReleased', 'ReservationExpired')
)
SELECT account, grant_id, sum(taken)::bigint AS taken, sum(expired)::bigint AS expired
FROM parts GROUP BY account, grant_id HAVING sum(taken) > 0
"""


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


class Taken(Struct):
    """What payments took back of a lot, at once or as debt, and what of it had expired."""

    account: str
    grant_id: str
    taken: Credits
    expired: Credits


class LedgerPicture(Struct):
    """What the ledger's read models show: lots by us, which of them stand still, what went back."""

    lots: Sequence[LedgerLot]
    frozen: frozenset[tuple[str, str]] = frozenset()  # account, grant
    taken: Sequence[Taken] = field(default_factory=list)


class Pictures(Struct):
    """All three, for a window that begins at `start`."""

    start: Ms
    stripe: StripePicture
    orders: Sequence[Listed]
    ledger: LedgerPicture


def take(till: Till, index: Index, ledger: LedgerPicture, start: Ms) -> Pictures:
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
    return Pictures(start, stripe, index.since(start), ledger)


def ledger_picture(pool: Pool, start: Ms) -> LedgerPicture:
    """The published read models in one snapshot.

    Lots since `start`, all that stands still, what went back of whoever's purchase changed since.
    """
    with pool.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with connection.cursor(row_factory=class_row(LedgerLot)) as rows:
            lots = rows.execute(_LOTS, (start,)).fetchall()
        frozen = frozenset((str(a), str(b)) for a, b in connection.execute(_FROZEN).fetchall())
        with connection.cursor(row_factory=class_row(Taken)) as back:
            taken = back.execute(_TAKEN, (start,)).fetchall()
    return LedgerPicture(lots, frozen, taken)
