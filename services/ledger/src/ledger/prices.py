"""What decide is told of prices: the catalogue, with the newest figures that runs have left.

The figures come from `tools.history`, beside everything else: without that topic, or without Kafka,
estimates are by the rule, and nothing waits. What was used stands in the event, so that a replay
needs none of this.
"""

import asyncio
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from bus import kafka
from bus.topics import TopicError, partitions_of
from contracts.catalogue import Catalogue
from contracts.topics import TOOL_HISTORY
from msgspec.structs import replace

from contracts import codec
from ledger.seat import Seat

log = structlog.get_logger(__name__)

LOOK_MS = 1_000  # figures change slowly; every partition that is served has the newest within this
KNOWN_WITHIN_S = 2.0  # a start waits no longer for them: the rule is a good estimate as well
_AGAIN_AFTER_S = 5.0


class Prices:
    """The catalogue as it is decided by. `follow` keeps it up."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._known = asyncio.Event()
        self._seat: Seat | None = None

    def take(self, raw: bytes) -> None:
        """Newer figures of a tool; those of another price, or unreadable ones, are let be."""
        try:
            told = codec.decode_history(raw)
        except codec.CodecError as why:
            log.warning("history_unreadable", why=str(why))
            return
        if told.price_version == self.catalogue.version and told.tool in self.catalogue.tools:
            history = {**self.catalogue.history, told.tool: told.basis}
            self.catalogue = replace(self.catalogue, history=history)

    async def known(self) -> None:
        """Wait until what is there has been read, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_WITHIN_S):
                await self._known.wait()

    def hand_to(self, seat: Seat) -> None:
        """From now on this seat's partitions are told of the newest."""
        self._seat = seat

    async def follow(self, bootstrap: str, prefix: str) -> None:
        """Read on for ever."""
        while True:
            try:
                await self._read(bootstrap, prefix + TOOL_HISTORY.name)
            except (KafkaError, TopicError, OSError, TimeoutError) as why:
                log.warning("history_unread", why=repr(why), again_in_s=_AGAIN_AFTER_S)
                self._known.set()
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def _read(self, bootstrap: str, topic: str) -> None:
        numbers = range(await partitions_of(bootstrap, topic))
        parts = [TopicPartition(topic, number) for number in numbers]
        consumer = await kafka.reader(bootstrap)
        try:
            consumer.assign(parts)
            for part, first in (await consumer.beginning_offsets(parts)).items():
                consumer.seek(part, first)
            ends = await consumer.end_offsets(parts)
            while True:
                await self._look(consumer)
                for owner in () if self._seat is None else self._seat.owners.values():
                    owner.partition.catalogue = self.catalogue
                if not self._known.is_set() and await _behind(consumer, ends):
                    self._known.set()
        finally:
            await kafka.close(consumer)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        timeout = LOOK_MS if self._known.is_set() else 50
        for records in (await consumer.getmany(timeout_ms=timeout)).values():
            for record in records:
                if record.value is not None:
                    self.take(record.value)


async def _behind(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Whether it has read up to these offsets."""
    return all([await consumer.position(part) >= end for part, end in ends.items()])
