"""From checkout to credits on real Kafka, PostgreSQL and ledger: once, however often asked."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from contracts.events import PurchaseCompleted
from engine.guard import Guard
from engine.local import Engine

from tests.integration.payments_log import balances, counted, grants
from tests.integration.payments_world import World, until, world


@pytest_asyncio.fixture(scope="module")
async def here(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("purchases")
    async with world(engine, database, "buy.", folder, guard) as made:
        yield made


async def status(here: World, account: str, session: str) -> str:
    answer = await here.http.get(
        "/api/billing/verify-payment",
        params={"session_id": session},
        headers=here.token(account),
    )
    return str(answer.json().get("status", answer.status_code))


async def credited(here: World, account: str, session: str) -> None:
    async def is_credited() -> bool:
        return await status(here, account, session) == "credited"

    await until(is_credited)


async def test_checkout_paid_webhook_credited(here: World) -> None:
    session = await here.checkout("ada")
    here.stripe.pay(session)
    await here.deliver_new()
    await credited(here, "ada", session)
    assert await here.available("ada") == 500
    events = await counted(here.engine.bootstrap, here.prefix)
    assert {type(e).__name__ for e in events if e.account == "ada"} >= {"CreditsGranted"}


async def test_a_hundred_verifies_at_once_are_one_grant(here: World) -> None:
    session = await here.checkout("bob")
    here.stripe.pay(session)
    here.delivered = len(here.stripe.events)  # no webhook ever comes
    await asyncio.gather(*(status(here, "bob", session) for _ in range(100)))
    await credited(here, "bob", session)
    found = await grants(here.engine.bootstrap, here.prefix)
    mine = {source: n for (account, source), n in found.items() if account == "bob"}
    assert list(mine.values()) == [1]
    print("100 concurrent verifies of one session: 1 grant")


async def test_verified_although_unpaid_is_not_credited(here: World) -> None:
    session = await here.checkout("carl")
    assert await status(here, "carl", session) == "initiated"
    assert (await balances(here.engine.bootstrap, here.prefix)).get("carl", 0) == 0


async def test_another_persons_session_is_not_there(here: World) -> None:
    session = await here.checkout("dora")
    here.stripe.pay(session)
    assert await status(here, "eve", session) == "404"
    assert await status(here, "eve", "cs_test_never") == "404"


async def test_a_wrong_pack_is_said_at_the_door(here: World) -> None:
    for body in ({"packId": "free"}, {"packId": 7}, {}, {"packId": "starter", "amount": 1}):
        answer = await here.http.post("/api/billing/checkout", json=body, headers=here.token("ada"))
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_gets_in_without_the_gateways_word(here: World) -> None:
    for headers in ({}, {"scrip-identity": "x.y.z"}):
        answer = await here.http.post(
            "/api/billing/checkout", json={"packId": "starter"}, headers=headers
        )
        assert answer.status_code == 401
    reader = here.token("ada", "read")
    answer = await here.http.post(
        "/api/billing/checkout", json={"packId": "starter"}, headers=reader
    )
    assert answer.status_code == 403


async def test_stripe_down_checkout_says_503_and_the_rest_goes_on(here: World) -> None:
    session = await here.checkout("fay")
    here.stripe.pay(session)
    here.stripe.fail(down=True)
    answer = await here.http.post(
        "/api/billing/checkout", json={"packId": "starter"}, headers=here.token("fay")
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await here.deliver(len(here.stripe.events) - 1)).status_code == 200
    assert await status(here, "fay", session) == "initiated"
    here.stripe.fail()
    await credited(here, "fay", session)


async def test_the_purchase_is_recorded_beside_the_credits(here: World) -> None:
    session = await here.checkout("gil", "standard")
    here.stripe.pay(session)
    await here.deliver_new()
    await credited(here, "gil", session)
    events = await counted(here.engine.bootstrap, here.prefix)
    mine = [e for e in events if e.account == "gil" and isinstance(e, PurchaseCompleted)]
    assert [(e.pack, e.cost.amount_minor, e.cost.currency) for e in mine] == [
        ("standard", 2500, "GBP")
    ]


async def test_purchases_are_listed_for_their_owner_only(here: World) -> None:
    session = await here.checkout("hal")
    answer = await here.http.get("/api/billing/purchases", headers=here.token("hal"))
    (one,) = answer.json()["purchases"]
    assert (one["sessionId"], one["status"], one["amountMinor"]) == (session, "initiated", 1000)
    other = await here.http.get("/api/billing/purchases", headers=here.token("ida"))
    assert other.json() == {"purchases": []}
