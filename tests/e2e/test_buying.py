"""Somebody buys a pack: gateway, payments, ledger, projector and the double of Stripe as processes.

Everything goes through the gateway's host name: sign-in, checkout, Stripe's delivery, the true
state, the balance. Finance's reconciliation finds the purchase that no delivery ever told of.
"""

import asyncio

import httpx
from gateway.keys import Scope

from tests.e2e.shop import Shop, available, bought, status, until_credited
from tests.integration.gateway_world import fresh, keyed


async def test_a_person_buys_a_pack_and_has_the_credits(shop: Shop) -> None:
    account = fresh("ada")
    async with shop.world.client() as person:
        signed_in = await person.post("/dev/sign-in", json={"account": account})
        assert signed_in.status_code == 204
        session = await bought(person, "k1")
        assert await bought(person, "k1") == session
        shop.stripe.pay(session)
        await until_credited(person, session)
        await available(person, 1400)
        async with shop.world.client(shop.world.key(fresh("eve"))) as other:
            assert (await status(other, session)).status_code == 404


async def test_bought_credits_are_the_ones_that_are_spent(shop: Shop) -> None:
    """They once landed in another store than the one that is debited."""
    account = fresh("gil")
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        session = await bought(person, "k9")
        shop.stripe.pay(session)
        await until_credited(person, session)
    async with shop.world.client(shop.world.key(account)) as client:
        held = await client.post(
            "/v1/reservations", json={"account": account, "amount": 1400}, headers=keyed("r1")
        )
        assert held.status_code == 201, held.text
        spent = await client.post(
            f"/v1/reservations/{held.json()['reservationId']}/charge",
            json={"account": account, "amount": 1400},
            headers=keyed("c1"),
        )
        assert spent.json()["balance"] == {"available": 0, "held": 0, "spent": 1400}
        more = await client.post(
            "/v1/reservations", json={"account": account, "amount": 1}, headers=keyed("r2")
        )
        assert (more.status_code, more.json()["topUpUrl"]) == (402, "/account/credits")


async def test_one_click_charges_the_card_that_was_kept(shop: Shop) -> None:
    account = fresh("hal")
    async with shop.world.client(shop.world.key(account)) as person:
        body = {"packId": "standard"}
        early = await person.post("/api/billing/top-up", json=body, headers=keyed("t0"))
        assert (early.status_code, early.json()["code"]) == (409, "no_saved_card")
        started = await person.post(
            "/api/billing/checkout", json={**body, "saveCard": True}, headers=keyed("t1")
        )
        session = started.json()["sessionId"]
        shop.stripe.pay(session)
        await until_credited(person, session)
        for _ in range(2):
            asked = await person.post("/api/billing/top-up", json=body, headers=keyed("t2"))
            assert asked.status_code == 202, asked.text
        await available(person, 2800)
        invoices = (await person.get("/api/billing/invoices")).json()["invoices"]
        assert [(x["amountMinor"], x["currency"]) for x in invoices] == [(2500, "GBP")]
        linked = await person.post("/api/billing/portal")
        assert linked.status_code == 201, linked.text
        assert linked.json()["url"] not in shop.world.log("payments")


