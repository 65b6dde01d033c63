"""The HTTP API on real Kafka, Postgres and ledger: spending, reading, and who may do what."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway.keys import Scope

from tests.integration.gateway_world import World, keyed, world


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def granted(client: httpx.AsyncClient, amount: int) -> str:
    account = fresh("acc")
    body = {"amount": amount, "kind": "paid", "source": f"s-{account}"}
    answer = await client.post(f"/v1/accounts/{account}/grants", json=body, headers=keyed("grant"))
    assert answer.status_code == 201, answer.text
    return account


async def test_reserve_charge_and_the_balance_after_each(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        held = await client.post(
            "/v1/reservations", json={"account": account, "amount": 60}, headers=keyed("r1")
        )
        assert held.status_code == 201
        assert held.json()["balance"] == {"available": 40, "held": 60, "spent": 0}
        paid = await client.post(
            "/v1/reservations/r1/charge",
            json={"account": account, "amount": 42},
            headers=keyed("c1"),
        )
        assert paid.status_code == 200
        assert paid.json()["charged"] == 42
        assert paid.json()["released"] == 18
        assert paid.json()["lots"] == [{"grantId": "grant", "amount": 42}]
        assert paid.json()["balance"] == {"available": 58, "held": 0, "spent": 42}
        back = await client.post(
            "/v1/charges/c1/refund", json={"account": account, "amount": 2}, headers=keyed("f1")
        )
        assert back.status_code == 200
        assert back.json()["balance"] == {"available": 60, "held": 0, "spent": 40}


async def test_a_retry_gets_the_first_answer_byte_for_byte(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        body = {"account": account, "amount": 60}
        first = await client.post("/v1/reservations", json=body, headers=keyed("r1"))
        again = await client.post("/v1/reservations", json=body, headers=keyed('"r1"'))
        assert again.content == first.content
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        other = await client.post(
            "/v1/reservations", json={**body, "amount": 61}, headers=keyed("r1")
        )
        assert (other.status_code, other.json()["code"]) == (422, "id_conflict")
        assert other.json()["fields"] == ["amount"]


async def test_of_a_hundred_parallel_reserves_on_a_balance_for_ten_exactly_ten_succeed(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 100)

        async def reserve(number: int) -> int:
            answer = await client.post(
                "/v1/reservations",
                json={"account": account, "amount": 10},
                headers=keyed(f"r{number}"),
            )
            return answer.status_code

        statuses = await asyncio.gather(*(reserve(number) for number in range(100)))
    assert sorted(statuses) == [201] * 10 + [402] * 90


async def test_a_refusal_says_what_is_missing_and_what_helps(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 5)
        no = await client.post(
            "/v1/reservations",
            json={"account": account, "amount": 8},
            headers={**keyed("r1"), "X-Request-Id": "mine-1"},
        )
    assert no.status_code == 402
    assert no.headers["content-type"] == "application/problem+json"
    problem = no.json()
    assert problem["code"] == "insufficient_credits"
    assert problem["shortfall"] == 3
    assert problem["remedy"] == "top_up"
    assert problem["topUpUrl"] == "/account/credits"
    assert problem["requestId"] == no.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": 2**63}, 422, "amount_out_of_range"),
        ({"amount": 0}, 422, "amount_out_of_range"),
        ({"amount": -5}, 422, "amount_out_of_range"),
        ({"amount": "5"}, 422, "invalid_request"),
        ({"toolId": "no-such-tool"}, 404, "tool_unknown"),
        ({"toolId": "dev-studio-projects"}, 422, "tool_client_only"),
        (
            {"toolId": "dev-studio-security", "requestedLimits": {"cpuMs": 0}},
            422,
            "requested_limits_invalid",
        ),
        (
            {"toolId": "dev-studio-security", "requestedLimits": {"memoryMb": -1}},
            422,
            "requested_limits_invalid",
        ),
        (
            {"toolId": "dev-studio-security", "requestedLimits": {"durationMs": 10**12}},
            422,
            "requested_limits_invalid",
        ),
    ],
)
async def test_forged_amounts_and_limits_are_refused(
    api: World, body: dict[str, object], status: int, code: str
):
    async with api.client(api.key()) as client:
        account = await granted(client, 1_000)
        no = await client.post(
            "/v1/reservations", json={"account": account, **body}, headers=keyed("r1")
        )
    assert (no.status_code, no.json()["code"]) == (status, code)


async def test_a_batch_has_an_outcome_for_each_item_in_order(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 1_000)
        items = [
            {"op": "reserve", "idempotencyKey": f"r{n}", "account": account, "amount": 2}
            for n in range(498)
        ]
        items += [
            {
                "op": "charge",
                "idempotencyKey": f"c{n}",
                "account": account,
                "reservationId": f"r{n}",
                "amount": 1,
            }
            for n in range(498)
        ]
        items += [{"op": "release", "idempotencyKey": "x", "account": account}, {"op": "dance"}]
        answer = await client.post("/v1/batch", json={"items": items})
        assert answer.status_code == 200
        outcomes = answer.json()["items"]
        assert [one["status"] for one in outcomes] == [201] * 498 + [200] * 498 + [422, 422]
        assert outcomes[995]["body"]["balance"] == {"available": 502, "held": 0, "spent": 498}
        many = await client.post("/v1/batch", json={"items": items * 2})
        assert many.status_code == 422


async def test_a_read_sees_what_its_position_names(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        held = await client.post(
            "/v1/reservations", json={"account": account, "amount": 60}, headers=keyed("r1")
        )
        seen = await client.get(
            f"/v1/accounts/{account}/balance", params={"minPosition": held.json()["position"]}
        )
        assert seen.status_code == 200, seen.text
        shown = seen.json()
        assert (shown["available"], shown["held"], shown["spent"]) == (40, 60, 0)
        assert shown["complete"] is True
        assert [lot["available"] for lot in shown["lots"]] == [40]
        before = await client.get(
            f"/v1/accounts/{account}/balance", params={"asOf": "2020-01-01T00:00:00Z"}
        )
        assert before.json()["available"] == 0
        open_now = await client.get(f"/v1/accounts/{account}/reservations?status=open")
        assert [one["reservationId"] for one in open_now.json()["items"]] == ["r1"]
        one = await client.get("/v1/reservations/r1", params={"account": account})
        assert one.json()["status"] == "open"
        page = (await client.get(f"/v1/accounts/{account}/transactions?limit=1")).json()
        rest = await client.get(
            f"/v1/accounts/{account}/transactions", params={"cursor": page["nextCursor"]}
        )
        kinds = [entry["type"] for entry in page["items"] + rest.json()["items"]]
        assert kinds == ["CreditsReserved", "CreditsGranted"]


async def test_a_limit_that_was_set_holds_and_is_shown(api: World):
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        put = await client.put(
            f"/v1/accounts/{account}/controls", json={"dayLimit": 20, "timeZone": "Asia/Kolkata"}
        )
        assert put.status_code == 200, put.text
        assert put.json()["controls"]["dayLimit"] == 20
        no = await client.post(
            "/v1/reservations", json={"account": account, "amount": 21}, headers=keyed("r1")
        )
        assert (no.status_code, no.json()["code"]) == (402, "day_limit")
        assert no.json()["limit"]["left"] == 20
        assert no.json()["remedy"] == "raise_limit"
        read = await client.get(
            f"/v1/accounts/{account}/controls", params={"minPosition": no.json()["position"]}
        )
        assert read.json()["controls"]["timeZone"] == "Asia/Kolkata"
        balance = (await client.get(f"/v1/accounts/{account}/balance")).json()
        assert {limit["name"]: limit.get("left") for limit in balance["limits"]} == {
            "day": 20,
            "month": None,
        }


async def test_an_estimate_needs_no_account_where_the_tool_needs_none(api: World):
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
):
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


async def test_a_revoked_key_is_refused_within_five_seconds(api: World):
    from gateway import keystore

    text = api.key("ada")
    async with api.client(text) as client:
        assert (await client.get("/api/credits/balance")).status_code == 200
        key_id = text.split("_")[2]
        keystore.revoke(api.database, key_id, keystore.now_ms())
        await asyncio.sleep(5)
        assert (await client.get("/api/credits/balance")).status_code == 401


async def test_a_person_signs_in_and_other_sites_cannot_act_for_them(api: World):
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


async def test_a_key_has_its_rate(api: World):
    async with api.client(api.key(fresh("acc"))) as client:
        statuses = [(await client.get("/api/credits/balance")).status_code for _ in range(31)]
        assert statuses == [200] * 30 + [429]
        no = await client.get("/api/credits/balance")
        assert int(no.headers["retry-after"]) >= 1
        assert no.headers["ratelimit"].startswith('"balance";r=0')


async def test_errors_have_one_shape(api: World):
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
async def test_no_question_breaks_the_gateway(api: World, url: str):
    async with api.client(api.key()) as client:
        answer = await client.get(url, headers={"Scrip-Account": "ada"} if "/api/" in url else {})
    assert answer.status_code < 500, answer.text


async def test_what_is_granted_for_ever_or_oddly_breaks_nothing(api: World):
    async with api.client(api.key()) as client:
        for number, more in enumerate(
            (
                {"expiresAt": "9999-12-31T23:59:59Z"},
                {"effectiveFrom": "0001-01-01T00:00:00+14:00"},
                {"costBasis": {"amountMinor": 500, "currency": "GBP"}},
                {"costBasis": {"amountMinor": 500, "currency": "G\u0000P"}},
                {"priority": 10**30},
            )
        ):
            account = fresh("acc")
            body = {"amount": 5, "kind": "paid", "source": f"{account}-{number}", **more}
            url = f"/v1/accounts/{account}/grants"
            answer = await client.post(url, json=body, headers=keyed("g"))
            assert answer.status_code in {201, 422}, answer.text
            read = await client.get(f"/v1/accounts/{account}/balance")
            assert read.status_code == 200


async def test_more_callers_than_any_pool_and_refusals_are_no_errors(api: World):
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
