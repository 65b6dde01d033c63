"""The dispatcher: takes what waits in the inbox and handles it, several at once, oldest first.

Stripe or PostgreSQL away: rows wait, nothing is lost and nothing counts against them. A row whose
object is unknown is tried for some hours, because events overtake each other, then a person looks.
"""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
import structlog

from payments import inbox
from payments.handling import HEARD as PAID_OF
from payments.handling import Handling, Hint, NotYet
from payments.inbox import Pool, Waiting
from payments.metrics import Metrics
from payments.signatures import Webhook
from payments.subscribing import Subscribing
from payments.till import TillDown, TillRefused

AT_ONCE = 8  # rows handled at the same time; each may wait for Stripe in a thread
POLL_S = 0.1  # between looks when nobody says that something came
BREATH_S = 0.02  # after each look: a burst is handled by the dozen, not one question a row

FOLLOWED = ("customer.subscription.", "invoice.")
HEARD = (*PAID_OF, *FOLLOWED)  # kinds of events that say anything to us

log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(Webhook).decode


class Dispatcher:
    """Handles until cancelled; `changed` is told when a stream may have grown."""

    def __init__(
        self,
        pool: Pool,
        handling: Handling,
        subscribing: Subscribing,
        *,
        changed: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._pool = pool
        self._handling = handling
        self._subscribing = subscribing
        self._changed = changed
        self._metrics = metrics
        self._came = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)

    def poke(self) -> None:
        """Something came in."""
        self._came.set()

    async def run(self) -> None:
        """For ever; raises what the database raises."""
        while True:
            self._came.clear()
            rows = await inbox.take(self._pool)
            if ignored := [row.event for row in rows if not row.kind.startswith(HEARD)]:
                await inbox.ignore(self._pool, ignored)
                self._metrics.webhooks.labels("ignored").inc(len(ignored))
                rows = [row for row in rows if row.kind.startswith(HEARD)]
            if rows:
                async with asyncio.TaskGroup() as group:
                    for row in rows:
                        group.create_task(self._handle(row))
            elif not (ignored or self._came.is_set()):
                await self._rest()
            await asyncio.sleep(BREATH_S)

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._came.wait()

    async def _handle(self, row: Waiting) -> None:
        async with self._room:
            try:
                outcome = await asyncio.to_thread(self._outcome, row)
            except TillDown as why:
                await inbox.again(self._pool, row, str(why), counts=False)
            except (NotYet, TillRefused) as why:
                if await inbox.again(self._pool, row, f"{type(why).__name__}: {why}", counts=True):
                    self._metrics.webhooks.labels("quarantined").inc()
                    log.error("webhook_quarantined", event=row.event, why=str(why))  # noqa: TRY400
            else:
                self._changed()
                delay = await inbox.done(self._pool, row.event, outcome)
                self._metrics.webhooks.labels(outcome).inc()
                self._metrics.webhook_delay.observe(max(0.0, delay))

    def _outcome(self, row: Waiting) -> str:
        event = _decode(row.body)
        if row.kind.startswith(FOLLOWED):
            return self._subscribing.handle(Hint(row.kind, row.object))
        return self._handling.handle(Hint(row.kind, row.object, event.about.payment_intent or ""))
