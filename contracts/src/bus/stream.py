"""The stream of counted events, for everyone who is not the owner: gateway, worker, projector.

`EventStream` reads all partitions of `ledger.events` with one consumer, applies the reader rule
and hands over batches of what counts, in order within a partition.
"""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.events import AnyEvent, PartitionClaimed
from contracts.topics import EVENTS
from contracts.units import MINUTE, Ms
from msgspec import Struct

from bus import kafka
from bus.reader import Position, Reader
from bus.topics import partitions_of
from contracts import codec

_CLAIM = b'{"type":"PartitionClaimed"'
_LOOK_BACK_MS = 70 * MINUTE  # claims are renewed hourly


class Counted(Struct, frozen=True, gc=False):
    """An event that counts, and where it lies."""

    partition: int
    offset: int
    timestamp: Ms
    event: AnyEvent
    raw: bytes


class EventStream:
    """Counted events from given positions on. Not started by construction."""

    def __init__(self, bootstrap: str, positions: Mapping[int, Position], prefix: str = "") -> None:
        self._bootstrap = bootstrap
        self._topic = prefix + EVENTS.name
        self._consumer: AIOKafkaConsumer | None = None
        self.readers = {partition: Reader(at) for partition, at in positions.items()}

    async def start(self) -> None:
        """Connect and stand at the positions."""
        self._consumer = await kafka.consumer_at(
            self._bootstrap,
            ((TopicPartition(self._topic, p), r.offset) for p, r in self.readers.items()),
        )

    async def stop(self) -> None:
        """Close the connection."""
        if self._consumer is not None:
            await kafka.close(self._consumer)

    async def next(self, timeout_ms: int = 1000, most: int = 5000) -> list[Counted]:
        """What counts of the next records; empty when none came within `timeout_ms`.

        Raises UnknownEvent at an event this version cannot read, LogDivergedError at a lie.
        """
        if self._consumer is None:
            raise RuntimeError("start() the stream first")
        got = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=most)
        counted = []
        for partition, records in got.items():
            number, reader = partition.partition, self.readers[partition.partition]
            for record in records:
                event = codec.decode_event(record.value)
                if reader.counts(record.offset, event) and not isinstance(event, PartitionClaimed):
                    counted.append(
                        Counted(number, record.offset, record.timestamp, event, record.value)
                    )
        return counted

    async def ends(self) -> dict[int, int]:
        """The offset behind the last record of each partition, now."""
        if self._consumer is None:
            raise RuntimeError("start() the stream first")
        ends = await self._consumer.end_offsets(
            [TopicPartition(self._topic, p) for p in self.readers]
        )
        return {tp.partition: end for tp, end in ends.items()}

    @property
    def heard_at(self) -> Ms:
        """When the broker last answered a fetch, by this machine's clock; 0 before the first."""
        if self._consumer is None:
            return 0
        return max(
            self._consumer.last_poll_timestamp(TopicPartition(self._topic, p)) or 0
            for p in self.readers
        )

    @property
    def skipped(self) -> int:
        """How many records did not count; must stay 0."""
        return sum(reader.skipped for reader in self.readers.values())

    @property
    def positions(self) -> dict[int, Position]:
        """Where each partition's reader stands."""
        return {partition: reader.position for partition, reader in self.readers.items()}


async def from_the_start(bootstrap: str, prefix: str = "") -> dict[int, Position]:
    """The positions of a reader that wants everything."""
    count = await partitions_of(bootstrap, prefix + EVENTS.name)
    return {partition: Position() for partition in range(count)}


async def fresh_positions(bootstrap: str, now: Ms, prefix: str = "") -> dict[int, Position]:
    """Where a fresh reader may begin: at each partition's newest exact claim.

    Looks back from `now` over the hourly renewals, twice as far when it finds none, at last to 0.
    """
    topic = prefix + EVENTS.name
    count = await partitions_of(bootstrap, topic)
    partitions = [TopicPartition(topic, p) for p in range(count)]
    opened = await kafka.consumer_at(bootstrap, ((p, 0) for p in partitions))
    try:
        ends = await opened.end_offsets(partitions)
        return {tp.partition: await newest_claim(opened, tp, ends[tp], now) for tp in partitions}
    finally:
        await kafka.close(opened)


async def newest_claim(
    opened: AIOKafkaConsumer, partition: TopicPartition, end: int, now: Ms
) -> Position:
    """Behind the newest exact claim before `end`; the very beginning if there is none."""
    back, until = _LOOK_BACK_MS, end
    while until > 0:
        found = (await opened.offsets_for_times({partition: max(0, now - back)}))[partition]
        start = min(until, found.offset if found is not None else end) if now > back else 0
        if (position := await _scan(opened, partition, start, until)) is not None:
            return position
        back, until = back * 2, start
    return Position()


async def _scan(
    opened: AIOKafkaConsumer, partition: TopicPartition, start: int, end: int
) -> Position | None:
    newest: Position | None = None
    opened.seek(partition, start)
    while await opened.position(partition) < end:
        got = await opened.getmany(partition, timeout_ms=500)
        for record in got.get(partition, ()):
            if not record.value.startswith(_CLAIM):
                continue
            claim = codec.decode_event(record.value)
            if type(claim) is PartitionClaimed and claim.at == record.offset:
                newest = Reader.from_claim(record.offset, claim).position
    return newest
