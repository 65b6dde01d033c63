"""One partition's owner on a real broker, stepped by hand: it writes snapshots and takes over."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from bus import kafka
from bus.kafka_log import Cluster, KafkaLog
from bus.log import KeyValue, Record
from bus.topics import ensure_topics
from contracts.catalogue import served
from contracts.topics import COMMANDS, EVENTS, SNAPSHOTS, TOPICS
from ledger.owner import Owner
from ledger.partition import Partition
from ledger.snapshots import Pace

from contracts import codec
from tests.unit.domain.words import grant, reserve

NEVER = Pace(events=1 << 40)
ALWAYS = Pace(events=1, gap_ms=0)
CHECKPOINT_EVERY = 40
ACCOUNTS = 25


class Site:
    """Topics of one partition on a broker."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self._asked = 0

    async def create(self) -> None:
        await ensure_topics(
            self.bootstrap, partitions=1, single_broker=True, prefix=self.prefix, topics=TOPICS
        )

    @asynccontextmanager
    async def owner(self, pace: Pace) -> AsyncIterator[Owner]:
        """An owner that has taken over; left alone at the end, as if killed."""
        cluster = Cluster(self.bootstrap, self.prefix, "test", 1)
        await cluster.start()
        port = KafkaLog(cluster, 0)
        owner = Owner(port, fresh, pace)
        try:
            await owner.take_over()
            yield owner
        finally:
            await port.close()
            await cluster.stop()

    async def ask(self, owner: Owner, commands: int) -> None:
        """Let it decide so many commands more, and wait until they are acknowledged."""
        producer = kafka.producer(self.bootstrap)
        await producer.start()
        try:
            for number in range(self._asked, self._asked + commands):
                account = f"acct-{number % ACCOUNTS}"
                command = (
                    grant(1000, f"g{number}", account=account)
                    if number < ACCOUNTS
                    else reserve(f"r{number}", 1, account=account)
                )
                await producer.send(
                    self.prefix + COMMANDS.name,
                    codec.encode(command),
                    key=account.encode(),
                    partition=0,
                )
            await producer.flush()
        finally:
            await producer.stop()
        self._asked += commands
        await step(owner, lambda: owner.partition.reader.commands_from >= self._asked)
        await owner.drain()

    async def replayed(self) -> Partition:
        """A fresh partition that read the whole log."""
        partition = fresh()
        partition.replay(await self.records(EVENTS.name))
        return partition

    async def records(self, topic: str) -> list[Record]:
        """All that lies in a topic."""
        tp = TopicPartition(self.prefix + topic, 0)
        consumer = await kafka.consumer_at(self.bootstrap, [(tp, 0)])
        try:
            end = (await consumer.end_offsets([tp]))[tp]
            found: list[Record] = []
            while not found or found[-1].offset + 1 < end:
                found += (await consumer.getmany(timeout_ms=500)).get(tp, [])
            return found
        finally:
            await kafka.close(consumer)

    async def put_snapshots(self, records: list[KeyValue]) -> None:
        """Somebody writes into the snapshots who is no owner."""
        producer = kafka.producer(self.bootstrap)
        await producer.start()
        try:
            for key, value in records:
                await producer.send_and_wait(
                    self.prefix + SNAPSHOTS.name, value, key=key, partition=0
                )
        finally:
            await producer.stop()


def fresh() -> Partition:
    return Partition(0, 1, served("test"), CHECKPOINT_EVERY)


async def whole(owner: Owner) -> None:
    """Let the owner work until a snapshot shows all that was decided."""
    partition = owner.partition
    await step(
        owner,
        lambda: not owner.snapshots.is_busy and partition.marked == partition.reader.seq,
    )


async def step(owner: Owner, holds: Callable[[], bool]) -> None:
    """Let the owner work until something holds."""
    for _ in range(5_000):
        if holds():
            return
        await owner.step()
    raise AssertionError("it never came to that")
