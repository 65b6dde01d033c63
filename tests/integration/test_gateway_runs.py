"""Runs through the gateway: over HTTP and over Kafka alone, on the real ledger and real worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from contracts.codec import decode_run_result, encode
from contracts.commands import Actor, ActorKind
from contracts.runs import RunOutcome, RunRequested, RunResult
from contracts.topics import RUN_REQUESTS, RUN_RESULTS
from engine.guard import Guard
from engine.local import Engine
from msgspec import Raw
from studio_tools import registry

from tests.integration.gateway_world import PARTITIONS, World, keyed, world

QUALITY = "/api/data-studio/quality/run"
EXAMPLE = msgspec.json.decode(registry.tools()["data-studio-quality"].example)


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector", "studio-tools")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


@asynccontextmanager
async def owner(api: World, amount: int = 100) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of a fresh account with credits."""
    account = f"acc-{uuid.uuid4().hex[:8]}"
    async with api.client(api.key()) as service:
        body = {"amount": amount, "kind": "paid", "source": f"s-{account}"}
        url = f"/v1/accounts/{account}/grants"
        assert (await service.post(url, json=body, headers=keyed("g"))).status_code == 201
    async with api.client(api.key(account)) as client:
        yield client, account


async def test_a_run_gives_its_result_and_what_it_cost(api: World) -> None:
    async with owner(api) as (client, _):
        answer = await client.post(QUALITY, json={"input": EXAMPLE}, headers=keyed("run1"))
        assert answer.status_code == 200, answer.text
        run = answer.json()
        assert run["success"] is True
        assert run["result"]["rows"] == 3
        cost = run["credits"]["charged"]
        assert 3 <= cost <= 9
        assert run["credits"]["balance"] == {"available": 100 - cost, "held": 0, "spent": cost}
        assert run["requestId"] == answer.headers["x-request-id"]
        again = await client.post(QUALITY, json={"input": EXAMPLE}, headers=keyed("run1"))
        assert again.status_code == 200
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["result"] == run["result"]
        assert again.json()["credits"]["charged"] == cost
        balance = await client.get("/api/credits/balance", params={"minPosition": run["position"]})
        assert balance.json()["spent"] == cost
        state = (await client.get("/api/runs/run1")).json()
        assert (state["status"], state["credits"]["charged"]) == ("completed", cost)
        assert state["result"] == run["result"]
        usage = (await client.get("/api/account/usage?period=7d")).json()
        assert usage["total"] == {
            "runs": 1,
            "completed": 1,
            "failed": 0,
            "charged": cost,
            "refunded": 0,
            "credits": cost,
        }


@pytest.mark.parametrize(
    ("path", "given", "status", "code"),
    [
        (QUALITY, {"rows": "none"}, 422, "invalid_input"),
        ("/api/dev-studio/projects/run", {}, 422, "tool_client_only"),
        ("/api/dev-studio/deployment/run", {}, 501, "not_available_yet"),
        (QUALITY, {"rows": ["x" * 40_000]}, 413, "input_too_large"),
    ],
)
async def test_a_run_without_a_result_costs_nothing_and_says_so(
    api: World, path: str, given: object, status: int, code: str
) -> None:
    async with owner(api) as (client, account):
        no = await client.post(path, json={"input": given}, headers=keyed("run1"))
        assert (no.status_code, no.json()["code"]) == (status, code), no.text
        assert no.json()["creditsCharged"] == 0
        async with api.client(api.key()) as service:
            balance = (await service.get(f"/v1/accounts/{account}/balance")).json()
        if "position" in no.json():
            assert no.json()["balance"] == {"available": 100, "held": 0, "spent": 0}
        assert balance["spent"] == 0


async def test_a_run_that_cannot_be_paid_is_not_run(api: World) -> None:
    async with owner(api, amount=2) as (client, _):
        no = await client.post(QUALITY, json={"input": EXAMPLE}, headers=keyed("run1"))
        assert (no.status_code, no.json()["code"]) == (402, "insufficient_credits")


