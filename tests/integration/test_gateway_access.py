"""Who may do what over HTTP, and that nothing a caller sends breaks the gateway."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway import keystore
from gateway.keys import Scope

from tests.integration.gateway_world import World, fresh, granted, keyed, world


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


async def test_an_estimate_needs_no_account_where_the_tool_needs_none(api: World) -> None:
    async with api.client() as nobody:
        free = await nobody.post(
            "/api/billing/estimate", json={"toolId": "dev-studio-api-designer"}
        )
        assert (free.status_code, free.json()["max"]) == (200, 5)
        closed = await nobody.post("/api/billing/estimate", json={"toolId": "dev-studio-security"})
        assert closed.status_code == 401


ROUTES = (
    ("POST", "/v1/accounts/{other}/grants", {"amount": 5, "kind": "paid", "source": "x"}),
    ("POST", "/v1/reservations", {"account": "{other}", "amount": 1}),
    ("POST", "/v1/reservations/r1/charge", {"account": "{other}", "amount": 1}),
    ("POST", "/v1/reservations/r1/release", {"account": "{other}"}),
    ("POST", "/v1/reservations/r1/extend", {"account": "{other}", "amount": 1}),
    ("POST", "/v1/charges/c1/refund", {"account": "{other}"}),
    ("POST", "/v1/estimates", {"account": "{other}", "toolId": "dev-studio-security"}),
    ("PUT", "/v1/accounts/{other}/controls", {"dayLimit": 1}),
    ("GET", "/v1/accounts/{other}/controls", None),
    ("GET", "/v1/accounts/{other}/balance", None),
    ("GET", "/v1/accounts/{other}/transactions", None),
    ("GET", "/v1/accounts/{other}/usage", None),
    ("GET", "/v1/accounts/{other}/reservations", None),
    ("GET", "/v1/reservations/r1?account={other}", None),
)


async def events_of(api: World, account: str) -> int:
    with psycopg.connect(api.database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM read.entries WHERE account = %s", (account,)
        ).fetchone()
    return 0 if row is None else int(row[0])


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_another_tenant_finds_nothing_and_leaves_no_trace(
    api: World, method: str, path: str, body: dict[str, object] | None
) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 10)
        answers = []
        for key, expected in (
            (api.key("someone-else"), 404),
            (api.key(account, frozenset({Scope.READ})), 200 if method == "GET" else 403),
            ("scrip_test_nobody_0000", 401),
            ("", 401),
        ):
            shown = {} if not key else {"Authorization": f"Bearer {key}"}
            answer = await service.request(
                method,
                path.replace("{other}", account),
                json=None
                if body is None
                else {k: account if v == "{other}" else v for k, v in body.items()},
                headers={**keyed("k1"), "Authorization": "", **shown},
            )
            answers.append((answer.status_code, expected, answer.text))
        reached = await service.get(f"/v1/accounts/{account}/balance")
        assert reached.status_code == 200
    for status, expected, text in answers:
        if expected == 200 and "/reservations/r1" in path:
            assert status == 404  # its own, and not there
        else:
            assert status == expected, text
    assert await events_of(api, account) <= 1


async def test_a_revoked_key_is_refused_within_five_seconds(api: World) -> None:
    text = api.key("ada")
    async with api.client(text) as client:
        assert (await client.get("/api/credits/balance")).status_code == 200
        key_id = text.split("_")[2]
        keystore.revoke(api.database, key_id, keystore.now_ms())
        await asyncio.sleep(5)
        assert (await client.get("/api/credits/balance")).status_code == 401


async def test_a_person_signs_in_and_other_sites_cannot_act_for_them(api: World) -> None:
    async with api.client() as browser:
        assert (await browser.post("/dev/sign-in", json={"account": "ada"})).status_code == 204
        assert (await browser.get("/api/credits/balance")).status_code == 200
        body = {"toolId": "dev-studio-security"}
        assert (await browser.post("/api/billing/estimate", json=body)).status_code == 200
        forged = await browser.post(
            "/api/billing/estimate", json=body, headers={"Origin": "https://evil.example"}
        )
        assert (forged.status_code, forged.json()["code"]) == (403, "cross_site")
        assert (await browser.get("/v1/accounts/ada/balance")).status_code == 401
        assert (await browser.post("/dev/sign-out")).status_code == 204
        assert (await browser.get("/api/credits/balance")).status_code == 401


async def test_a_key_has_its_rate(api: World) -> None:
    async with api.client(api.key(fresh("acc"))) as client:
        statuses = [(await client.get("/api/credits/balance")).status_code for _ in range(31)]
        assert statuses == [200] * 30 + [429]
        no = await client.get("/api/credits/balance")
        assert int(no.headers["retry-after"]) >= 1
        assert no.headers["ratelimit"].startswith('"balance";r=0')


async def test_errors_have_one_shape(api: World) -> None:
    async with api.client(api.key()) as client:
        for answer in (
            await client.get("/nowhere"),
            await client.delete("/v1/reservations"),
            await client.post("/v1/reservations", content=b"{", headers=keyed("x")),
            await client.post("/v1/reservations", json={"account": "a", "amount": 1}),
            await client.get("/v1/accounts/a/transactions?limit=0"),
            await client.get("/v1/accounts/a/balance?minPosition=zzz"),
            await client.get("/v1/accounts/a/usage?period=1y"),
            await client.post("/v1/reservations", content=b" " * 70_000, headers=keyed("x")),
            await client.put("/v1/accounts/a/controls", json={"dayLimit": "5"}),
            await client.post("/v1/reservations", json={"amount": 1}, headers=keyed("x")),
        ):
            assert answer.headers["content-type"] == "application/problem+json", answer.text
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert 400 <= answer.status_code < 500
            assert {"type", "title", "code", "detail", "requestId"} <= set(problem)


@pytest.mark.parametrize(
    "url",
    [
        "/v1/accounts/%00/balance",
        "/v1/accounts/ada/balance?asOf=0001-01-01T00:00:00%2B14:00",
        "/v1/accounts/ada/balance?asOf=9999-12-31T23:59:59-14:00",
        "/v1/accounts/ada/balance?minPosition=MTA6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=",
        "/v1/accounts/ada/transactions?cursor=%F0%9F%92%A5",
        "/v1/accounts/ada/transactions?cursor=999999999999999999999",
        "/v1/accounts/ada/transactions?type=%00",
        "/v1/accounts/ada/transactions?from=0001-01-01T00:00:00%2B14:00&to=9999-12-31T23:59:59Z",
        "/v1/accounts/ada/usage?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
        "/v1/accounts/ada/usage?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "/v1/reservations/%00?account=ada",
        "/v1/reservations/r1?account=%00",
        "/v1/reservations/r1",
        "/v1/accounts/a%2Fb/balance",
        "/api/runs/%00",
    ],
)
async def test_no_question_breaks_the_gateway(api: World, url: str) -> None:
    async with api.client(api.key()) as client:
        answer = await client.get(url, headers={"Scrip-Account": "ada"} if "/api/" in url else {})
    assert answer.status_code < 500, answer.text


async def test_what_is_granted_for_ever_or_oddly_breaks_nothing(api: World) -> None:
    async with api.client(api.key()) as client:
        oddities: tuple[dict[str, object], ...] = (
            {"expiresAt": "9999-12-31T23:59:59Z"},
            {"effectiveFrom": "0001-01-01T00:00:00+14:00"},
            {"costBasis": {"amountMinor": 500, "currency": "GBP"}},
            {"costBasis": {"amountMinor": 500, "currency": "G\u0000P"}},
            {"priority": 10**30},
        )
        for number, more in enumerate(oddities):
            account = fresh("acc")
            body = {"amount": 5, "kind": "paid", "source": f"{account}-{number}", **more}
            url = f"/v1/accounts/{account}/grants"
            answer = await client.post(url, json=body, headers=keyed("g"))
            assert answer.status_code in {201, 422}, answer.text
            read = await client.get(f"/v1/accounts/{account}/balance")
            assert read.status_code == 200


async def test_more_callers_than_any_pool_and_refusals_are_no_errors(api: World) -> None:
    many = httpx.AsyncClient(
        base_url=api.base,
        headers={"Authorization": f"Bearer {api.key()}"},
        timeout=40,
        limits=httpx.Limits(max_connections=400),
        trust_env=False,
    )
    async with many as client:
        account = await granted(client, 1)
        wanted = [
            client.post(
                "/v1/reservations",
                json={"account": account, "amount": 5},
                headers=keyed(f"r{number}"),
            )
            for number in range(600)
        ]
        reads = [client.get(f"/v1/accounts/{account}/balance") for _ in range(100)]
        answers = await asyncio.gather(*wanted, *reads)
    assert {answer.status_code for answer in answers[:600]} == {402}
    assert {answer.status_code for answer in answers[600:]} <= {200, 503}
    assert '"level": "error"' not in api.log()
    assert 'scrip_refusals_total{reason="insufficient_credits"}' in api.metrics()
