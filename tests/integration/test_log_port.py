"""The real port, on aiokafka and a real broker, does what every port must do; and the fence."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import ProducerFenced
from bus import kafka
from bus.fence import fenced_producer
from bus.kafka_log import Cluster, KafkaLog
from bus.topics import ensure_topics
from contracts.topics import COMMANDS, EVENTS, SNAPSHOTS
from contracts.units import SECOND, Ms

from tests.simulation.port_suite import CASES
from tests.simulation.rig import Case


class KafkaRig:
    """One partition on a real broker; every owner has connections of its own."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._open: list[tuple[Cluster, KafkaLog]] = []
        self._spawned: list[asyncio.Task[None]] = []
        self._commands = prefix + COMMANDS.name
        self._producer = kafka.producer(bootstrap)

    async def start(self) -> None:
        await ensure_topics(
            self._bootstrap,
            partitions=1,
            single_broker=True,
            prefix=self._prefix,
            topics=(COMMANDS, EVENTS, SNAPSHOTS),
        )
        await self._producer.start()

    async def stop(self) -> None:
        for task in self._spawned:
            await task
        for cluster, port in reversed(self._open):
            await port.close()
            await cluster.stop()
        await self._producer.stop()

    async def port(self) -> KafkaLog:
        cluster = Cluster(self._bootstrap, self._prefix, "test", 1)
        await cluster.start()
        port = KafkaLog(cluster, 0)
        self._open.append((cluster, port))
        return port

    async def command(self, value: bytes, *, gap_after: bool = False) -> int:
        if gap_after:
            return await self._in_a_transaction(value)
        sent = await self._producer.send_and_wait(self._commands, value, key=b"a", partition=0)
        offset: int = sent.offset
        return offset

    async def _in_a_transaction(self, value: bytes) -> int:
        """Somebody's transaction: its marker takes the offset after the record."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, transactional_id=f"{self._prefix}gap"
        )
        await producer.start()
        try:
            async with producer.transaction():
                sent = await producer.send_and_wait(self._commands, value, key=b"a", partition=0)
        finally:
            await producer.stop()
        offset: int = sent.offset
        partition = TopicPartition(self._commands, 0)
        consumer = await kafka.consumer_at(self._bootstrap, [(partition, 0)])
        async with asyncio.timeout(kafka.SEND_WITHIN_S):  # the marker is written a moment later
            while (await consumer.end_offsets([partition]))[partition] != offset + 2:
                await self.sleep(20)
        await kafka.close(consumer)
        return offset

    async def delete_commands_before(self, offset: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            await admin.delete_records(
                {TopicPartition(self._commands, 0): RecordsToDelete(before_offset=offset)}
            )
        finally:
            await admin.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._spawned.append(asyncio.get_running_loop().create_task(work))

    async def sleep(self, for_ms: Ms) -> None:
        await asyncio.sleep(for_ms / SECOND)


@pytest.fixture
async def rig(bootstrap: str, topic_prefix: str) -> AsyncIterator[KafkaRig]:
    rig = KafkaRig(bootstrap, topic_prefix)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_kafka_port(rig: KafkaRig, case: Case) -> None:
    await case(rig)


# ---- the contract of bus.fence with aiokafka's internals


async def _events(bootstrap: str, prefix: str) -> str:
    await ensure_topics(
        bootstrap, partitions=1, single_broker=True, prefix=prefix, topics=(EVENTS,)
    )
    return prefix + EVENTS.name


async def _send(producer: AIOKafkaProducer, topic: str, value: bytes) -> int:
    batch = producer.create_batch()
    assert batch.append(key=b"a", value=value, timestamp=None) is not None
    async with asyncio.timeout(kafka.SEND_WITHIN_S):
        sent = await producer.send_batch(batch, topic, partition=0)
        offset: int = (await sent).offset
    return offset


async def test_fence_gives_the_same_producer_id_under_a_higher_epoch(
    bootstrap: str, topic_prefix: str
) -> None:
    producers = [await fenced_producer(bootstrap, f"{topic_prefix}a") for _ in range(3)]
    other = await fenced_producer(bootstrap, f"{topic_prefix}b")
    try:
        ids = [p._txn_manager._pid_and_epoch for p in producers]
        assert len({pid for pid, _ in ids}) == 1
        assert [epoch - ids[0][1] for _, epoch in ids] == [0, 1, 2]
        assert other._txn_manager._pid_and_epoch[0] != ids[0][0]
    finally:
        for producer in (*producers, other):
            await kafka.close(producer)


async def test_fence_makes_the_broker_refuse_the_older_producer(
    bootstrap: str, topic_prefix: str
) -> None:
    topic = await _events(bootstrap, topic_prefix)
    older = await fenced_producer(bootstrap, topic_prefix)
    assert await _send(older, topic, b"older") == 0
    newer = await fenced_producer(bootstrap, topic_prefix)
    try:
        assert await _send(older, topic, b"between") == 1
        assert await _send(newer, topic, b"newer") == 2
        with pytest.raises(ProducerFenced):
            await _send(older, topic, b"too late")
        assert await _send(newer, topic, b"still") == 3
    finally:
        await kafka.close(older)
        await kafka.close(newer)


async def test_fence_is_no_transaction(bootstrap: str, topic_prefix: str) -> None:
    """No marker takes an offset, and nobody has to wait for a commit."""
    topic = await _events(bootstrap, topic_prefix)
    producer = await fenced_producer(bootstrap, topic_prefix)
    try:
        assert [await _send(producer, topic, b"x") for _ in range(3)] == [0, 1, 2]
        assert not producer._txn_manager.transactional_id
    finally:
        await kafka.close(producer)
