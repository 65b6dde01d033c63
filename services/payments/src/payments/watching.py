"""The watch over money and credits: paid and credited are the same purchases, looked at for ever.

Some hundred at a time, with a rest between: our own table of purchases against the ledger's lots in
the published read models. What is younger than a delivery takes, or not yet projected, is not
judged. The reconciler compares with Stripe, hourly; this needs nobody else and takes seconds.
"""

import asyncio
from collections.abc import Sequence

import psycopg
import structlog
from bus.gauges import InvariantGauges
from contracts.invariants import Invariant
from contracts.units import Ms
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from payments.clock import now_ms
from payments.comparing import YOUNG_MS
from payments.effects import effect_id
from payments.index import Pool

SWEEP_EVERY_S = 30.0
AT_ONCE = 500  # accounts of a look
REST_S = 0.2  # between looks
NAMED_MAX = 20  # violations of a sweep that are named in the log; the gauge has the number

_ACCOUNTS = """
SELECT account FROM (
  SELECT account FROM payments.purchases WHERE account > %(after)s
  UNION SELECT account FROM read.lots WHERE account > %(after)s AND source LIKE 'stripe:%%:paid'
) AS both_sides ORDER BY account LIMIT %(most)s
"""
_PURCHASES = """
SELECT purchase, account, intent, paid_at, credited_at, changed_at, quarantine
FROM payments.purchases WHERE account = ANY(%s) AND (paid_at > 0 OR quarantine = 'ledger_refused')
"""
_LOTS = "SELECT account, source FROM read.lots WHERE account = ANY(%s) AND source LIKE 'stripe:%%'"
_PROJECTED = "SELECT coalesce(min(at_ms), 0) FROM read.progress"

log = structlog.get_logger(__name__)


class _Paid(Struct):
    purchase: str
    account: str
    intent: str
    paid_at: Ms
    credited_at: Ms
    changed_at: Ms
    quarantine: str


class Watch:
    """Sweeps until cancelled."""

    def __init__(self, pool: Pool, gauges: InvariantGauges) -> None:
        self._pool = pool
        self._gauges = gauges

    async def run(self) -> None:
        """For ever; raises nothing that waiting may cure."""
        while True:
            try:
                await self.sweep()
            except (psycopg.Error, OSError) as why:
                log.warning("invariants_not_checked", why=repr(why))
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self, rest_s: float = REST_S) -> None:
        """Look at every account that ever bought; raises what the database raises."""
        uncredited: list[str] = []
        unpaid: list[str] = []
        after: str | None = ""
        while after is not None:
            after = await asyncio.to_thread(self._look, after, uncredited, unpaid)
            await asyncio.sleep(rest_s)
        self._told(Invariant.PAID_NOT_CREDITED, uncredited)
        self._told(Invariant.CREDITED_NOT_PAID, unpaid)

    def _told(self, invariant: Invariant, found: Sequence[str]) -> None:
        for what in found[:NAMED_MAX]:
            log.error("invariant_violated", invariant=invariant.value, what=what)
        self._gauges.found(invariant, len(found))

    def _look(self, after: str, uncredited: list[str], unpaid: list[str]) -> str | None:
        with self._pool.connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            rows = connection.execute(_ACCOUNTS, {"after": after, "most": AT_ONCE}).fetchall()
            accounts = [str(row[0]) for row in rows]
            with connection.cursor(row_factory=class_row(_Paid)) as cursor:
                purchases = cursor.execute(_PURCHASES, (accounts,)).fetchall()
            lots = {(str(a), str(s)) for a, s in connection.execute(_LOTS, (accounts,)).fetchall()}
            projected = _projected(connection)
        ours = {(one.account, effect_id(one.intent, "paid")) for one in purchases if one.paid_at}
        old = now_ms() - YOUNG_MS
        uncredited += [one.purchase for one in purchases if _lacks(one, lots, old, projected)]
        unpaid += [f"{a} {s}" for a, s in lots - ours if s.endswith(":paid")]
        return accounts[-1] if len(accounts) == AT_ONCE else None


def _lacks(one: _Paid, lots: set[tuple[str, str]], old: Ms, projected: Ms) -> bool:
    """Paid some time ago, and the ledger has not answered, has refused, or shows no such lot."""
    if not one.paid_at:  # the ledger refused the grant; the money is here
        return one.changed_at < old
    if not one.credited_at:
        return one.paid_at < old
    shown = (one.account, effect_id(one.intent, "paid")) in lots
    return not shown and one.credited_at < min(old, projected)


def _projected(connection: Connection[tuple[object, ...]]) -> Ms:
    """Until when everything is in the read models."""
    row = connection.execute(_PROJECTED).fetchone()
    return int(str(row[0])) if row is not None else 0
