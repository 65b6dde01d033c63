"""Errands: what must be asked of Stripe after the ledger has done its part.

A refund of ours is asked for once its freeze is in the log: an errand runs only when the relay has
passed what was recorded with it. Each call carries our own id as its key, so that running an errand
again asks the same question.
"""

import asyncio
import contextlib

import structlog

from payments import seeing
from payments.books import Books
from payments.charging import Charging
from payments.clock import now_ms
from payments.index import Errand, Index
from payments.objects import Refund
from payments.purchase import Purchase
from payments.relay import Relay
from payments.rows import REFUND
from payments.till import Till, TillDown, TillRefused

POLL_S = 0.1
WAIT_S = (0.5, 2, 5, 30, 300)  # after Stripe could not be asked; the last one repeats

log = structlog.get_logger(__name__)


class Errands:
    """Runs errands until cancelled."""

    def __init__(
        self, books: Books, index: Index, till: Till, relay: Relay, charging: Charging
    ) -> None:
        self._books = books
        self._index = index
        self._till = till
        self._relay = relay
        self._charging = charging
        self._new = asyncio.Event()

    def poke(self) -> None:
        """There may be one."""
        self._new.set()

    async def run(self) -> None:
        """For ever; raises what the database raises."""
        while True:
            self._new.clear()
            for errand in await asyncio.to_thread(self._index.errands):
                await self._run(errand)
                self._relay.poke()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._new.wait()

    async def _run(self, errand: Errand) -> None:
        if not await asyncio.to_thread(self._relayed, errand):
            return
        try:
            if errand.kind == REFUND:
                await asyncio.to_thread(self._refund, errand)
            elif wait_s := await asyncio.to_thread(self._charging.run, errand.stream):
                await asyncio.to_thread(self._index.errand_later, errand, wait_s, "declined")
        except TillDown as why:
            wait_s = WAIT_S[min(errand.tries, len(WAIT_S) - 1)]
            await asyncio.to_thread(self._index.errand_later, errand, wait_s, str(why))

    def _relayed(self, errand: Errand) -> bool:
        """Whether everything recorded of this stream is in the ledger's log."""
        newest = self._books.newest_notification(errand.stream)
        return newest <= self._relay.position

    def _refund(self, errand: Errand) -> None:
        purchase = self._books.purchase(errand.stream)
        amount = purchase.asked.get(errand.name)
        if amount is None:
            return
        try:
            refund = self._till.post(
                Refund,
                "refunds",
                {
                    "payment_intent": purchase.intent,
                    "amount": amount,
                    "metadata": {"refund": errand.name},
                },
                key=errand.name,
            )
        except TillRefused as why:
            code = why.code
            log.warning("refund_refused", purchase=purchase.purchase, code=code)
            self._books.change(
                errand.stream,
                lambda found: seeing.refund_refused(found, errand.name, code, now_ms()),
            )
            return
        self._books.change(errand.stream, lambda found: _see(found, refund))


def _see(purchase: Purchase, refund: Refund) -> None:
    seeing.see_refund(purchase, refund, now_ms())
