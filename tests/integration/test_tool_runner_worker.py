"""The worker against a real ledger on real Kafka: runs are executed, paid for once, and told."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import ledger.main
import ledger.settings
import pytest
import studio_tools.main
import studio_tools.settings
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from bus.stream import Counted, EventStream, from_the_start
from bus.topics import ensure_topics
from contracts.catalogue import served
from contracts.commands import Actor, ActorKind, AnyCommand, Grant, GrantKind, Limits, Reserve
from contracts.events import AnyEvent, CreditsCharged, CreditsReleased, CreditsReserved
from contracts.runs import RunDispatched, RunOutcome, RunResult
from contracts.topics import COMMANDS, RUN_DISPATCH, RUN_RESULTS
from msgspec import Raw
from studio_tools.registry import tools

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


@pytest.fixture
async def world(bootstrap: str, topic_prefix: str) -> AsyncIterator[World]:
    await ensure_topics(bootstrap, partitions=PARTITIONS, single_broker=True, prefix=topic_prefix)
    outbox = Outbox(bootstrap)
    await outbox.start()
    world = World(bootstrap, topic_prefix, outbox)
    stream = EventStream(bootstrap, await from_the_start(bootstrap, topic_prefix), topic_prefix)
    await stream.start()
    stop = asyncio.Event()
    settings = ledger.settings.Settings(bootstrap, "test", topic_prefix, 0)
    serving = asyncio.create_task(ledger.main.serve(settings, stop))
    hearing = [asyncio.create_task(_hear(world, stream)), asyncio.create_task(_results(world))]
    try:
        yield world
    finally:
        stop.set()
        await serving
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


@asynccontextmanager
async def _worker(world: World) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    settings = studio_tools.settings.Settings(
        kafka_bootstrap=world.bootstrap, env="test", topic_prefix=world.prefix
    )
    serving = asyncio.create_task(studio_tools.main.serve(settings, stop))
    try:
        yield stop
    finally:
        stop.set()
        await serving


async def test_a_run_is_executed_charged_by_what_it_used_and_told(world: World) -> None:
    async with _worker(world):
        held = await world.reserved(QUALITY)
        run = await world.dispatch(held, tools()[QUALITY].example)
        told = await world.told(run)
    assert told.outcome is RunOutcome.COMPLETED
    assert told.result is not None
    assert json.loads(bytes(told.result))["rows"] == 3
    (charged,) = world.endings(held.account)
    assert isinstance(charged, CreditsCharged)
    assert told.charged == charged.amount == 3, "the least a run costs"
    assert charged.usage == told.usage
    assert charged.balance is not None
    assert (charged.balance.available, charged.balance.held) == (97, 0)


@pytest.mark.parametrize(
    ("tool", "given", "outcome", "code"),
    [
        (QUALITY, b'{"rows": 7}', RunOutcome.INVALID_INPUT, "invalid_input"),
        ("data-studio-dashboards", b"{}", RunOutcome.NOT_AVAILABLE, "not_available"),
    ],
)
async def test_what_did_not_run_costs_nothing(
    world: World, tool: str, given: bytes, outcome: RunOutcome, code: str
) -> None:
    async with _worker(world):
        held = await world.reserved(tool)
        told = await world.told(await world.dispatch(held, given))
    assert (told.outcome, told.charged) == (outcome, 0)
    assert told.error is not None
    assert told.error.code == code
    (released,) = world.endings(held.account)
    assert isinstance(released, CreditsReleased)
    assert released.balance is not None
    assert (released.balance.available, released.balance.held) == (100, 0)


async def test_a_run_that_burns_its_limit_is_killed_and_costs_nothing(world: World) -> None:
    rows = [{"x": "a" * 40 + "b"}]
    rule = {"rule": "pattern", "column": "x", "regex": "(a+)+$"}  # takes for ever to say no
    given = json.dumps({"rows": rows, "rules": [rule]}).encode()
    async with _worker(world):
        held = await world.reserved(QUALITY, Limits(cpu_ms=300, memory_mb=64, duration_ms=5000))
        told = await world.told(await world.dispatch(held, given))
    assert told.error is not None
    assert (told.error.code, told.charged) == ("cpu_limit", 0)


async def test_a_run_dispatched_three_times_is_charged_once(world: World) -> None:
    async with _worker(world):
        held = await world.reserved(QUALITY)
        for _ in range(3):
            run = await world.dispatch(held, tools()[QUALITY].example)
        await world.told(run)
        await world.dispatch(held, tools()[QUALITY].example)
        await world.until(lambda: sum(r.charged == 3 for r in world.results) >= 2)
    assert len(world.endings(held.account)) == 1


async def test_a_run_executed_again_by_another_worker_is_charged_once(world: World) -> None:
    held = await world.reserved(QUALITY)
    async with _worker(world):
        run = await world.dispatch(held, tools()[QUALITY].example)
        await world.told(run)
    first = len(world.results)
    async with _worker(world):
        await world.dispatch(held, tools()[QUALITY].example)
        await world.until(lambda: len(world.results) >= first + 2)
    assert len(world.endings(held.account)) == 1
    assert {result.outcome for result in world.results} == {RunOutcome.COMPLETED}


async def test_a_run_whose_hold_is_over_is_not_started(world: World) -> None:
    async with _worker(world):
        held = await world.reserved("noop")
        run = await world.dispatch(held, b"{}", expires_at=int(time.time() * 1000) + 1000)
        told = await world.told(run)
    assert told.error is not None
    assert (told.error.code, told.usage) == ("reservation_expired", None)


async def test_poison_does_not_stop_the_runs_behind_it(world: World) -> None:
    async with _worker(world):
        held = await world.reserved("noop")
        run = str(held.reservation)
        for poison in (b"", b"\xff", b"[" * 100_000, b'{"run": 1}', b"null"):
            await world.raw(run, poison)
        told = await world.told(await world.dispatch(held, b"{}"))
    assert told.outcome is RunOutcome.COMPLETED


async def test_a_stopped_worker_finishes_what_it_began_and_leaves_the_rest(world: World) -> None:
    async with _worker(world) as stop:
        helds = [await world.reserved("noop") for _ in range(5)]
        runs = [await world.dispatch(held, b"{}") for held in helds]
        await world.told(runs[0])
        stop.set()
    async with _worker(world):
        for run in runs:
            assert (await world.told(run)).charged == 3
    for held in helds:
        assert len(world.endings(held.account)) == 1
    assert "noop" in served("test").tools
