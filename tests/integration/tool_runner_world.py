"""A world for the tool worker: real Kafka, a real ledger, and what the gateway would do."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import ledger.main
import ledger.settings
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from bus.stream import Counted, EventStream, from_the_start
from bus.topics import ensure_topics
from contracts.commands import Actor, ActorKind, AnyCommand, Grant, GrantKind, Limits, Reserve
from contracts.events import AnyEvent, CreditsCharged, CreditsReleased, CreditsReserved
from contracts.runs import RunDispatched, RunResult
from contracts.topics import COMMANDS, RUN_DISPATCH, RUN_RESULTS
from msgspec import Raw

from contracts import codec

PARTITIONS = 2
SERVICE = Actor(ActorKind.SERVICE, "tests")
QUALITY = "data-studio-quality"
WITHIN_S = 20.0


class World:
    """What the gateway would do, and everything that was said on the two topics."""

    def __init__(self, bootstrap: str, prefix: str, outbox: Outbox) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.outbox = outbox
        self.events: list[AnyEvent] = []
        self.results: list[RunResult] = []
        self.heard = asyncio.Condition()
        self._ledger: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def start_ledger(self) -> None:
        self._stop = asyncio.Event()
        settings = ledger.settings.Settings(self.bootstrap, "test", self.prefix, 0)
        self._ledger = asyncio.create_task(ledger.main.serve(settings, self._stop))

    async def stop_ledger(self) -> None:
        self._stop.set()
        if self._ledger is not None:
            await self._ledger

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S), self.heard:
            await self.heard.wait_for(true)

    async def command(self, command: AnyCommand) -> None:
        partition = partition_of(command.account, PARTITIONS)
        name = self.prefix + COMMANDS.name
        await self.outbox.send(name, partition, command.account.encode(), codec.encode(command))
        await self.until(lambda: any(_answers(event, command) for event in self.events))

    async def reserved(self, tool: str, limits: Limits | None = None) -> CreditsReserved:
        """An account with credits and a hold on them for a run of `tool`."""
        run, account = f"run-{uuid.uuid4().hex}", f"acc-{uuid.uuid4().hex[:8]}"
        await self.command(Grant(
            id=f"g-{run}", account=account, actor=SERVICE, amount=100, kind=GrantKind.PROMO,
            source=run,
        ))  # fmt: skip
        await self.command(
            Reserve(id=run, account=account, actor=SERVICE, tool=tool, limits=limits)
        )
        return next(
            e for e in self.events if isinstance(e, CreditsReserved) and e.account == account
        )

    async def dispatch(self, held: CreditsReserved, given: bytes, **change: object) -> str:
        assert held.command is not None
        assert held.tool is not None
        assert held.limits is not None
        run = RunDispatched(
            run=held.command.id,
            account=held.account,
            tool=held.tool,
            reservation=held.reservation,
            input=Raw(given),
            limits=held.limits,
            expires_at=held.expires_at,
        )
        for name, value in change.items():
            setattr(run, name, value)
        await self.raw(run.run, codec.encode(run))
        return run.run

    async def raw(self, run: str, value: bytes) -> None:
        name = self.prefix + RUN_DISPATCH.name
        await self.outbox.send(name, partition_of(run, PARTITIONS), run.encode(), value)

    async def told(self, run: str) -> RunResult:
        """The last word on a run: the result with what was charged."""
        await self.until(lambda: any(r.run == run and r.charged is not None for r in self.results))
        return next(r for r in self.results if r.run == run and r.charged is not None)

    def endings(self, account: str) -> list[AnyEvent]:
        kinds = CreditsCharged | CreditsReleased
        return [
            event
            for event in self.events
            if isinstance(event, kinds) and event.account == account and event.answer
        ]


def _answers(event: AnyEvent, command: AnyCommand) -> bool:
    return event.answer and event.command is not None and event.command.id == command.id


@asynccontextmanager
async def a_world(bootstrap: str, topic_prefix: str) -> AsyncIterator[World]:
    await ensure_topics(bootstrap, partitions=PARTITIONS, single_broker=True, prefix=topic_prefix)
    outbox = Outbox(bootstrap)
    await outbox.start()
    world = World(bootstrap, topic_prefix, outbox)
    stream = EventStream(bootstrap, await from_the_start(bootstrap, topic_prefix), topic_prefix)
    await stream.start()
    await world.start_ledger()
    hearing = [asyncio.create_task(_hear(world, stream)), asyncio.create_task(_results(world))]
    try:
        yield world
    finally:
        await world.stop_ledger()
        for task in hearing:
            task.cancel()
        for ended in await asyncio.gather(*hearing, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended
        await stream.stop()
        await outbox.stop()


async def _hear(world: World, stream: EventStream) -> None:
    while True:
        counted: list[Counted] = await stream.next(timeout_ms=200)
        async with world.heard:
            world.events += [each.event for each in counted]
            world.heard.notify_all()


async def _results(world: World) -> None:
    name = world.prefix + RUN_RESULTS.name
    places = [(TopicPartition(name, number), 0) for number in range(PARTITIONS)]
    consumer = await kafka.consumer_at(world.bootstrap, places)
    try:
        while True:
            got = await consumer.getmany(timeout_ms=200)
            async with world.heard:
                world.results += [
                    codec.decode_run_result(record.value)
                    for records in got.values()
                    for record in records
                ]
                world.heard.notify_all()
    finally:
        await kafka.close(consumer)
