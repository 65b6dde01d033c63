"""Referrals through real Kafka, two gateways looking at the same time: each bonus comes once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port

from tests.integration.gateway_world import World, fresh, keyed, world

PATIENCE_S = 40.0
BONUS, MONTHLY = 7, 2
SETTINGS = {
    "SCRIP_RATE_LIMITS": "off",
    "SCRIP_REFERRAL_BONUS": str(BONUS),
    "SCRIP_REFERRALS_A_MONTH": str(MONTHLY),
    "SCRIP_REFERRAL_HOLD_DAYS": "0",
}


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("referrals")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(
        engine, database, prefix, folder, guard, services=services, gateway=SETTINGS
    ) as made:
        made.start("gateway.second", **SETTINGS, SCRIP_HTTP_PORT=str(free_port()))
        yield made


@asynccontextmanager
async def home(api: World, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who signed in just now."""
    async with api.client() as browser:
        account = fresh(name)
        assert (await browser.post("/dev/sign-in", json={"account": account})).status_code == 204
        browser.headers["x-account"] = account
        yield browser


def account_of(browser: httpx.AsyncClient) -> str:
    return browser.headers["x-account"]


async def code_of(browser: httpx.AsyncClient) -> str:
    answer = await browser.post("/api/referrals")
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["code"]
    return code


async def named(browser: httpx.AsyncClient, code: str) -> tuple[int, str]:
    answer = await browser.post("/api/referrals/name", json={"code": code})
    return answer.status_code, answer.json().get("code", "")


async def bought(api: World, account: str, amount: int) -> None:
    async with api.client(api.key()) as service:
        body = {"amount": amount, "kind": "paid", "source": f"s-{account}"}
        path = f"/v1/accounts/{account}/grants"
        answer = await service.post(path, json=body, headers=keyed("bought"))
        assert answer.status_code == 201, answer.text


async def available(browser: httpx.AsyncClient) -> int:
    found: int = (await browser.get("/api/credits/balance")).json()["available"]
    return found


async def becomes(browser: httpx.AsyncClient, amount: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await available(browser) != amount:  # noqa: ASYNC110 - another process' view
            await asyncio.sleep(0.1)


async def figures(browser: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await browser.get("/api/referrals")).json()
    return found


async def test_both_get_their_bonus_once_and_the_referrer_so_many_a_month(api: World) -> None:
    async with (
        home(api, "ada") as ada,
        home(api, "before") as before,
        home(api, "other") as other,
    ):
        code, others = await code_of(ada), await code_of(other)
        assert code == await code_of(ada)
        assert await named(ada, code) == (409, "own_referral")
        assert await named(ada, "nosuchcode") == (404, "referral_unknown")
        assert await named(ada, "no\x00such") == (404, "referral_unknown")
        assert await named(before, code) == (409, "referral_not_new")
        async with home(api, "bob") as bob, home(api, "cyd") as cyd, home(api, "dan") as dan:
            for one in (bob, cyd, dan):
                assert (await named(one, f" {code.upper()} "))[0] == 200
                assert (await named(one, code))[0] == 200
                assert await named(one, others) == (409, "referral_named")
            assert await named(ada, await code_of(bob)) == (409, "referral_not_new")
            refunded, late = await _refunded(api, account_of(ada)), fresh("late")
            for one in (bob, cyd, dan):
                await bought(api, account_of(one), 100)
            for one in (bob, cyd, dan):
                await becomes(one, 100 + BONUS)
            await becomes(ada, MONTHLY * BONUS)
            await asyncio.sleep(1)
            assert (await figures(ada))["named"] == 4
            assert (await figures(ada))["rewarded"] == MONTHLY
            assert (await figures(bob))["namedOne"] is True
            await _late(api, late, others)
            assert await _given(api, refunded) is None
            assert [await available(one) for one in (ada, bob)] == [MONTHLY * BONUS, 100 + BONUS]
            told = (await bob.get("/api/account/export")).json()
            assert told["referral"]["named"] == account_of(ada)
            async with api.client(api.key()) as service:
                path = f"/v1/accounts/{account_of(bob)}/balance"
                lots = (await service.get(path)).json()["lots"]
            assert {lot["kind"]: lot["available"] for lot in lots} == {"paid": 100, "promo": BONUS}
        with psycopg.connect(api.database) as connection:
            connection.execute("DELETE FROM identity.people WHERE id = %s", (account_of(ada),))
            left = connection.execute(
                "SELECT count(*) FROM identity.referred WHERE referrer = %s", (account_of(ada),)
            ).fetchone()
        assert left == (0,)


async def _refunded(api: World, referrer: str) -> str:
    """One who bought and had all of it back; the row is written afterwards, beyond any race."""
    async with home(api, "eve") as eve, api.client(api.key()) as service:
        account = account_of(eve)
        await bought(api, account, 100)
        path = "/v1/grants/bought/revoke"
        body = {"account": account, "reason": "refunded", "amount": 100}
        answer = await service.post(path, json=body, headers=keyed("back"))
        assert answer.status_code == 200, answer.text
        await becomes(eve, 0)
    with psycopg.connect(api.database) as connection:
        connection.execute(
            "INSERT INTO identity.referred (person, referrer, named_at) VALUES (%s, %s, 0)",
            (account, referrer),
        )
    return account


async def _late(api: World, name: str, code: str) -> None:
    """Who has bought already names nobody."""
    async with home(api, name) as late:
        await bought(api, account_of(late), 10)
        await becomes(late, 10)
        assert await named(late, code) == (409, "referral_too_late")


async def _given(api: World, account: str) -> int | None:
    def asked() -> int | None:
        with psycopg.connect(api.database) as connection:
            row = connection.execute(
                "SELECT bought_at FROM identity.referred WHERE person = %s", (account,)
            ).fetchone()
        assert row is not None
        found: int | None = row[0]
        return found

    return await asyncio.to_thread(asked)
