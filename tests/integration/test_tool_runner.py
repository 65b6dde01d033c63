"""The runner against tools that misbehave, in real processes: each is ended, and nothing else is.

After every test the same runner must still answer an honest run.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from studio_tools.link import ZygoteConfig, ZygoteError
from studio_tools.outcomes import (
    Completed,
    Failed,
    InvalidInput,
    Limits,
    NotAvailable,
    Outcome,
    Reason,
    Usage,
)
from studio_tools.runner import ToolRunner

HERE = str(Path(__file__).parent)
ROOMY = Limits(cpu_ms=5000, memory_mb=512, output_kb=1024, timeout_ms=10_000)
TIGHT = Limits(cpu_ms=200, memory_mb=64, output_kb=64, timeout_ms=400)


def _bombs(*, may_fork: bool = False) -> ZygoteConfig:
    return ZygoteConfig("tool_runner_bombs:tools", may_fork=may_fork, search=(HERE,))


@pytest.fixture
async def runner() -> AsyncIterator[ToolRunner]:
    async with ToolRunner(_bombs()) as runner:
        yield runner
        assert await _honest(runner), "the runner did not survive the test"


async def _honest(runner: ToolRunner) -> bool:
    outcome = await runner.run("answers", b'{"mark": "still here"}', ROOMY)
    return isinstance(outcome, Completed) and b"still here" in outcome.output


def _order(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _failed(outcome: Outcome) -> Reason:
    assert isinstance(outcome, Failed), outcome
    return outcome.reason


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


async def test_usage_is_what_the_operating_system_measured(runner: ToolRunner) -> None:
    outcome = await runner.run("burns", _order(amount=100), ROOMY)
    assert isinstance(outcome, Completed)
    assert 100 <= outcome.usage.cpu_ms <= 200
    assert outcome.usage.duration_ms >= 100
    assert outcome.usage.memory_mb >= 1

    outcome = await runner.run("takes-memory", _order(amount=100), ROOMY)
    assert isinstance(outcome, Completed)
    assert 100 <= outcome.usage.memory_mb <= 108, "resident, above the bare interpreter"

    outcome = await runner.run("answers", b"{}", ROOMY)
    assert isinstance(outcome, Completed)
    assert 1 <= outcome.usage.memory_mb <= 4


async def test_a_sleeper_is_killed_at_its_timeout(runner: ToolRunner) -> None:
    began = time.monotonic()
    outcome = await runner.run("sleeps", _order(amount=600), TIGHT)
    assert _failed(outcome) is Reason.TIMEOUT
    assert 0.4 <= time.monotonic() - began < 1.5
    assert isinstance(outcome, Failed)
    assert 400 <= outcome.usage.duration_ms < 1500


@pytest.mark.parametrize("tool", ["burns", "burns-in-c"])
async def test_a_burner_is_killed_at_its_cpu_limit_to_the_tick(
    runner: ToolRunner, tool: str
) -> None:
    limits = Limits(cpu_ms=200, memory_mb=64, output_kb=64, timeout_ms=10_000)
    outcome = await runner.run(tool, _order(amount=60_000), limits)
    assert _failed(outcome) is Reason.CPU_LIMIT
    assert isinstance(outcome, Failed)
    assert 200 <= outcome.usage.cpu_ms <= 300, "not before, and not the next whole second"


async def test_a_memory_bomb_is_refused_its_memory(runner: ToolRunner) -> None:
    assert _failed(await runner.run("takes-memory", _order(amount=200), TIGHT)) is (
        Reason.OUT_OF_MEMORY
    )
    outcome = await runner.run("takes-memory", _order(amount=50), TIGHT)
    assert isinstance(outcome, Completed), "what is within the limit is given"
    assert _failed(await runner.run("takes-memory", _order(amount=66), TIGHT)) is (
        Reason.OUT_OF_MEMORY
    ), "the limit is exact, whatever the allocator rounds"


async def test_a_flood_of_output_is_cut_off(runner: ToolRunner) -> None:
    assert _failed(await runner.run("floods", _order(amount=70 * 1024), TIGHT)) is (
        Reason.OUTPUT_TOO_LARGE
    )
    outcome = await runner.run("floods", _order(amount=64 * 1024 - 2), TIGHT)
    assert isinstance(outcome, Completed), "exactly the limit, quotes included"
    assert len(outcome.output) == 64 * 1024
    large = await runner.run("floods", _order(amount=1024 * 1024 - 2), ROOMY)
    assert isinstance(large, Completed)
    assert len(large.output) == 1024 * 1024


@pytest.mark.parametrize(
    ("tool", "amount"),
    [
        ("dies", signal.SIGKILL),
        ("dies", signal.SIGABRT),
        ("segfaults", 0),
        ("leaves", 0),
        ("leaves", 7),
    ],
)
async def test_a_crash_is_a_failed_run(runner: ToolRunner, tool: str, amount: int) -> None:
    assert _failed(await runner.run(tool, _order(amount=int(amount)), ROOMY)) is Reason.CRASHED


async def test_a_bug_is_told_to_the_operator_without_what_was_typed(runner: ToolRunner) -> None:
    outcome = await runner.run("raises", _order(mark="my secret"), ROOMY)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.CRASHED
    assert outcome.detail.startswith("LookupError at ")
    assert "my secret" not in outcome.detail


async def test_no_run_can_fork(runner: ToolRunner) -> None:
    outcome = await runner.run("forks", _order(amount=3), ROOMY)
    assert isinstance(outcome, Failed)
    assert outcome.detail.startswith("BlockingIOError"), "EAGAIN: no more processes"


async def test_grandchildren_die_with_the_run_even_those_that_left_its_session() -> None:
    async with ToolRunner(_bombs(may_fork=True)) as runner:
        outcome = await runner.run("forks", _order(amount=6), ROOMY)
        assert isinstance(outcome, Completed)
        pids = json.loads(outcome.output)
        assert len(pids) == 6
        assert await _gone(pids)

        running = asyncio.create_task(runner.run("forks", _order(amount=6, mark="stay"), TIGHT))
        await asyncio.sleep(0.2)
        family = _family(runner.zygote_pid)
        assert len(family) == 7, "the run and its six"
        assert _failed(await running) is Reason.TIMEOUT
        assert await _gone(family)
        assert await _honest(runner)


async def test_a_run_is_shut_in(runner: ToolRunner) -> None:
    outcome = await runner.run("looks-around", b"{}", ROOMY)
    assert isinstance(outcome, Completed)
    seen = json.loads(outcome.output)
    assert set(seen["environment"]) <= {"LC_CTYPE"}, "which the interpreter itself sets"
    assert [fd for fd in seen["descriptors"] if fd > 4] == [], "0-3, and the listing itself"
    assert seen["session"] is True
    assert seen["written"] in ("EFBIG", "EACCES")
    if runner.ready.own_user:
        assert seen["uid"] == 65534
    if runner.ready.own_network:
        assert seen["reached"] == "ENETUNREACH", "there is nothing to refuse a connection"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"nonsense",
        b"[" * 60_000,
        b'{"amount": "1"}',
        b'{"amount": 1e400}',
        b'{"mark": "\\ud800"}',
        b'{"surprise": 1}',
        b"null",
        b"x" * 70_000,
    ],
    ids=lambda payload: repr(payload[:12]),
)
async def test_no_input_is_more_than_invalid(runner: ToolRunner, payload: bytes) -> None:
    outcome = await runner.run("answers", payload, ROOMY)
    assert isinstance(outcome, InvalidInput), outcome
    assert outcome.message


async def test_a_message_names_the_field(runner: ToolRunner) -> None:
    outcome = await runner.run("answers", b'{"amount": "1"}', ROOMY)
    assert isinstance(outcome, InvalidInput)
    assert outcome.message == "amount: expected int, got str"


async def test_a_tool_that_is_not_there_is_not_available_and_costs_nothing(
    runner: ToolRunner,
) -> None:
    assert await runner.run("data-studio-dashboards", b"{}", ROOMY) == NotAvailable(
        "data-studio-dashboards", Usage()
    )


async def test_runs_do_not_disturb_each_other(runner: ToolRunner) -> None:
    mixed = [runner.run("answers", _order(mark=f"m{number}"), ROOMY) for number in range(40)] + [
        runner.run("sleeps", _order(amount=600), TIGHT),
        runner.run("takes-memory", _order(amount=200), TIGHT),
        runner.run("dies", _order(amount=9), ROOMY),
    ]
    outcomes = await asyncio.gather(*mixed)
    for number, outcome in enumerate(outcomes[:40]):
        assert isinstance(outcome, Completed)
        assert json.loads(outcome.output)["mark"] == f"m{number}"
    assert [_failed(outcome) for outcome in outcomes[40:]] == [
        Reason.TIMEOUT, Reason.OUT_OF_MEMORY, Reason.CRASHED,
    ]  # fmt: skip


async def test_a_killed_zygote_takes_its_runs_along_and_is_replaced(runner: ToolRunner) -> None:
    running = asyncio.create_task(runner.run("sleeps", _order(amount=600), ROOMY))
    await asyncio.sleep(0.2)
    family = _family(runner.zygote_pid)
    assert len(family) == 1
    os.kill(runner.zygote_pid, signal.SIGKILL)
    assert _failed(await running) is Reason.CRASHED
    assert await _gone(family), "a run must not outlive its zygote"
    assert await _honest(runner)
    assert runner.restarts == 1


async def test_a_stuck_zygote_is_killed_and_replaced(
    runner: ToolRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio_tools.runner.ANSWER_GRACE_S", 0.2)
    os.kill(runner.zygote_pid, signal.SIGSTOP)
    assert _failed(await runner.run("answers", b"{}", TIGHT)) is Reason.TIMEOUT
    assert await _honest(runner)
    assert runner.restarts == 1


async def test_a_cancelled_run_is_killed(runner: ToolRunner) -> None:
    running = asyncio.create_task(runner.run("sleeps", _order(amount=600), ROOMY))
    await asyncio.sleep(0.2)
    family = _family(runner.zygote_pid)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await _gone(family)


async def test_nothing_is_left_when_the_runner_ends() -> None:
    async with ToolRunner(_bombs()) as runner:
        running = asyncio.create_task(runner.run("sleeps", _order(amount=600), ROOMY))
        await asyncio.sleep(0.2)
        family = [runner.zygote_pid, *_family(runner.zygote_pid)]
        assert len(family) == 2
    assert _failed(await running) is Reason.CRASHED
    assert await _gone(family)


async def test_a_zygote_that_cannot_start_says_so() -> None:
    with pytest.raises(ZygoteError, match="did not start"):
        async with ToolRunner(ZygoteConfig("tool_runner_bombs:broken", search=(HERE,))):
            pass


def _family(pid: int) -> list[int]:
    """All descendants of a process."""
    children = [
        int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ]
    return children + [each for child in children for each in _family(child)]


async def _gone(pids: list[int]) -> bool:
    for _ in range(100):
        if not any(_alive(pid) for pid in pids):
            return True
        await asyncio.sleep(0.02)
    return False
