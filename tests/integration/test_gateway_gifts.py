"""Gifts over HTTP, through real Kafka: claimed once, declined, cancelled, or back in time."""

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

from tests.integration.gateway_world import World, fresh, granted, keyed, world

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("gifts")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services, settings = ("ledger", "audit-projector"), {"SCRIP_RATE_LIMITS": "off"}
    with world(
        engine, database, prefix, folder, guard, services=services, gateway=settings
    ) as made:
        yield made


@asynccontextmanager
async def home(api: World, account: str) -> AsyncIterator[httpx.AsyncClient]:
    async with api.client() as browser:
        assert (await browser.post("/dev/sign-in", json={"account": account})).status_code == 204
        yield browser


@asynccontextmanager
async def sender(api: World, amount: int = 100) -> AsyncIterator[httpx.AsyncClient]:
    async with api.client(api.key()) as service:
        account = await granted(service, amount)
    async with home(api, account) as browser:
        yield browser


async def made(browser: httpx.AsyncClient, amount: int, key: str = "g1") -> dict[str, Any]:
    """A gift whose credits have arrived in its account."""
    body = {"amount": amount, "note": "For your birthday"}
    answer = await browser.post("/api/gifts", json=body, headers=keyed(key))
    assert answer.status_code == 201, answer.text
    gift: dict[str, Any] = answer.json()
    return gift


async def ended(browser: httpx.AsyncClient, path: str, **body: str) -> httpx.Response:
    """The answer once the gift's credits have arrived."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await browser.post(path, json=body or None)
            if answer.status_code != 409 or answer.json()["code"] != "gift_on_its_way":
                return answer
            await asyncio.sleep(0.05)


async def becomes(browser: httpx.AsyncClient, available: int) -> None:
    """Wait until the balance is this."""
    async with asyncio.timeout(PATIENCE_S):
        while (await browser.get("/api/credits/balance")).json()["available"] != available:  # noqa: ASYNC110 - another process' view
            await asyncio.sleep(0.05)


async def states(browser: httpx.AsyncClient) -> list[str]:
    listed = await browser.get("/api/gifts")
    return [gift["state"] for gift in listed.json()["items"]]


async def test_a_gift_goes_to_a_friend_once(api: World) -> None:
    async with sender(api) as ada, home(api, fresh("bob")) as bob, home(api, fresh("eve")) as eve:
        gift = await made(ada, 40)
        assert gift["link"].endswith(f"/gifts/claim#{gift['code']}")
        seen = await bob.post("/api/gifts/look", json={"code": gift["code"]})
        assert (seen.json()["amount"], seen.json()["note"]) == (40, "For your birthday")
        first = await ended(bob, "/api/gifts/claim", code=gift["code"])
        assert (first.status_code, first.json()["state"]) == (200, "claimed"), first.text
        await becomes(bob, 40)
        late = await ended(eve, "/api/gifts/claim", code=gift["code"])
        assert (late.status_code, late.json()["code"]) == (409, "gift_over")
        again = await ended(bob, "/api/gifts/claim", code=gift["code"])
        assert (again.status_code, again.json()["state"]) == (200, "claimed")
        await becomes(ada, 60)
        assert await states(ada) == ["claimed"]


async def test_claimed_twice_at_once_it_goes_to_one_of_them(api: World) -> None:
    async with sender(api) as ada, home(api, fresh("bob")) as bob, home(api, fresh("eve")) as eve:
        gift = await made(ada, 30)
        both = await asyncio.gather(
            *(ended(one, "/api/gifts/claim", code=gift["code"]) for one in (bob, eve))
        )
        assert sorted(answer.status_code for answer in both) == [200, 409], [x.text for x in both]
        winner = (bob, eve)[[answer.status_code for answer in both].index(200)]
        await becomes(winner, 30)


@pytest.mark.parametrize("how", ["decline", "cancel"])
async def test_what_is_declined_or_cancelled_comes_back(api: World, how: str) -> None:
    async with sender(api) as ada, home(api, fresh("bob")) as bob:
        gift = await made(ada, 30)
        if how == "decline":
            answer = await ended(bob, "/api/gifts/decline", code=gift["code"])
        else:
            stranger = await ended(bob, f"/api/gifts/{gift['giftId']}/cancel")
            assert stranger.status_code == 404
            answer = await ended(ada, f"/api/gifts/{gift['giftId']}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "returned"), answer.text
        await becomes(ada, 100)
        late = await ended(bob, "/api/gifts/claim", code=gift["code"])
        assert (late.status_code, late.json()["code"]) == (409, "gift_over")
        assert await states(ada) == ["returned"]


async def test_unclaimed_in_time_it_comes_back_by_itself(api: World) -> None:
    async with sender(api) as ada, home(api, fresh("bob")) as bob:
        gift = await made(ada, 30)
        with psycopg.connect(api.database) as connection:
            connection.execute(
                "UPDATE identity.gifts SET until = 1 WHERE gift = %s", (gift["giftId"],)
            )
        late = await ended(bob, "/api/gifts/claim", code=gift["code"])
        assert (late.status_code, late.json()["code"]) == (410, "gift_expired")
        async with asyncio.timeout(50):
            while await states(ada) != ["returned"]:  # noqa: ASYNC110 - another process' view
                await asyncio.sleep(0.2)
        await becomes(ada, 100)


async def test_the_same_key_makes_the_same_gift_and_another_code(api: World) -> None:
    async with sender(api) as ada, home(api, fresh("bob")) as bob:
        first, again = await made(ada, 30), await made(ada, 30)
        assert first["giftId"] == again["giftId"]
        assert first["code"] != again["code"]
        old = await ended(bob, "/api/gifts/claim", code=first["code"])
        assert old.status_code == 404
        assert (await ended(bob, "/api/gifts/claim", code=again["code"])).status_code == 200
        await becomes(bob, 30)


async def test_what_cannot_be_given_is_refused_and_leaves_nothing(api: World) -> None:
    async with sender(api) as ada:
        for body, expected in (
            ({"amount": 101}, (402, "insufficient_credits")),
            ({"amount": 0}, (422, "amount_out_of_range")),
            ({"amount": 5, "days": 0}, (422, "invalid_request")),
            ({"amount": 5, "days": 91}, (422, "invalid_request")),
            ({"amount": "5"}, (422, "invalid_request")),
            ({"amount": 5, "note": "x" * 201}, (422, "invalid_request")),
        ):
            no = await ada.post("/api/gifts", json=body, headers=keyed(uuid.uuid4().hex))
            assert (no.status_code, no.json()["code"]) == expected, no.text
        assert await states(ada) == []
        assert (await ada.post("/api/gifts", json={"amount": 1})).status_code == 400
        own = await made(ada, 10)
        no = await ended(ada, "/api/gifts/claim", code=own["code"])
        assert (no.status_code, no.json()["code"]) == (409, "own_gift")
        assert (await ended(ada, "/api/gifts/claim", code="no-such-code")).status_code == 404
