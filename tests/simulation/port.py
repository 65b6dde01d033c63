"""The simulated port: bus.log.PartitionLog without asyncio, driven by `coroutine.send(None)`.

Every await of the owner hands what it rests for to the scheduler, which may let it go on, pause
it, or close it for ever: each await is a place to crash.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from bus.log import Append, KeyValue, LogError, Record
from bus.partition import partition_of
from contracts.units import BATCH_BYTES_MAX, SECOND, Ms

from tests.simulation.broker import Batch, Broker, SimPartition
from tests.simulation.network import Call, Network

READ_WITHIN_MS = 30 * SECOND  # without any progress
TAKEN_AT_ONCE = 4  # commands of one delivery, at most: small, so that batches differ


class Turn:
    """Rest for nothing: only let the others go first."""

    __slots__ = ()

    def __await__(self) -> Any:
        yield None


class Until:
    """Rest until something holds."""

    __slots__ = ("ready",)

    def __init__(self, ready: Callable[[], bool]) -> None:
        self.ready = ready

    def __await__(self) -> Any:
        yield self


class SimAppend:
    """A batch on its way."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call = call

    @property
    def done(self) -> bool:
        return self.call.done

    def offset(self) -> int:
        batch: Batch = self.call.outcome()
        return batch.base


class Site:
    """What all ports of one world share: its broker, network, clock, chance and read errors."""

    def __init__(self, seed: int, partitions: int, *, fence: bool) -> None:
        self.random = Random(seed)
        self.broker = Broker(partitions, fence=fence)
        self.network = Network(self.random)
        self.now: Ms = 1_800_000_000_000
        self.read_error = False
        self.tokens = 0

    def stamp(self) -> Ms:
        """The broker's time for a record; leaders' clocks differ a little."""
        random = self.random.random
        return self.now - int(random() * 50) if random() < 0.2 else self.now

    def reading(self) -> None:
        """A read from the broker: it fails where a fault was set for it."""
        if self.read_error:
            self.read_error = False
            raise LogError("read failed")

    def command(self, partition: int, key: bytes, value: bytes) -> Record:
        """A command lands, after a gap in the offsets now and then."""
        random = self.random.random
        gap = 1 + int(random() * 2) if random() < 0.15 else 0
        return self.broker.partitions[partition].put_command(key, value, self.stamp(), gap)

    def emitted(self, partition: int, key: bytes, value: bytes) -> None:
        """A follow-up is on its way."""
        self.network.send(Call(lambda: self.command(partition, key, value), "courier"))


