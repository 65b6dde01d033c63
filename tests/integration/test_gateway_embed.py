"""What pages of other applications may show, whose, and for how long."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway import embedtokens, keystore
from gateway.keys import Scope

from tests.integration.gateway_world import World, fresh, granted, world

HOST = "https://app.example.org"
OTHER = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("embed")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    listed = {"SCRIP_EMBED_ORIGINS": f"{HOST}, {OTHER}", "SCRIP_RATE_LIMITS": "off"}
    with world(engine, database, prefix, folder, guard, services=services, gateway=listed) as made:
        yield made


async def token(api: World, account: str, origin: str = HOST, key: str = "") -> str:
    async with api.client(key or api.key(), **{"Scrip-Account": account}) as service:
        made = await service.post("/v1/embed-tokens", json={"origin": origin})
    assert made.status_code == 201, made.text
    assert made.json()["origin"] == origin
    return str(made.json()["token"])


def shown(text: str, origin: str = HOST) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}", "Origin": origin}


async def test_a_listed_page_sees_the_balance_and_a_price_of_one_account(api: World) -> None:
    async with api.client(api.key()) as service, api.client() as page:
        account = await granted(service, 750)
        headers = shown(await token(api, account))
        balance = await page.get("/embed/balance", headers=headers)
        assert (balance.status_code, balance.headers["content-type"][:9]) == (200, "text/html")
        assert balance.headers["access-control-allow-origin"] == HOST
        assert "access-control-allow-credentials" not in balance.headers
        assert 'data-available="750"' in balance.text
        price = await page.get(
            "/embed/estimate", params={"toolId": "dev-studio-security"}, headers=headers
        )
        assert price.status_code == 200, price.text
        assert 'data-allowed="yes"' in price.text
        assert "left after it" in price.text
        poor = shown(await token(api, fresh("poor")))
        no = await page.get(
            "/embed/estimate", params={"toolId": "dev-studio-security"}, headers=poor
        )
        assert 'data-allowed="no"' in no.text
        assert "more credits needed" in no.text


async def test_a_token_opens_nothing_for_another_origin_or_any_other_route(api: World) -> None:
    account = fresh("acc")
    text = await token(api, account)
    async with api.client() as page:
        for origin in (OTHER, "https://evil.example", ""):
            answer = await page.get("/embed/balance", headers=shown(text, origin))
            assert (answer.status_code, 'data-code="embed_over"' in answer.text) == (401, True)
        evil = await page.get("/embed/balance", headers=shown(text, "https://evil.example"))
        assert "access-control-allow-origin" not in evil.headers
        for path in ("/api/credits/balance", "/api/live", f"/v1/accounts/{account}/balance"):
            assert (await page.get(path, headers=shown(text))).status_code == 401
        key = {"Authorization": f"Bearer {api.key(account)}", "Origin": HOST}
        assert (await page.get("/embed/balance", headers=key)).status_code == 401
        await page.post("/dev/sign-in", json={"account": account})
        assert (await page.get("/embed/balance", headers={"Origin": HOST})).status_code == 401


async def test_a_token_ends_by_itself_and_with_the_key_that_made_it(api: World) -> None:
    account = fresh("acc")
    key = api.key(account)
    first, second = await token(api, account, key=key), await token(api, account, key=key)
    async with api.client() as page:
        with psycopg.connect(api.database) as connection:
            connection.execute(
                "UPDATE identity.embeds SET expires_at = 0 WHERE sha256 = sha256(%s)",
                (first.encode(),),
            )
        assert (await page.get("/embed/balance", headers=shown(first))).status_code == 401
        assert (await page.get("/embed/balance", headers=shown(second))).status_code == 200
        keystore.revoke(api.database, key.split("_")[2], keystore.now_ms())
        for _ in range(50):
            answer = await page.get("/embed/balance", headers=shown(second))
            if answer.status_code == 401:
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail("a revoked key's token went on")


async def test_only_a_key_that_may_spend_makes_tokens_for_listed_origins(api: World) -> None:
    account = fresh("acc")
    async with api.client(api.key(account, frozenset({Scope.READ}))) as reader:
        no = await reader.post("/v1/embed-tokens", json={"origin": HOST})
        assert (no.status_code, no.json()["code"]) == (403, "scope_missing")
    async with api.client(api.key(account)) as owner:
        for origin in ("https://evil.example", "*", "null", f"{HOST}/", HOST.upper()):
            no = await owner.post("/v1/embed-tokens", json={"origin": origin})
            assert (no.status_code, no.json()["code"]) == (422, "origin_not_listed")
        no = await owner.post(
            "/v1/embed-tokens", json={"origin": HOST}, headers={"Scrip-Account": "another"}
        )
        assert no.status_code == 404
        for _ in range(embedtokens.PER_ACCOUNT_MAX):
            assert (await owner.post("/v1/embed-tokens", json={"origin": HOST})).status_code == 201
        full = await owner.post("/v1/embed-tokens", json={"origin": HOST})
        assert (full.status_code, full.json()["code"]) == (429, "rate_limited")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"toolId": "no-such-tool"}, 404, "tool_unknown"),
        ({"toolId": "dev-studio-security", "cpuMs": "many"}, 422, "invalid_request"),
        ({"toolId": "dev-studio-security", "cpuMs": "-1"}, 422, "invalid_request"),
        ({"toolId": "dev-studio-security", "cpuMs": "1.5"}, 422, "invalid_request"),
        ({"toolId": "dev-studio-security", "cpuMs": "9" * 40}, 422, "invalid_request"),
        ({"toolId": "dev-studio-security", "cpuMs": "9" * 12}, 422, "requested_limits_invalid"),
    ],
)  # fmt: skip
async def test_wrong_numbers_are_told_in_a_fragment(
    api: World, query: dict[str, str], status: int, code: str
) -> None:
    headers = shown(await token(api, fresh("acc")))
    async with api.client() as page:
        answer = await page.get("/embed/estimate", params=query, headers=headers)
    assert (answer.status_code, f'data-code="{code}"' in answer.text) == (status, True), answer.text
    assert answer.headers["access-control-allow-origin"] == HOST


async def preflight(page: httpx.AsyncClient, origin: str, path: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    return await page.options(path, headers=asked)


async def test_a_browser_is_told_who_may_ask(api: World) -> None:
    async with api.client() as page:
        for path in ("/embed/balance", "/embed/estimate"):
            allowed = await preflight(page, HOST, path)
            assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (
                204,
                HOST,
            )
            assert allowed.headers["access-control-allow-headers"] == "authorization"
            assert allowed.headers["vary"] == "origin"
            denied = await preflight(page, "https://evil.example", path)
            assert denied.status_code == 403
            assert "access-control-allow-origin" not in denied.headers
        elsewhere = await preflight(page, HOST, "/api/credits/balance")
        assert "access-control-allow-origin" not in elsewhere.headers
        script = await page.get("/embed/elements.js")
        assert "customElements.define" in script.text
        assert len(script.content) < 6_000
