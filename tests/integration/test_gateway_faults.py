"""When parts are away: callers hear so in time, nothing is guessed, nothing is done twice."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.integration.gateway_world import World, keyed, world

WAIT_MS = 2_500


@pytest.fixture(scope="module")
def api(guard: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with servers of its own: these tests kill them."""
    folder: Path = tmp_path_factory.mktemp("gateway-faults")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)  # run by root, PostgreSQL drops to an account that must get in
    engine = Engine(folder / "engine", guard=guard)
    if not (engine.owns_kafka and engine.owns_postgres):
        pytest.skip("SCRIP_KAFKA_BOOTSTRAP or SCRIP_POSTGRES_URL names servers we must not kill")
    engine.start()
    try:
        with world(
            engine,
            engine.postgres_url,
            f"t{uuid.uuid4().hex[:10]}.",
            folder,
            guard,
            services=("ledger", "audit-projector"),
            gateway={"SCRIP_ANSWER_WAIT_MS": str(WAIT_MS)},
        ) as made:
            yield made
    finally:
        engine.forget()


async def granted(client: httpx.AsyncClient, amount: int = 1_000) -> str:
    account = f"acc-{uuid.uuid4().hex[:8]}"
    body = {"amount": amount, "kind": "paid", "source": f"s-{account}"}
    async with asyncio.timeout(30):
        while True:
            url = f"/v1/accounts/{account}/grants"
            answer = await client.post(url, json=body, headers=keyed("g"))
            if answer.status_code == 201:
                return account
            await asyncio.sleep(0.1)


async def reserve(client: httpx.AsyncClient, account: str, key: str) -> httpx.Response:
    body = {"account": account, "amount": 1}
    return await client.post("/v1/reservations", json=body, headers=keyed(key))


async def until_201(client: httpx.AsyncClient, account: str, key: str) -> httpx.Response:
    """Retry with the same key, as a caller should, until the answer is there."""
    async with asyncio.timeout(40):
        while True:
            answer = await reserve(client, account, key)
            if answer.status_code == 201:
                return answer
            assert answer.status_code in {503, 504}, answer.text
            await asyncio.sleep(0.2)


def gauge(api: World, name: str) -> float:
    (line,) = [x for x in api.metrics().splitlines() if x.startswith(f"{name} ")]
    return float(line.split()[1])


async def test_a_ledger_that_stands_still_gives_504_then_503_and_the_same_key_the_answer(
    api: World,
) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client)
        api.processes["ledger"].pause()
        try:
            unknown = await reserve(client, account, "r1")
            assert (unknown.status_code, unknown.json()["code"]) == (504, "outcome_unknown")
            assert "retry with the same" in unknown.json()["detail"]
            # one probe may wait; everybody else is turned away at once
            began = time.monotonic()
            turned = await asyncio.gather(
                *(reserve(client, account, f"x{number}") for number in range(20))
            )
            refused = [answer for answer in turned if answer.status_code == 503]
            assert len(refused) >= 18
            assert all(answer.headers["retry-after"] == "1" for answer in refused)
            assert all(answer.elapsed.total_seconds() < 1 for answer in refused)
            assert time.monotonic() - began < WAIT_MS / 1000 + 1
        finally:
            api.processes["ledger"].resume()
        held = await until_201(client, account, "fresh")
        again = await until_201(client, account, "fresh")
        assert again.content == held.content


async def test_callers_who_hang_up_leave_nothing_behind(api: World) -> None:
    async with api.client(key := api.key()) as client:
        account = await granted(client)
        await until_201(client, account, "warm")
        api.processes["ledger"].pause()
        writers = []
        try:
            for number in range(200):
                _, writer = await asyncio.open_connection("127.0.0.1", api.port)
                body = b'{"account":"%s","amount":1}' % account.encode()
                writer.write(
                    b"POST /v1/reservations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                    b"Idempotency-Key: gone-%d\r\nContent-Length: %d\r\n\r\n%s"
                    % (key.encode(), number, len(body), body)
                )
                writers.append(writer)
            await asyncio.sleep(0.3)
            assert gauge(api, "scrip_commands_waiting") >= 100
            for writer in writers:
                writer.close()
        finally:
            await asyncio.sleep(0.2)
            api.processes["ledger"].resume()
        for _ in range(150):
            left = gauge(api, "scrip_commands_waiting") + gauge(api, "scrip_http_in_flight")
            if not left:
                break
            await asyncio.sleep(0.1)
        assert left == 0
        assert '"level": "error"' not in api.log()


async def test_a_gateway_killed_while_callers_wait_gives_the_same_answer_after_it(
    api: World,
) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client)
        waiting = [asyncio.create_task(reserve(client, account, f"k{n}")) for n in range(50)]
        await asyncio.sleep(0.01)
        api.processes["gateway"].kill()
        before = await asyncio.gather(*waiting, return_exceptions=True)
        api.start_gateway(SCRIP_ANSWER_WAIT_MS=str(WAIT_MS))
    async with api.client(api.key()) as client:
        after = [await until_201(client, account, f"k{n}") for n in range(50)]
        for one, two in zip(before, after, strict=True):
            if isinstance(one, httpx.Response) and one.status_code == 201:
                assert one.content == two.content
        held = (await client.get(f"/v1/accounts/{account}/reservations")).json()["items"]
        position = after[-1].json()["position"]
        balance = await client.get(
            f"/v1/accounts/{account}/balance", params={"minPosition": position}
        )
        assert balance.json()["held"] == 50
        assert len(held) <= 50


async def test_without_postgres_writes_go_on_and_reads_say_so(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client)
        assert (await client.get(f"/v1/accounts/{account}/balance")).status_code == 200
        api.engine.kill_postgres()
        try:
            held = await reserve(client, account, "r1")
            assert held.status_code == 201
            read = await client.get(f"/v1/accounts/{account}/balance")
            assert (read.status_code, read.json()["code"]) == (503, "reads_unavailable")
            assert read.elapsed.total_seconds() < 4
            await asyncio.sleep(2.5)  # past a refresh of the keys
            assert (await reserve(client, account, "r2")).status_code == 201
        finally:
            api.engine.start_postgres()
        for _ in range(150):
            read = await client.get(f"/v1/accounts/{account}/balance")
            if read.status_code == 200:
                break
            await asyncio.sleep(0.2)
        assert read.status_code == 200


async def test_without_kafka_callers_are_turned_away_within_a_second(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client)
        api.engine.kill_kafka()
        try:
            await asyncio.sleep(1.2)
            for number in range(5):
                no = await reserve(client, account, f"n{number}")
                assert no.status_code == 503, no.text
                assert no.json()["code"] == "ledger_unreachable"
                assert no.elapsed.total_seconds() < 1
            alive = await client.get("/healthz")
            assert alive.status_code == 200
            assert (await client.get("/readyz")).status_code == 503
        finally:
            api.engine.start_kafka()
        held = await until_201(client, account, "after")
        assert held.json()["balance"]["held"] >= 1
        assert gauge(api, "scrip_events_skipped") == 0


async def test_told_to_stop_it_ends_in_order_within_ten_seconds(api: World) -> None:
    began = time.monotonic()
    assert api.processes["gateway"].stop() == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in api.log()