async def test_who_will_not_wait_gets_an_address_where_the_result_arrives(api: World) -> None:
    async with owner(api) as (client, _):
        accepted = await client.post(
            QUALITY, json={"input": EXAMPLE}, headers={**keyed("run1"), "Prefer": "wait=0"}
        )
        if accepted.status_code == 504:  # the hand-over itself took longer than no time at all
            accepted = await client.post(
                QUALITY, json={"input": EXAMPLE}, headers={**keyed("run1"), "Prefer": "wait=1"}
            )
        assert accepted.status_code in {200, 202}, accepted.text
        url = accepted.json().get("statusUrl", "/api/runs/run1")
        for _ in range(300):
            state = await client.get(url)
            if state.status_code == 200 and state.json()["status"] != "running":
                break
            await asyncio.sleep(0.05)
        assert state.json()["status"] == "completed"
        assert state.json()["result"]["rows"] == 3


async def test_two_tenants_may_use_the_same_run_id(api: World) -> None:
    async with owner(api) as (one, _), owner(api) as (two, _):
        other = {**EXAMPLE, "rows": [*EXAMPLE["rows"], {"id": 9, "email": "a@b.c", "age": 5}]}
        answers = await asyncio.gather(
            one.post(QUALITY, json={"input": EXAMPLE}, headers=keyed("same")),
            two.post(QUALITY, json={"input": other}, headers=keyed("same")),
        )
    assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
    assert [answer.json()["result"]["rows"] for answer in answers] == [3, 4]


@asynccontextmanager
async def results(api: World) -> AsyncIterator["asyncio.Queue[RunResult]"]:
    """Everything published on tool-runs.results from now on."""
    partitions = [TopicPartition(api.prefix + RUN_RESULTS.name, n) for n in range(PARTITIONS)]
    consumer = await kafka.consumer_at(api.engine.bootstrap, ((p, 0) for p in partitions))
    ends = await consumer.end_offsets(partitions)
    for partition, end in ends.items():
        consumer.seek(partition, end)
    found: asyncio.Queue[RunResult] = asyncio.Queue()

    async def listen() -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    found.put_nowait(decode_run_result(record.value))

    listening = asyncio.create_task(listen())
    try:
        yield found
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await kafka.close(consumer)


async def concluded(found: "asyncio.Queue[RunResult]", run: str) -> RunResult:
    """The result of a run that says what it cost."""
    async with asyncio.timeout(20):
        while True:
            result = await found.get()
            if result.run == run and result.charged is not None:
                return result


async def test_a_run_can_be_asked_for_over_kafka_alone(api: World) -> None:
    outbox = Outbox(api.engine.bootstrap)
    topic = api.prefix + RUN_REQUESTS.name

    async def ask(account: str, run: str, value: bytes | None = None) -> None:
        asked = RunRequested(
            run=run,
            account=account,
            tool="data-studio-quality",
            input=Raw(msgspec.json.encode(EXAMPLE)),
            actor=Actor(ActorKind.SERVICE, "batch-service"),
        )
        await outbox.send(
            topic,
            partition_of(account, PARTITIONS),
            account.encode(),
            encode(asked) if value is None else value,
        )

    async with results(api) as found, owner(api) as (client, account):
        await ask(account, "poison", b"\x00 not json")
        await ask(account, "kafka-1")
        done = await concluded(found, "kafka-1")
        assert done.outcome is RunOutcome.COMPLETED
        assert done.charged is not None
        assert done.charged >= 3
        await ask(account, "kafka-1")  # the same run once more costs nothing more
        await ask("no name\x00", "kafka-3")
        wrong = await concluded(found, "kafka-3")
        assert wrong.error is not None
        assert (wrong.outcome, wrong.error.code) == (RunOutcome.REFUSED, "invalid_request")
        await ask("nobody-has-this", "kafka-2")
        no = await concluded(found, "kafka-2")
        assert no.outcome is RunOutcome.REFUSED
        assert no.error is not None
        assert no.error.code == "insufficient_credits"
        balance = await client.get("/api/credits/balance")
        assert balance.json()["spent"] == done.charged
        state = await client.get("/api/runs/kafka-1")
        assert state.json()["status"] == "completed"
    await outbox.stop()
    metrics = api.metrics()
    assert 'scrip_run_requests_total{outcome="undecodable"} 1.0' in metrics
    assert 'scrip_run_requests_total{outcome="refused"} 1.0' in metrics
