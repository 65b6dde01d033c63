"""Sends commands over Kafka and hands out their answers: a gateway without HTTP, and cheap.

It looks at nothing but the id and the type of an answer. It sends once: a benchmark that loses a
command must notice.
"""

import asyncio

import msgspec
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from bus.topics import partitions_of
from contracts.commands import Actor, ActorKind, Charge, Grant, GrantKind, Reserve
from contracts.topics import COMMANDS, EVENTS

from contracts import codec

BENCH = Actor(ActorKind.SERVICE, "bench")
GRANTED = 10**10  # more than any cell can spend


class _Ref(msgspec.Struct, gc=False):
    id: str


class _Answer(msgspec.Struct, gc=False):
    """What a caller looks at; the rest of the event is skipped."""

    type: str
    command: _Ref | None = None
    answer: bool = False
    id: str = ""  # an echoed command has its id here


_decode = msgspec.json.Decoder(_Answer).decode


class Bridge:
    """Use between `start` and `stop`."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap, self._prefix = bootstrap, prefix
        self._outbox = Outbox(bootstrap)
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._where: dict[str, int] = {}
        self.partitions = 0

    async def start(self) -> None:
        await self._outbox.start()
        self.partitions = await partitions_of(self._bootstrap, self._prefix + COMMANDS.name)
        tps = [TopicPartition(self._prefix + EVENTS.name, p) for p in range(self.partitions)]
        ends_of = kafka.consumer(self._bootstrap)
        await ends_of.start()
        ends = await ends_of.end_offsets(tps)
        await kafka.close(ends_of)
        self._consumer = await kafka.consumer_at(self._bootstrap, ends.items())
        self._hearing = asyncio.ensure_future(self._hear())

    async def stop(self) -> None:
        self._hearing.cancel()
        await self._outbox.stop()
        await kafka.close(self._consumer)

    def partition(self, account: str) -> int:
        """Where an account lives."""
        partition = self._where.get(account)
        if partition is None:
            partition = self._where[account] = partition_of(account, self.partitions)
        return partition

    def ask(self, command: Reserve | Charge | Grant) -> asyncio.Future[str]:
        """The type of the answer to a command."""
        if self._hearing.done():
            self._hearing.result()
        future = self._waiting[command.id] = asyncio.get_running_loop().create_future()
        account = command.account
        value = codec.encode(command)
        topic = self._prefix + COMMANDS.name
        self._outbox.put(topic, self.partition(account), account.encode(), value)
        return future

    def grant(self, run: str, account: str) -> asyncio.Future[str]:
        """Give an account more than it can spend; `run` names this grant's source."""
        return self.ask(
            Grant(
                id=f"{run}-g-{account}",
                account=account,
                actor=BENCH,
                amount=GRANTED,
                kind=GrantKind.PROMO,
                source=f"{run}-{account}",
            )
        )

    async def _hear(self) -> None:
        waiting = self._waiting
        while True:
            got = await self._consumer.getmany(timeout_ms=1000)
            for records in got.values():
                for record in records:
                    event = _decode(record.value)
                    if event.answer and event.command is not None:
                        future = waiting.pop(event.command.id, None)
                    else:
                        future = waiting.pop(event.id, None)
                    if future is not None:
                        future.set_result(event.type)
