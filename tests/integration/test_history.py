"""Estimates learn from charges, over real Kafka and PostgreSQL, while what teaches them dies."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition
from audit_projector.costs import basis_of
from bus import kafka
from contracts.history import ToolHistory
from contracts.topics import TOOL_HISTORY
from engine.guard import Guard
from engine.local import Engine
from ledger.domain.expecting import RUNS_MIN

from contracts import codec
from tests.e2e.finance import scrip, verified
from tests.integration.gateway_world import PARTITIONS, World, granted, keyed, world

TOOL = "dev-studio-security"  # 3 to 16 credits, 12 by the rule
WITHIN_S = 30.0
CPU_MS = (0, 4_000, 8_000)  # 3, 4 and 6 credits


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("history")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


async def test_estimates_learn_and_the_same_whoever_is_killed_meanwhile(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 1_000)
        first = await _estimate(client, account, "first")
        assert (first["typical"], first["basis"]) == (12, {"kind": "rule"})
        for at in range(0, RUNS_MIN, 10):
            await asyncio.gather(*(_run(client, account, n) for n in range(at, at + 10)))
            api.processes["audit-projector"].kill()
            api.start("audit-projector")
        learned = await _learned(client, account)
        paid = {3: 10, 4: 10, 6: 10}
        basis = basis_of(TOOL, learned["priceVersion"], paid)
        assert learned["basis"] == {
            "kind": "history",
            "runs": RUNS_MIN,
            "low": 3,
            "high": 6,
            "version": basis.version,
        }
        assert (learned["min"], learned["typical"], learned["max"]) == (3, 4, 16)

        api.processes["ledger"].kill()
        api.start("ledger")
        assert (await _estimate(client, account, "after"))["basis"] == learned["basis"]
        honoured = await _reserved(client, account, "by-the-first", estimateId="first")
        assert honoured["estimate"]["typical"] == 12
        await _run(client, account, RUNS_MIN)
    await verified(api.env)
    code, out, err = await scrip(api.env, "tools", "calibration", "--json")
    assert code == 0, err
    found = {x["basis"]: x for x in json.loads(out) if x["tool"] == TOOL}
    assert (found["rule"]["runs"], found["rule"]["inside"]) == (RUNS_MIN, RUNS_MIN)
    assert found["rule"]["off"] == 10 * (9 + 8 + 6)
    assert (found["history"]["runs"], found["history"]["typical"]) == (1, 4)
    assert found["history"]["off"] == 1

    rebuilt, _, why = await scrip(api.env, "audit-projector", "rebuild")
    assert rebuilt == 0, why
    told = await _published(api, runs=RUNS_MIN + 1)
    paid[3] += 1
    assert told.pop() == codec.encode(
        ToolHistory(TOOL, learned["priceVersion"], basis_of(TOOL, learned["priceVersion"], paid))
    )
    assert codec.encode(ToolHistory(TOOL, learned["priceVersion"], basis)) in told


async def _estimate(client: httpx.AsyncClient, account: str, named: str) -> dict[str, Any]:
    asked = {"account": account, "toolId": TOOL}
    until = time.monotonic() + WITHIN_S
    while True:
        answer = await client.post("/v1/estimates", json=asked, headers=keyed(named))
        if answer.status_code not in (503, 504) or time.monotonic() > until:
            break
        await asyncio.sleep(0.2)  # nobody owns the partition yet: ask again by the same name
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _reserved(
    client: httpx.AsyncClient, account: str, named: str, **more: str
) -> dict[str, Any]:
    asked = {"account": account, "toolId": TOOL, **more}
    answer = await client.post("/v1/reservations", json=asked, headers=keyed(named))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _run(client: httpx.AsyncClient, account: str, number: int) -> None:
    """One in three is charged in two parts: it counts once, by both."""
    await _reserved(client, account, f"r{number}")
    cpu_ms = CPU_MS[number % 3]
    parts = ((cpu_ms // 2, False), (cpu_ms, True)) if cpu_ms == max(CPU_MS) else ((cpu_ms, True),)
    for part, (used, final) in enumerate(parts):
        body = {
            "account": account,
            "usage": {"cpuMs": used, "memoryMb": 0, "durationMs": 0},
            "final": final,
        }
        path = f"/v1/reservations/r{number}/charge"
        answer = await client.post(path, json=body, headers=keyed(f"c{number}-{part}"))
        assert answer.status_code == 200, answer.text


async def _learned(client: httpx.AsyncClient, account: str) -> dict[str, Any]:
    until = time.monotonic() + WITHIN_S
    number = 0
    while True:
        number += 1
        found = await _estimate(client, account, f"learned-{number}")
        if found["basis"]["kind"] == "history":
            return found
        assert time.monotonic() < until, found
        await asyncio.sleep(0.2)


async def _published(api: World, runs: int) -> list[bytes]:
    """All figures of the tool on the topic, up to those of so many runs."""
    topic = api.prefix + TOOL_HISTORY.name
    parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = await kafka.consumer_at(api.engine.bootstrap, ((part, 0) for part in parts))
    found: list[bytes] = []
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        told = codec.decode_history(record.value)
                        if told.tool == TOOL:
                            found.append(record.value)
                            if told.basis.runs == runs:
                                return found
    finally:
        await kafka.close(consumer)
