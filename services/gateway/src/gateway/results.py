"""The ear on `tool-runs.results`: every process hears all of them, from ten minutes ago on."""

import asyncio
import time

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from bus import kafka
from bus.topics import TopicError, partitions_of
from contracts.codec import CodecError, decode_run_result
from contracts.topics import RUN_RESULTS
from contracts.units import MINUTE

from gateway.watching import RunWatch

log = structlog.get_logger(__name__)

LOOK_BACK_MS = 10 * MINUTE  # a caller of a gateway that fell over asks again within minutes
BACK_OFF_S = 0.5
POLL_MS = 500


class ResultsListener:
    """Feeds a RunWatch. Results that cannot be read are counted and passed over."""

    def __init__(self, bootstrap: str, prefix: str, watch: RunWatch) -> None:
        self._bootstrap = bootstrap
        self._topic = prefix + RUN_RESULTS.name
        self._watch = watch
        self._offsets: dict[TopicPartition, int] = {}
        self.undecodable = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            consumer: AIOKafkaConsumer | None = None
            try:
                consumer = await self._opened()
                await self._listen(consumer)
            except (KafkaError, TopicError, OSError, TimeoutError) as why:
                log.warning("results_lost_connection", why=repr(why), again_in_s=BACK_OFF_S)
            finally:
                if consumer is not None:
                    await kafka.close(consumer)
            await asyncio.sleep(BACK_OFF_S)

    async def _opened(self) -> AIOKafkaConsumer:
        if self._offsets:
            return await kafka.consumer_at(self._bootstrap, self._offsets.items())
        count = await partitions_of(self._bootstrap, self._topic)
        partitions = [TopicPartition(self._topic, number) for number in range(count)]
        consumer = await kafka.consumer_at(self._bootstrap, ((p, 0) for p in partitions))
        since = time.time_ns() // 1_000_000 - LOOK_BACK_MS
        ends = await consumer.end_offsets(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
        for partition in partitions:
            first = found[partition]
            self._offsets[partition] = ends[partition] if first is None else first.offset
            consumer.seek(partition, self._offsets[partition])
        return consumer

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=POLL_MS)
            for partition, records in got.items():
                for record in records:
                    self._came(record.value or b"", record.offset)
                self._offsets[partition] = records[-1].offset + 1

    def _came(self, value: bytes, offset: int) -> None:
        try:
            self._watch.came(decode_run_result(value))
        except CodecError as wrong:
            self.undecodable += 1
            log.error(  # noqa: TRY400 - the sender's fault; a stack says nothing
                "result_undecodable", offset=offset, why=str(wrong)
            )
