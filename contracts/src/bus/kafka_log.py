"""The port to Kafka, by aiokafka: one partition as its owner sees it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from contracts.topics import COMMANDS, EVENTS, SNAPSHOTS
from contracts.units import Ms

from bus import kafka
from bus.feed import CommandFeed
from bus.fence import beside, fenced_producer
from bus.gather import Gathering
from bus.log import Append, KeyValue, LogError, Record
from bus.outbox import Outbox
from bus.partition import partition_of

_READ_WITHIN_S = 30.0  # without any progress: the broker is gone
_FAILURES = (KafkaError, TimeoutError, OSError, AssertionError)


class KafkaAppend:
    """A batch on its way to the broker."""

    __slots__ = ("_task",)

    def __init__(self, task: "asyncio.Task[int]") -> None:
        self._task = task

    @property
    def done(self) -> bool:
        """Whether its outcome is known."""
        return self._task.done()

    def offset(self) -> int:
        """Where it landed; raises LogError."""
        if self._task.cancelled():
            raise LogError("append cancelled: outcome unknown")
        why = self._task.exception()
        if why is not None:
            raise LogError(f"append failed: {why!r}") from why
        return self._task.result()


class Cluster:
    """What all partitions of one process share: the address, the feed, the courier's outbox."""

    def __init__(self, bootstrap: str, prefix: str, environment: str, partitions: int) -> None:
        self.bootstrap = bootstrap
        self.commands = prefix + COMMANDS.name
        self.events = prefix + EVENTS.name
        self.snapshots = prefix + SNAPSHOTS.name
        self.fence = f"ledger-{environment}-{prefix}"
        self.partitions = partitions
        self.feed = CommandFeed(bootstrap, self.commands)
        self.outbox = Outbox(bootstrap)

    async def start(self) -> None:
        """Connect."""
        await self.feed.start()
        await self.outbox.start()

    async def stop(self) -> None:
        """Close in reverse."""
        await self.outbox.stop()
        await self.feed.stop()


