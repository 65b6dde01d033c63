"""Lookups in the read models: whose object this is, what an account bought, what waits.

Synchronous, for the threads that change streams.
"""

from contracts.units import Credits, Ms
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

Pool = ConnectionPool[Connection[tuple[object, ...]]]

_LISTED = (
    "purchase, account, pack, credits, price_minor, currency, way, session, intent, state,"
    " quarantine, initiated_at, paid_at, credited_at, changed_at, frozen"
)


class Listed(Struct):
    """A purchase as lists show it."""

    purchase: str
    account: str
    pack: str
    credits: Credits
    price_minor: int
    currency: str
    way: str
    session: str
    intent: str
    state: str
    quarantine: str
    initiated_at: Ms
    paid_at: Ms
    credited_at: Ms
    changed_at: Ms
    frozen: bool


class Held(Struct):
    """What waits for a person: a purchase, a refused command, or a webhook that never fitted."""

    what: str
    name: str
    account: str
    why: str
    since: Ms


class Errand(Struct):
    """Something that Stripe must still be asked."""

    stream: str
    kind: str
    name: str
    tries: int


class Index:
    """The read models of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def stream_of(self, stripe_object: str) -> str | None:
        """The purchase that an object of Stripe belongs to."""
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT stream FROM payments.objects WHERE object = %s", (stripe_object,)
            ).fetchone()
        return None if row is None else str(row[0])

    def of_account(self, account: str, most: int = 100) -> list[Listed]:
        """What an account bought or tried to buy, newest first."""
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Listed)) as rows,
        ):
            rows.execute(
                f"SELECT {_LISTED} FROM payments.purchases WHERE account = %s"  # noqa: S608
                " ORDER BY initiated_at DESC, purchase LIMIT %s",
                (account, most),
            )
            return rows.fetchall()

    def since(self, start: Ms) -> list[Listed]:
        """All purchases that began at or after `start`, were paid, or changed since."""
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Listed)) as rows,
        ):
            rows.execute(
                f"SELECT {_LISTED} FROM payments.purchases"  # noqa: S608
                " WHERE initiated_at >= %(start)s OR changed_at >= %(start)s ORDER BY initiated_at",
                {"start": start},
            )
            return rows.fetchall()

    def held(self) -> list[Held]:
        """Everything in quarantine, oldest first."""
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Held)) as rows,
        ):
            rows.execute(
                "SELECT 'purchase' AS what, purchase AS name, account, quarantine AS why,"
                " changed_at AS since FROM payments.purchases"
                " WHERE quarantine <> '' AND state <> 'rejected'"
                " UNION ALL SELECT 'command', refusal, account, kind || ': ' || reason, refused_at"
                " FROM payments.refusals"
                " UNION ALL SELECT 'webhook', event, '', kind || ' ' || object || ': ' ||"
                " quarantine, (extract(epoch FROM received_at) * 1000)::bigint"
                " FROM payments.inbox WHERE quarantine IS NOT NULL AND handled_at IS NULL"
                " ORDER BY since, name"
            )
            return rows.fetchall()

    def settle_webhook(self, event: str, *, again: bool) -> bool:
        """A person decided: handle a held webhook once more, or never."""
        verdict = (
            "quarantine = NULL, tries = 0, next_at = clock_timestamp()"
            if again
            else "handled_at = clock_timestamp(), outcome = 'rejected'"
        )
        with self._pool.connection() as connection:
            changed = connection.execute(
                f"UPDATE payments.inbox SET {verdict} WHERE event = %s"  # noqa: S608 - ours
                " AND quarantine IS NOT NULL AND handled_at IS NULL",
                (event,),
            )
        return changed.rowcount == 1

    def errands(self) -> list[Errand]:
        """Errands whose time has come."""
        with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Errand)) as rows,
        ):
            rows.execute(
                "SELECT stream, kind, name, tries FROM payments.errands"
                " WHERE next_at <= clock_timestamp() ORDER BY next_at LIMIT 20"
            )
            return rows.fetchall()

    def errands_now(self, account: str) -> None:
        """Try an account's waiting top-ups at once: there is another card."""
        with self._pool.connection() as connection:
            connection.execute(
                "UPDATE payments.errands SET next_at = clock_timestamp() WHERE kind = 'top_up'"
                " AND stream IN (SELECT purchase FROM payments.purchases WHERE account = %s)",
                (account,),
            )

    def errand_later(self, errand: Errand, wait_s: float, why: str) -> None:
        """Try an errand again after a while."""
        with self._pool.connection() as connection:
            connection.execute(
                "UPDATE payments.errands SET tries = tries + 1, why = %s,"
                " next_at = clock_timestamp() + make_interval(secs => %s)"
                " WHERE stream = %s AND kind = %s AND name = %s",
                (why[:200], wait_s, errand.stream, errand.kind, errand.name),
            )
