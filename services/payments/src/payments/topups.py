"""Top-ups that fell due: the ledger's events, read from where we stopped, each begun once.

`TopUpDue` is decided in the ledger, with its ceiling. Its order is named by the account and the
event's version, so that reading an event twice begins nothing twice.
"""

import asyncio
from collections.abc import Callable, Iterable

import structlog
from aiokafka.errors import KafkaError
from bus.stream import Counted, EventStream, fresh_positions
from bus.topics import TopicError
from contracts.catalogue import Catalogue
from contracts.events import TopUpDue

from payments import places
from payments.books import Books
from payments.buying import order
from payments.clock import now_ms
from payments.inbox import Pool

BACK_OFF_S = 0.5
SAVE_EVERY_S = 5.0  # of positions behind which nothing was due; reading that again costs little

log = structlog.get_logger(__name__)


class TopUps:
    """Follows until cancelled; `begun` is told when there is an errand."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        *,
        pool: Pool,
        books: Books,
        catalogue: Catalogue,
        begun: Callable[[], None],
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._pool = pool
        self._books = books
        self._catalogue = catalogue
        self._begun = begun

    async def run(self) -> None:
        """For ever; raises what the database raises."""
        while True:
            try:
                await self._follow()
            except (KafkaError, TopicError, TimeoutError) as why:
                log.warning("top_ups_lost_connection", why=repr(why), again_in_s=BACK_OFF_S)
            await asyncio.sleep(BACK_OFF_S)

    async def _follow(self) -> None:
        positions = await places.read(self._pool)
        if not positions:
            positions = await fresh_positions(self._bootstrap, now_ms(), self._prefix)
        stream = EventStream(self._bootstrap, positions, self._prefix)
        await stream.start()
        saved = asyncio.get_running_loop().time()
        try:
            while True:
                due = _due(await stream.next(timeout_ms=500))
                for event in due:
                    await asyncio.to_thread(self.begin, event)
                now = asyncio.get_running_loop().time()
                if due or now - saved > SAVE_EVERY_S:
                    await places.write(self._pool, stream.positions)
                    saved = now
        finally:
            await stream.stop()

    def begin(self, event: TopUpDue) -> bool:
        """Begin one top-up; false when none may be begun now."""
        pack = self._catalogue.packs.get(event.pack)
        if pack is None:
            log.error("top_up_of_an_unknown_pack", account=event.account, pack=event.pack)
            return False
        purchase = order(event.account, pack, "auto", str(event.version))
        name = purchase.purchase
        begun = self._books.change_payer(event.account, lambda payer: payer.begin(name))
        if begun:
            self._books.begin(purchase)
            self._begun()
        else:
            log.info("top_up_not_begun", account=event.account, version=event.version)
        return begun


def _due(batch: Iterable[Counted]) -> list[TopUpDue]:
    return [one.event for one in batch if isinstance(one.event, TopUpDue)]
