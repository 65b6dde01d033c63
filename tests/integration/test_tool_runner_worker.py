"""The worker against a real ledger on real Kafka: runs are executed, paid for once, and told."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import studio_tools.main
import studio_tools.settings
from contracts.commands import Limits
from contracts.events import AnswerRepeated, CreditsCharged, CreditsReleased
from contracts.runs import RunOutcome
from studio_tools.registry import tools

from tests.integration.tool_runner_world import QUALITY, World, a_world


@pytest.fixture
async def world(bootstrap: str, topic_prefix: str) -> AsyncIterator[World]:
    async with a_world(bootstrap, topic_prefix) as world:
        yield world


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


async def test_while_the_ledger_is_away_the_result_is_told_and_the_charge_waits_for_it(
    world: World,
) -> None:
    held = await world.reserved("noop")
    await world.stop_ledger()
    async with _worker(world):
        run = await world.dispatch(held, b"{}")
        await world.until(lambda: any(result.run == run for result in world.results))
        await asyncio.sleep(1.5)
        assert world.results[-1].charged is None, "nobody is told a price the log does not say"
        await world.start_ledger()
        assert (await world.told(run)).charged == 3
    assert len(world.endings(held.account)) == 1
    repeated = [event for event in world.events if isinstance(event, AnswerRepeated)]
    assert repeated, "the charge was sent again meanwhile, and changed nothing"
