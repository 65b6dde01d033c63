"""The ear on `ledger.events`: answers for those who ask, and top-ups that fell due.

A lost connection is opened again and goes on where it was; an event of an unknown type ends the
process with a message.
"""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from aiokafka.errors import KafkaError
from bus.reader import Position
from bus.stream import Counted, EventStream, fresh_positions
from bus.topics import TopicError

from payments.clock import now_ms

BACK_OFF_S = 0.5
POLL_MS = 200
OPEN_WITHIN_S = 20.0  # finding the newest claim reads up to an hour of events

log = structlog.get_logger(__name__)


class Listener:
    """Reads events for one process; `hand` gets batches of counted events."""

    def __init__(self, bootstrap: str, prefix: str, hand: Callable[[list[Counted]], None]) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._hand = hand
        self._positions: Mapping[int, Position] | None = None
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled; raises only what must stop the process."""
        while True:
            try:
                await self._listen()
            except (KafkaError, TopicError, OSError, TimeoutError) as why:
                log.warning("events_lost_connection", why=repr(why), again_in_s=BACK_OFF_S)
            await asyncio.sleep(BACK_OFF_S)

    async def _listen(self) -> None:
        async with asyncio.timeout(OPEN_WITHIN_S):
            if self._positions is None:
                self._positions = await fresh_positions(self._bootstrap, now_ms(), self._prefix)
            stream = EventStream(self._bootstrap, self._positions, self._prefix)
            await stream.start()
        try:
            self.listening.set()
            while True:
                self._hand(await stream.next(timeout_ms=POLL_MS))
        finally:
            self._positions = stream.positions
            await stream.stop()
