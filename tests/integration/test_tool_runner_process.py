"""The worker as a process: killed in the middle of a run, stopped in good order, and measured."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from contracts.commands import Limits
from contracts.runs import RunOutcome

from tests.integration.tool_runner_world import QUALITY, World, a_world

# A regular expression that takes for ever to say no: two seconds of CPU, then killed.
SLOW = json.dumps({
    "rows": [{"x": "a" * 40 + "b"}],
    "rules": [{"rule": "pattern", "column": "x", "regex": "(a+)+$"}],
}).encode()  # fmt: skip
TWO_SECONDS = Limits(cpu_ms=2000, memory_mb=64, duration_ms=9000)
SCRIP = str(Path(sys.executable).parent / "scrip")


@pytest.fixture
async def world(bootstrap: str, topic_prefix: str) -> AsyncIterator[World]:
    async with a_world(bootstrap, topic_prefix) as world:
        yield world


@asynccontextmanager
async def _process(
    world: World, metrics_port: int = 0
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        SCRIP, "studio-tools", "run",
        env={
            "SCRIP_KAFKA_BOOTSTRAP": world.bootstrap,
            "SCRIP_ENV": "test",
            "SCRIP_TOPIC_PREFIX": world.prefix,
            "SCRIP_METRICS_PORT": str(metrics_port),
        },
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _family(pid: int) -> list[int]:
    """All descendants of a process; none when it is gone."""
    threads = Path(f"/proc/{pid}/task")
    if not threads.exists():
        return []
    children = [
        int(child)
        for thread in threads.iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return children + [each for child in children for each in _family(child)]


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def _until_it_runs(pid: int) -> list[int]:
    """The zygote and the run, once both are there and the run is past its own start."""
    for _ in range(1000):
        if len(family := _family(pid)) == 2:
            await asyncio.sleep(0.2)
            return family
        await asyncio.sleep(0.02)
    raise AssertionError("no run was started")


async def _gone(pids: list[int]) -> bool:
    for _ in range(250):
        if not any(_alive(pid) for pid in pids):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_killed_in_the_middle_of_a_run_it_leaves_no_process_and_the_next_one_settles(
    world: World,
) -> None:
    held = await world.reserved(QUALITY, TWO_SECONDS)
    async with _process(world) as first:
        run = await world.dispatch(held, SLOW)
        family = await _until_it_runs(first.pid)
        os.kill(first.pid, signal.SIGKILL)
        await first.wait()
        assert await _gone(family)
    assert world.results == []
    async with _process(world):
        told = await world.told(run)
    assert told.outcome is RunOutcome.FAILED
    assert told.error is not None
    assert told.error.code == "cpu_limit"
    assert len(world.endings(held.account)) == 1


async def test_sigterm_lets_the_run_under_way_end_and_exits_in_time(world: World) -> None:
    held = await world.reserved(QUALITY, TWO_SECONDS)
    async with _process(world) as process:
        run = await world.dispatch(held, SLOW)
        family = await _until_it_runs(process.pid)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        assert await _gone(family)
    assert (await world.told(run)).charged == 0


async def test_metrics_say_what_ran(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with _process(world, port):
        held = await world.reserved("noop")
        await world.told(await world.dispatch(held, b"{}"))
        shown = (await asyncio.to_thread(_read, f"http://127.0.0.1:{port}/metrics")).splitlines()
    assert 'scrip_tool_runs_total{outcome="completed",tool="noop"} 1.0' in shown
    assert 'scrip_tool_settled_total{how="charged"} 1.0' in shown
    assert "scrip_reader_skipped_events 0.0" in shown


def _read(address: str) -> str:
    with urlopen(address, timeout=5) as answer:
        text: str = answer.read().decode()
    return text


async def test_a_wrong_setting_is_said_and_ends_with_2() -> None:
    process = await asyncio.create_subprocess_exec(
        SCRIP, "studio-tools", "run", env={}, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"SCRIP_KAFKA_BOOTSTRAP is not set" in said


async def test_a_tool_can_be_tried_without_kafka() -> None:
    process = await asyncio.create_subprocess_exec(
        SCRIP, "studio-tools", "try", "dev-studio-security", "--example",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, said = await process.communicate()
    assert process.returncode == 0, said
    assert json.loads(output)["files"] == 2
    assert b"cpu_ms" in said