async def page_at(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(url)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_invoices_receipts_and_cards_are_stripes_pages_for_their_owner(shop: Shop) -> None:
    account = fresh("lea")
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        session = await bought(person, "p1", saveCard=True)
        (purchase,) = (await person.get("/api/billing/purchases")).json()["purchases"]
        receipt = f"/api/billing/purchases/{purchase['purchaseId']}/receipt"
        assert (await person.get(receipt)).status_code == 404, "nothing is paid yet"
        shop.stripe.pay(session)
        await until_credited(person, session)
        (invoice,) = (await person.get("/api/billing/invoices")).json()["invoices"]
        page = await page_at(invoice["url"])
        assert (invoice["status"], "1400 credits" in page, "£25.00" in page) == ("paid", True, True)
        url = (await person.get(receipt)).json()["url"]
        assert "£25.00" in await page_at(url)
        (card,) = (await person.get("/api/billing/payment-methods")).json()["paymentMethods"]
        assert (card["brand"], card["last4"], card["forTopUps"]) == ("visa", "4242", True)
        linked = await person.post("/api/billing/portal")
        portal = await page_at(linked.json()["url"])
        assert "visa ending in 4242" in portal
        assert invoice["number"] in portal
    async with shop.world.client(shop.world.key(fresh("eve"))) as other:
        assert (await other.get(receipt)).status_code == 404
        assert (await other.get("/api/billing/invoices")).json() == {"invoices": []}
        assert (await other.get("/api/billing/payment-methods")).json() == {"paymentMethods": []}


async def test_an_administrator_gives_money_back_and_the_credits_go_with_it(shop: Shop) -> None:
    account = fresh("max")
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        session = await bought(person, "r1")
        (purchase,) = (await person.get("/api/billing/purchases")).json()["purchases"]
        name = purchase["purchaseId"]
        path, body = f"/api/billing/purchases/{name}/refunds", {"reason": "requested"}
        own = await person.post(path, json=body, headers=keyed("b0"))
        assert (own.status_code, own.json()["code"]) == (403, "not_permitted")
        boss = shop.world.key(scopes=frozenset({Scope.ADMIN}))
        async with shop.world.client(boss, **{"Scrip-Account": account}) as admin:
            early = await admin.post(path, json=body, headers=keyed("b0"))
            assert (early.status_code, early.json()["code"]) == (422, "not_paid")
            intent = shop.stripe.pay(session)
            await until_credited(person, session)
            nameless = await admin.post(path, json=body)
            assert (nameless.status_code, nameless.json()["code"]) == (
                422,
                "idempotency_key_missing",
            )
            much = await admin.post(path, json={**body, "amountMinor": 2501}, headers=keyed("b1"))
            assert (much.status_code, much.json()["code"]) == (422, "exceeds_payment")
            none = await admin.post(path.replace(name, "0" * 32), json=body, headers=keyed("b1"))
            assert none.status_code == 404
            for _ in range(2):
                asked = await admin.post(path, json=body, headers=keyed("b2"))
                assert asked.status_code == 202, asked.text
        await available(person, 0)
        back = shop.stripe.see(f"refunds?payment_intent={intent}")["data"]
        assert [x["amount"] for x in back] == [2500]
        (seen,) = (await person.get("/api/billing/purchases")).json()["purchases"]
        assert seen["status"] == "refunded"


async def test_a_plan_is_subscribed_and_ended(shop: Shop) -> None:
    account = fresh("ivy")
    stripe = shop.stripe
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        body = {"planId": "supporter"}
        asked = await person.put("/api/billing/subscription", json=body, headers=keyed("s1"))
        assert (asked.status_code, asked.json()["status"]) == (201, "asked")
        name = stripe.subscribe(asked.json()["url"].rpartition("/")[2])
        await subscription_is(person, "active")
        await available(person, 3_000)
        shown = (await person.get("/api/credits/balance")).json()
        assert shown["plan"] == "supporter"
        more = await person.put(
            "/api/billing/subscription", json={"planId": "pro"}, headers=keyed("s4")
        )
        assert more.status_code == 200, more.text
        assert 11_990 <= await on_plan(person, "pro") <= 12_000, "prorated to the millisecond"
        ended = await person.delete("/api/billing/subscription", headers=keyed("s2"))
        assert ended.json()["endsWithPeriod"] is True
        assert stripe.see(f"subscriptions/{name}")["cancel_at_period_end"] is True
        wrong = await person.put(
            "/api/billing/subscription", json={"planId": "free"}, headers=keyed("s3")
        )
        assert (wrong.status_code, wrong.json()["code"]) == (422, "plan_unknown")


async def on_plan(person: httpx.AsyncClient, plan: str) -> int:
    """Until the ledger has the account on this plan; what is available then."""
    async with asyncio.timeout(30):
        while True:
            answer = await person.get("/api/credits/balance")
            if answer.status_code == 200 and answer.json()["plan"] == plan:
                there: int = answer.json()["available"]
                return there
            await asyncio.sleep(1)


async def subscription_is(person: httpx.AsyncClient, status: str) -> None:
    async with asyncio.timeout(20):
        while True:
            answer = await person.get("/api/billing/subscription")
            if answer.json()["status"] == status:
                return
            await asyncio.sleep(0.5)


async def test_who_may_not_buy_and_what_a_caller_cannot_forge(shop: Shop) -> None:
    reader = shop.world.key(fresh("acc"), frozenset({Scope.READ}))
    body = {"packId": "standard"}
    async with shop.world.client(reader) as person:
        assert (await person.post("/api/billing/checkout", json=body)).status_code == 403
    async with shop.world.client() as nobody:
        forged = {"scrip-identity": "forged"}
        answer = await nobody.post("/api/billing/checkout", json=body, headers=forged)
        assert answer.status_code == 401
        answer = await nobody.post("/api/stripe/webhook", content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (400, "webhook_refused")


async def test_what_no_delivery_told_of_is_found_and_repaired(shop: Shop) -> None:
    account = fresh("bob")
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        session = await bought(person, "k2")
        shop.stripe.fail(drop=10)
        shop.stripe.pay(session)
        shop.stripe.fail()
        found = await asyncio.to_thread(shop.scrip, "reconcile", "stripe")
        assert found.returncode == 0, found.stdout + found.stderr
        assert "1 repaired" in found.stdout
        await available(person, 1400)
    again = await asyncio.to_thread(shop.scrip, "reconcile", "stripe", "--json")
    assert again.returncode == 0, again.stdout + again.stderr
    assert '"repaired":0' in again.stdout
    assert '"differences":[]' in again.stdout


async def test_an_operator_sees_and_decides_what_did_not_fit(shop: Shop) -> None:
    account = fresh("carl")
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        session = await bought(person, "k3")
        shop.stripe.falsify(session, amount_total=1)
        shop.stripe.pay(session)
        assert (await status(person, session)).json()["status"] == "quarantined"
        held = await asyncio.to_thread(shop.scrip, "payments", "quarantine", "list")
        assert "amount_differs" in held.stdout, held.stderr
        (row,) = [x for x in held.stdout.splitlines() if "amount_differs" in x]
        name = row.split()[1]
        done = await asyncio.to_thread(shop.scrip, "payments", "quarantine", "release", name)
        assert done.returncode == 0, done.stderr
        await available(person, 1400)
    gone = await asyncio.to_thread(shop.scrip, "payments", "quarantine", "reject", name)
    assert gone.returncode == 4
