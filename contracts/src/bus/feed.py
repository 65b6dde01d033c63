"""One consumer for the commands of all partitions that a process owns, handing each its own.

Few requests, full batches: at low load what costs is the broker's requests. A partition that
cannot keep up is paused alone.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bus import kafka
from bus.log import Record

log = structlog.get_logger(__name__)

RECORDS_AT_ONCE = 4_000  # one poll; about 20 ms of deciding
BACKLOG_MAX = 20_000  # records a partition may lag before its fetching pauses
_BACK_OFF_S = 0.2


class CommandFeed:
    """Delivers `ledger.commands` to whoever asked for a partition."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._consumer: AIOKafkaConsumer | None = None
        self._deliver: dict[int, Callable[[Sequence[Record]], int]] = {}
        self._next: dict[int, int] = {}
        self._paused: set[int] = set()
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect."""
        self._consumer = await kafka.reader(self._bootstrap)
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def stop(self) -> None:
        """Stop delivering and close."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        if self._consumer is not None:
            await kafka.close(self._consumer)

    @property
    def failure(self) -> BaseException | None:
        """Why the feed stopped, if it did."""
        if self._reading is None or not self._reading.done() or self._reading.cancelled():
            return None
        return self._reading.exception()

    def want(self, partition: int, offset: int, deliver: Callable[[Sequence[Record]], int]) -> None:
        """Deliver a partition from `offset` on; `deliver` says how many records wait there."""
        self._deliver[partition] = deliver
        self._next[partition] = offset
        self._assign()

    def leave(self, partition: int) -> None:
        """Deliver no more of it."""
        if self._deliver.pop(partition, None) is not None:
            del self._next[partition]
            self._assign()

    def drained(self, partition: int) -> None:
        """The partition's owner has caught up."""
        if partition in self._paused and self._consumer is not None:
            self._paused.discard(partition)
            self._consumer.resume(TopicPartition(self._topic, partition))

    def _assign(self) -> None:
        if self._consumer is None:
            raise RuntimeError("start() the feed first")
        self._paused.clear()
        self._consumer.assign([TopicPartition(self._topic, p) for p in self._deliver])
        for partition, offset in self._next.items():
            self._consumer.seek(TopicPartition(self._topic, partition), offset)
        self._changed.set()

    async def _read(self) -> None:
        while True:
            if not self._deliver or self._consumer is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            try:
                got = await self._consumer.getmany(timeout_ms=1000, max_records=RECORDS_AT_ONCE)
            except (KafkaError, OSError) as why:
                log.warning("command_feed_failed", why=repr(why))
                await asyncio.sleep(_BACK_OFF_S)
                raise
            for partition, records in got.items():
                self._hand_over(partition, records)

    def _hand_over(self, where: TopicPartition, records: Sequence[Record]) -> None:
        partition = where.partition
        deliver = self._deliver.get(partition)
        if deliver is None or records[0].offset < self._next[partition]:
            return  # fetched for an earlier assignment
        self._next[partition] = records[-1].offset + 1
        if deliver(records) > BACKLOG_MAX and self._consumer is not None:
            self._paused.add(partition)
            self._consumer.pause(where)