class SimLog:
    """One partition as one owner sees it. Implements bus.log.PartitionLog."""

    def __init__(self, site: Site, partition: int, skew: Ms = 0, name: str = "owner") -> None:
        self.site = site
        self.number = partition
        self.part: SimPartition = site.broker.partitions[partition]
        self.skew = skew
        self.name = name
        self.next_command = 0
        self._producer: tuple[int, int] | None = None
        self._sequence = 0
        self._append: SimAppend | None = None
        self._beside_sequence = 0
        self._beside: SimAppend | None = None
        self._assigned = True

    def released(self) -> None:
        """The partition is no longer ours."""
        self._assigned = False

    async def fence(self) -> None:
        self._producer = None
        broker, number = self.site.broker, self.number
        self._producer = await self.site.network.send(
            Call(lambda: broker.init_producer(number), self.name)
        )
        self._sequence = self._beside_sequence = 0
        self._append = self._beside = None

    async def end(self) -> int:
        await Turn()
        self.site.reading()
        end = self.part.high
        await Turn()
        return end

    def events(self, start: int, end: int) -> "SimRecords":
        return SimRecords(self, self.part, start, end)

    def append(self, records: Sequence[KeyValue]) -> SimAppend:
        if self._append is not None and not self._append.done:
            raise AssertionError("one batch at a time")
        self._append = self._sent(self.part, records, self._sequence, "events")
        self._sequence += 0 if self._append.done else len(records)
        return self._append

    def snapshot(self, records: Sequence[KeyValue]) -> SimAppend:
        if self._beside is not None and not self._beside.done:
            raise AssertionError("one batch of snapshots at a time")
        shelf = self.site.broker.shelves[self.number]
        self._beside = self._sent(shelf, records, self._beside_sequence, "snapshots")
        self._beside_sequence += 0 if self._beside.done else len(records)
        return self._beside

    async def keeps_snapshots(self) -> bool:
        await Turn()
        self.site.reading()
        return self.site.broker.keeps_snapshots

    def snapshots(self, end: int) -> "SimRecords":
        return SimRecords(self, self.site.broker.shelves[self.number], 0, end, compacted=True)

    def _sent(
        self, part: SimPartition, records: Sequence[KeyValue], sequence: int, lane: str
    ) -> SimAppend:
        if self._producer is None:
            raise LogError("no producer: fence() first")
        site, batch = self.site, tuple(records)
        pid, epoch = self._producer

        def serve() -> Batch:
            return part.produce(pid, epoch, sequence, batch, site.stamp())

        def settled(landed: Batch) -> bool | None:
            return None if part.gone or part.lost(landed) else part.high >= landed.end

        call = Call(serve, (pid, epoch, lane), settled)
        if sum(len(key) + len(value) for key, value in batch) > BATCH_BYTES_MAX:
            call.fail("batch too large")
        else:
            site.network.send(call)
        return SimAppend(call)

    async def command_at(self, offset: int) -> Record | None:
        await Turn()
        self.site.reading()
        return self.part.command_at(offset)

    async def first_command(self) -> int:
        await Turn()
        self.site.reading()
        return self.part.command_start

    async def commands_from(self, offset: int) -> None:
        await Turn()
        self.next_command = offset

    def take(self, most: int) -> Sequence[Record]:
        some = min(most, 1 + int(self.site.random.random() * TAKEN_AT_ONCE))
        taken = self.part.commands_after(self.next_command, some)
        if taken:
            self.next_command = taken[-1].offset + 1
        return taken

    async def wait(self, append: Append | None, timeout_ms: Ms, *, hungry: bool) -> None:
        over = self.site.now + timeout_ms
        part, site = self.part, self.site

        def ready() -> bool:
            if append is not None and append.done:
                return True
            if hungry and (part.command_end > self.next_command or not self._assigned):
                return True
            return site.now >= over

        await Until(ready)

    def emit(self, account: str, command: bytes) -> None:
        partition = partition_of(account, len(self.site.broker.partitions))
        self.site.emitted(partition, account.encode(), command)

    def now(self) -> Ms:
        return self.site.now + self.skew

    def token(self) -> str:
        self.site.tokens += 1
        return f"{self.name}.{self.site.tokens}"

    def mine(self) -> bool:
        return self._assigned


class SimRecords:
    """The records of [start, end), in pieces of any length, as far as the high watermark goes.

    Of a compacted topic some are gone, wherever there is a newer one of the same key.
    """

    __slots__ = ("_at", "_compacted", "_end", "_log", "_part")

    def __init__(
        self, log: SimLog, part: SimPartition, start: int, end: int, *, compacted: bool = False
    ) -> None:
        self._log = log
        self._part = part
        self._at = start
        self._end = end
        self._compacted = compacted

    def __aiter__(self) -> "SimRecords":
        return self

    async def __anext__(self) -> Sequence[Record]:
        at, log = self._at, self._log
        if at >= self._end:
            raise StopAsyncIteration
        part = self._part
        if part.high <= at:
            over = log.site.now + READ_WITHIN_MS
            await Until(lambda: part.high > at or part.gone or log.site.now > over)
        else:
            await Turn()
        log.site.reading()
        if part.gone or part.high <= at:
            raise LogError("the topic was deleted, or ends before")
        some = at + 1 + int(log.site.random.random() * 40)
        self._at = min(self._end, part.high, some)
        found = part.events[at : self._at]
        if not self._compacted:
            return found
        newest = {record.key: record.offset for record in part.events[: part.high]}
        random = log.site.random.random
        return [r for r in found if newest[r.key] == r.offset or random() < 0.5]
