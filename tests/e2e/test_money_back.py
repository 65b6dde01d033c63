"""Money that leaves again, from the hosted page to the balance: disputes and warnings.

The double delivers by itself; what an account may spend follows what became of its money.
"""

import asyncio

import httpx
import pytest
from gateway.keys import Scope

from tests.e2e.shop import Shop, available, bought, status, until_credited
from tests.integration.gateway_world import fresh, keyed

PACK = 1400
HELD, TOO_LITTLE, FROZEN = 201, 402, 403
WORKS, DISPUTES, WARNS = "4242424242424242", "4000000000000259", "4000000000005423"


async def paid_by(shop: Shop, person: httpx.AsyncClient, account: str, card: str) -> str:
    """Somebody signs in and pays on the page with a card; gives the session."""
    await person.post("/dev/sign-in", json={"account": account})
    session = await bought(person, "k1")
    async with httpx.AsyncClient(base_url=shop.stripe.url, trust_env=False) as page:
        paid = await page.post(f"/pay/{session}", data={"by": "card", "number": card})
    assert paid.status_code == 303, paid.text
    return session


async def becomes(person: httpx.AsyncClient, session: str, expected: str) -> None:
    """Until the purchase says so."""
    async with asyncio.timeout(30):
        while True:
            answer = await status(person, session)
            if answer.json().get("status") == expected:
                return
            await asyncio.sleep(1)


async def spending(shop: Shop, account: str, key: str) -> int:
    """How a try to hold one credit is answered."""
    async with shop.world.client(shop.world.key(account)) as client:
        body = {"account": account, "amount": 1}
        return (await client.post("/v1/reservations", json=body, headers=keyed(key))).status_code


async def settled(shop: Shop, account: str, key: str, expected: int) -> None:
    """Until such a try is answered so; each try has a name of its own."""
    async with asyncio.timeout(30):
        number = 0
        while await spending(shop, account, f"{key}-{number}") != expected:
            number += 1
            await asyncio.sleep(0.5)


@pytest.mark.parametrize(("end", "word", "left"), [("won", "credited", PACK), ("lost", "lost", 0)])
async def test_a_disputed_payment_stops_its_credits_until_it_is_decided(
    shop: Shop, end: str, word: str, left: int
) -> None:
    account = fresh("dan")
    async with shop.world.client() as person:
        session = await paid_by(shop, person, account, DISPUTES)
        await becomes(person, session, "disputed")
        await settled(shop, account, "frozen", FROZEN)
        intent = shop.stripe.see(f"checkout/sessions/{session}")["payment_intent"]
        (dispute,) = shop.stripe.see(f"disputes?payment_intent={intent}")["data"]
        shop.stripe.dispute_turns(dispute["id"], end)
        await becomes(person, session, word)
        await available(person, left)
        await settled(shop, account, "after", HELD if left else TOO_LITTLE)


async def test_a_refund_that_stripe_answered_500_is_settled_by_its_delivery(shop: Shop) -> None:
    """The key says 500 for a day; the money went back all the same, and the event tells."""
    account = fresh("fay")
    async with shop.world.client() as person:
        session = await paid_by(shop, person, account, WORKS)
        await until_credited(person, session)
        (purchase,) = (await person.get("/api/billing/purchases")).json()["purchases"]
        path = f"/api/billing/purchases/{purchase['purchaseId']}/refunds"
        shop.stripe.fail(errors_after=1)
        boss = shop.world.key(scopes=frozenset({Scope.ADMIN}))
        async with shop.world.client(boss, **{"Scrip-Account": account}) as admin:
            body = {"reason": "requested", "amountMinor": 1000}
            asked = await admin.post(path, json=body, headers=keyed("b1"))
        assert asked.status_code == 202, asked.text
        await becomes(person, session, "partly_refunded")
        await available(person, PACK - PACK * 1000 // 2500)
        intent = shop.stripe.see(f"checkout/sessions/{session}")["payment_intent"]
        (back,) = shop.stripe.see(f"refunds?payment_intent={intent}")["data"]
        assert back["amount"] == 1000


async def test_an_early_fraud_warning_stops_the_credits_until_somebody_acted(shop: Shop) -> None:
    account = fresh("eva")
    async with shop.world.client() as person:
        session = await paid_by(shop, person, account, WARNS)
        await until_credited(person, session)
        await settled(shop, account, "frozen", FROZEN)
        intent = shop.stripe.see(f"checkout/sessions/{session}")["payment_intent"]
        (warning,) = shop.stripe.see(f"radar/early_fraud_warnings?payment_intent={intent}")["data"]
        shop.stripe.unwarn(warning["id"])
        await settled(shop, account, "thawed", HELD)
