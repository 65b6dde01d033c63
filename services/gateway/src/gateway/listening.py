"""The ear on `ledger.events`: finds its place, hands on what counts, and never gives up.

A lost connection is opened again and goes on where it was. An event of an unknown type or a log
that contradicts itself ends the process with a message: guessing is not an option.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from aiokafka.errors import KafkaError
from bus.reader import Position
from bus.stream import Counted, EventStream, fresh_positions
from bus.topics import TopicError

log = structlog.get_logger(__name__)

BACK_OFF_S = 0.5  # between attempts while Kafka is away
POLL_MS = 200  # how long one look waits; data is handed on as soon as it is there
OPEN_WITHIN_S = 20.0  # finding the newest claim reads up to an hour of events

Hand = Callable[[list[Counted], float], None]


class Listener:
    """Reads events for one process. `hand` gets batches of counted events and the loop's time."""

    def __init__(self, bootstrap: str, prefix: str, hand: Hand) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._hand = hand
        self._stream: EventStream | None = None
        self._positions: Mapping[int, Position] | None = None
        self._ends: dict[int, int] = {}
        self.reconnects = 0
        self.skipped_before = 0

    @property
    def skipped(self) -> int:
        """Events that did not count; must stay 0."""
        return self.skipped_before + (0 if self._stream is None else self._stream.skipped)

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return not self._ends and self._stream is not None

    def seen(self, partition: int) -> int:
        """The newest `seq` that counted in a partition, as far as this process has read."""
        stream = self._stream
        return 0 if stream is None else stream.readers[partition].seq

    def heard(self) -> float:
        """When the broker last spoke, in the loop's time; minus infinity before it did."""
        if self._ends or self._stream is None or not (at := self._stream.heard_at):
            return float("-inf")
        return asyncio.get_running_loop().time() - (time.time() - at / 1000)

    async def run(self) -> None:
        """Listen until cancelled; raises only what must stop the process."""
        while True:
            try:
                await self._open()
                await self._listen()
            except (KafkaError, TopicError, OSError, TimeoutError) as why:
                self.reconnects += 1
                log.warning("events_lost_connection", why=repr(why), again_in_s=BACK_OFF_S)
            finally:
                await self._close()
            await asyncio.sleep(BACK_OFF_S)

    async def _open(self) -> None:
        async with asyncio.timeout(OPEN_WITHIN_S):
            if self._positions is None:
                now = time.time_ns() // 1_000_000
                self._positions = await fresh_positions(self._bootstrap, now, self._prefix)
            self._stream = EventStream(self._bootstrap, self._positions, self._prefix)
            await self._stream.start()
            self._ends = await self._stream.ends()
        log.info("events_open", positions={p: at.offset for p, at in self._positions.items()})

    async def _listen(self) -> None:
        stream = self._stream
        if stream is None:
            raise RuntimeError("open the stream first")
        loop = asyncio.get_running_loop()
        while True:
            counted = await stream.next(timeout_ms=POLL_MS)
            if counted:
                self._hand(counted, loop.time())
            if self._ends:
                self._ends = {
                    partition: end
                    for partition, end in self._ends.items()
                    if stream.readers[partition].offset < end
                }

    async def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self.skipped_before += stream.skipped
            self._positions = stream.positions
            await stream.stop()