class KafkaLog:
    """One partition. Implements bus.log.PartitionLog."""

    def __init__(self, cluster: Cluster, partition: int) -> None:
        self._cluster = cluster
        self._partition = partition
        self._tp = TopicPartition(cluster.events, partition)
        self._snapshots = TopicPartition(cluster.snapshots, partition)
        self._producer: AIOKafkaProducer | None = None
        self._beside: AIOKafkaProducer | None = None  # of the snapshots
        self._queue: list[Record] = []
        self._wake: asyncio.Future[None] | None = None
        self._assigned = True
        self._gathering = Gathering(self._ring)

    async def close(self) -> None:
        """Drop the producer and the commands that wait."""
        self._assigned = False
        self._cluster.feed.leave(self._partition)
        self._clear()
        await self._drop()

    def released(self) -> None:
        """The partition is no longer ours: let the owner see it at once."""
        self._assigned = False
        self._ring()

    async def fence(self) -> None:
        """A producer under a fresh epoch."""
        await self._drop()
        try:
            async with asyncio.timeout(kafka.SEND_WITHIN_S):
                self._producer = await fenced_producer(
                    self._cluster.bootstrap, f"{self._cluster.fence}{self._partition}"
                )
                self._beside = await beside(self._cluster.bootstrap, self._producer)
        except _FAILURES as why:
            raise LogError(f"fence not raised: {why!r}") from why

    async def end(self) -> int:
        """The high watermark of the events."""
        return await self._ask_end(self._tp)

    async def events(self, start: int, end: int) -> AsyncIterator[Sequence[Record]]:
        """All records in [start, end), in batches."""
        async for records in self._records(self._tp, start, end):
            yield records

    def append(self, records: Sequence[KeyValue]) -> KafkaAppend:
        """Start one batch."""
        return self._started(self._producer, self._tp, records)

    def snapshot(self, records: Sequence[KeyValue]) -> KafkaAppend:
        """Start one batch of snapshots."""
        return self._started(self._beside, self._snapshots, records)

    async def keeps_snapshots(self) -> bool:
        """Whether the topic is there: nobody creates it anew while the ledger runs but people."""
        consumer = kafka.consumer(self._cluster.bootstrap)
        try:
            async with asyncio.timeout(kafka.SEND_WITHIN_S):
                await consumer.start()
                return self._snapshots.topic in await consumer.topics()
        except _FAILURES as why:
            raise LogError(f"topics not known: {why!r}") from why
        finally:
            await kafka.close(consumer)

    async def snapshots(self, end: int) -> AsyncIterator[Sequence[Record]]:
        """All that compaction left before `end`."""
        first = await self._ask_end(self._snapshots, beginning=True)
        async for records in self._records(self._snapshots, first, end):
            yield records

    async def command_at(self, offset: int) -> Record | None:
        """The command at this very offset."""
        tp = TopicPartition(self._cluster.commands, self._partition)
        if offset < 0 or offset >= await self._ask_end(tp):
            return None
        consumer = await kafka.consumer_at(self._cluster.bootstrap, [(tp, offset)])
        try:
            async with asyncio.timeout(_READ_WITHIN_S):
                while True:
                    got = (await consumer.getmany(timeout_ms=500, max_records=1)).get(tp)
                    if got:
                        found: Record = got[0]
                        return found if found.offset == offset else None
        except OffsetOutOfRangeError:
            return None
        except _FAILURES as why:
            raise LogError(f"command {offset} not read: {why!r}") from why
        finally:
            await kafka.close(consumer)

    async def first_command(self) -> int:
        """The oldest offset of the commands."""
        return await self._ask_end(
            TopicPartition(self._cluster.commands, self._partition), beginning=True
        )

    async def commands_from(self, offset: int) -> None:
        """Deliver commands from here on."""
        self._clear()
        self._cluster.feed.want(self._partition, offset, self._delivered)

    def take(self, most: int) -> Sequence[Record]:
        """What waits, at most so many; nothing while a small crowd is still coming in."""
        if not self._gathering.ripe:
            return ()
        taken, self._queue = self._queue[:most], self._queue[most:]
        self._gathering.took(len(taken), left=len(self._queue))
        if not self._queue:
            self._cluster.feed.drained(self._partition)
        return taken

    async def wait(self, append: Append | None, timeout_ms: Ms, *, hungry: bool) -> None:
        """Rest until there is something to do."""
        if (failure := self._cluster.feed.failure) is not None:
            raise LogError(f"commands not read: {failure!r}") from failure
        if (hungry and (self._gathering.ripe or not self._assigned)) or (append and append.done):
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        self._wake = loop.create_future()
        alarm = loop.call_later(timeout_ms / 1000, self._ring)
        try:
            await self._wake
        finally:
            alarm.cancel()
            self._wake = None

    def emit(self, account: str, command: bytes) -> None:
        """Send a follow-up command."""
        partition = partition_of(account, self._cluster.partitions)
        self._cluster.outbox.put(self._cluster.commands, partition, account.encode(), command)

    def now(self) -> Ms:
        """The wall clock of this machine."""
        return time.time_ns() // 1_000_000

    def token(self) -> str:
        """96 random bits."""
        return secrets.token_urlsafe(12)

    def mine(self) -> bool:
        """Whether the partition is still assigned here."""
        return self._assigned

    def _delivered(self, records: Sequence[Record]) -> int:
        self._queue.extend(records)
        self._gathering.came(len(self._queue))
        return len(self._queue)

    def _clear(self) -> None:
        self._queue.clear()
        self._gathering.stop()

    def _appended(self, task: "asyncio.Task[int]") -> None:
        if not task.cancelled():
            task.exception()  # seen here: an owner that was dropped asks no more
        self._ring()

    def _ring(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _records(
        self, tp: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        if start >= end:
            return
        consumer = await kafka.consumer_at(self._cluster.bootstrap, [(tp, start)])
        try:
            position, quiet_since = start, time.monotonic()
            while position < end:
                got = (await consumer.getmany(timeout_ms=500)).get(tp)
                if got:
                    position, quiet_since = got[-1].offset + 1, time.monotonic()
                    yield [r for r in got if r.offset < end] if position > end else got
                elif time.monotonic() - quiet_since > _READ_WITHIN_S:
                    raise LogError(f"{tp.topic} ends at {position}, not at {end}")
        except (KafkaError, OSError) as why:
            raise LogError(f"{tp.topic} not read: {why!r}") from why
        finally:
            await kafka.close(consumer)

    def _started(
        self, producer: AIOKafkaProducer | None, tp: TopicPartition, records: Sequence[KeyValue]
    ) -> KafkaAppend:
        if producer is None:
            raise LogError("no producer: fence() first")
        task = asyncio.get_running_loop().create_task(self._append(producer, tp, records))
        task.add_done_callback(self._appended)
        return KafkaAppend(task)

    async def _append(
        self, producer: AIOKafkaProducer, tp: TopicPartition, records: Sequence[KeyValue]
    ) -> int:
        batch = producer.create_batch()
        append = batch.append
        for key, value in records:
            if append(key=key, value=value, timestamp=None) is None:
                raise LogError("batch too large: its bytes were counted wrong")
        async with asyncio.timeout(kafka.SEND_WITHIN_S):
            sent = await producer.send_batch(batch, tp.topic, partition=tp.partition)
            landed: int = (await sent).offset
            return landed

    async def _ask_end(self, tp: TopicPartition, *, beginning: bool = False) -> int:
        consumer = kafka.consumer(self._cluster.bootstrap)
        try:
            async with asyncio.timeout(kafka.SEND_WITHIN_S):
                await consumer.start()
                ask = consumer.beginning_offsets if beginning else consumer.end_offsets
                offset: int = (await ask([tp]))[tp]
                return offset
        except _FAILURES as why:
            raise LogError(f"offsets of {tp.topic} not known: {why!r}") from why
        finally:
            await kafka.close(consumer)

    async def _drop(self) -> None:
        dropped = [p for p in (self._producer, self._beside) if p is not None]
        self._producer = self._beside = None
        await asyncio.gather(*map(kafka.close, dropped))
