"""Every record of `ledger.events` from given positions on, and whether it counts.

The same reader rule as everyone's (`bus.reader`), but nothing is left out: the compliance log
accounts for claims and for what was skipped, too. In order within a partition.
"""

from collections.abc import Iterable, Mapping
from time import monotonic

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from bus import kafka
from bus.reader import LogDivergedError, Position, Reader
from bus.topics import partitions_of
from contracts.codec import UnknownEvent
from contracts.events import AnyRecord, PartitionClaimed
from contracts.topics import EVENTS
from contracts.units import Ms
from msgspec import Struct

from contracts import codec

LAG_EVERY_S = 1.0  # a request to the broker each; dashboards look every few seconds


class Taken(Struct, gc=False):
    """One record, where and when the broker wrote it, and whether it counts."""

    partition: int
    offset: int
    timestamp: Ms
    event: AnyRecord
    raw: bytes
    counts: bool


class Intake:
    """One consumer over the partitions of `positions`. Not started by construction."""

    def __init__(self, bootstrap: str, positions: Mapping[int, Position], prefix: str = "") -> None:
        self._bootstrap = bootstrap
        self._topic = prefix + EVENTS.name
        self._opened: AIOKafkaConsumer | None = None
        self._asked = -LAG_EVERY_S
        self._wrong: UnknownEvent | LogDivergedError | None = None
        self.readers = {partition: Reader(at) for partition, at in positions.items()}

    async def start(self) -> None:
        """Connect and stand at the positions; raises LogDivergedError where the log is shorter."""
        self._opened = await kafka.consumer_at(
            self._bootstrap,
            ((TopicPartition(self._topic, p), r.offset) for p, r in self.readers.items()),
        )
        for number, end in (await self.ends()).items():
            if end < self.readers[number].offset:
                raise LogDivergedError(
                    f"{self._topic}/{number} ends at {end}, records up to"
                    f" {self.readers[number].offset} were read before: it was cut or made anew;"
                    " restore it, or rebuild what was read from it"
                )

    async def stop(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            await kafka.close(self._opened)

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        if self._opened is None:
            raise RuntimeError("start() the intake first")
        return self._opened

    @property
    def positions(self) -> dict[int, Position]:
        """Where each partition's reader stands."""
        return {partition: reader.position for partition, reader in self.readers.items()}

    @property
    def skips(self) -> dict[int, int]:
        """How many records each partition's reader skipped; must stay 0."""
        return {partition: reader.skipped for partition, reader in self.readers.items()}

    async def next(self, timeout_ms: int, most: int) -> list[Taken]:
        """The next records; empty when none came within `timeout_ms`.

        Raises UnknownEvent, naming the record, at an event this version cannot read, and
        LogDivergedError at an exact claim that contradicts what was read.
        """
        if self._wrong is not None:
            raise self._wrong
        got = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=most)
        taken: list[Taken] = []
        try:
            for tp, records in got.items():
                self._take(tp.partition, records, taken)
        except (UnknownEvent, LogDivergedError) as wrong:
            if not taken:
                raise
            self._wrong = wrong  # what stands before it is fine: raise it when that is done
        return taken

    def _take(self, number: int, records: Iterable[ConsumerRecord], taken: list[Taken]) -> None:
        reader = self.readers[number]
        for record in records:
            offset, raw = record.offset, record.value
            try:
                event = codec.decode_event(raw)
            except UnknownEvent as wrong:
                raise UnknownEvent(
                    f"{self._topic}/{number} at offset {offset}: {wrong};"
                    " upgrade this reader, then start it again"
                ) from wrong
            before = reader.position if isinstance(event, PartitionClaimed) else None
            try:
                counts = reader.counts(offset, event)
            except LogDivergedError:
                self.readers[number] = Reader(before)  # nobody may store to have passed the lie
                raise
            taken.append(Taken(number, offset, record.timestamp, event, raw, counts))

    async def ends(self) -> dict[int, int]:
        """The offset behind the last record of each partition, now."""
        ends = await self._consumer.end_offsets(
            [TopicPartition(self._topic, p) for p in self.readers]
        )
        return {tp.partition: end for tp, end in ends.items()}

    async def lag(self) -> dict[int, int] | None:
        """What is `left`, at most once a second; None when it was asked less than that ago."""
        now = monotonic()
        if now - self._asked < LAG_EVERY_S:
            return None
        self._asked = now
        return await self.left()

    async def left(self) -> dict[int, int]:
        """How many records of each partition are still to be read."""
        ends = await self.ends()
        return {number: max(0, end - self.readers[number].offset) for number, end in ends.items()}


async def partitions(bootstrap: str, prefix: str = "") -> int:
    """How many partitions the events have; raises TopicError when there is no such topic."""
    return await partitions_of(bootstrap, prefix + EVENTS.name)
