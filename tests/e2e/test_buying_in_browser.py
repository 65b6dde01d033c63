"""A browser on the real hosted page: what is paid there ends as credits on the balance.

Nothing is called behind the page's back: the double delivers by itself, and the balance is read
from the gateway.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from playwright.async_api import Browser, Page, expect

from tests.e2e.shop import Shop, available, bought, status, until_credited
from tests.integration.gateway_world import fresh, keyed

PACK = 1400
WORKS, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0027 6000 3184"


@asynccontextmanager
async def checkout(
    shop: Shop, browser: Browser, *, scripts: bool
) -> AsyncIterator[tuple[httpx.AsyncClient, str, Page]]:
    """Somebody who begins a purchase: the person, the session, and the page in a browser."""
    context = await browser.new_context(java_script_enabled=scripts)
    async with shop.world.client() as person:
        who = {"account": fresh("ada")}
        await person.post("/dev/sign-in", json=who)
        signed_in = await context.request.post(f"{shop.world.base}/dev/sign-in", data=who)
        assert signed_in.ok, await signed_in.text()
        answer = await person.post(
            "/api/billing/checkout", json={"packId": "standard"}, headers=keyed("k1")
        )
        assert answer.status_code == 201, answer.text
        page = await context.new_page()
        await page.goto(answer.json()["url"])
        try:
            yield person, answer.json()["sessionId"], page
        finally:
            await context.close()


async def pay(page: Page, card: str) -> None:
    await page.get_by_label("Card number").fill(card)
    await page.get_by_label("Expiry date").fill("12/40")
    await page.get_by_label("Security code").fill("123")
    await page.get_by_role("button", name="Pay £25.00").click()


async def test_a_purchase_without_javascript_declined_first_and_then_paid(
    shop: Shop, browser: Browser
) -> None:
    async with checkout(shop, browser, scripts=False) as (person, session, page):
        await expect(page.get_by_role("heading", level=1)).to_have_text("Pay £25.00")
        await pay(page, DECLINED)
        await expect(page.get_by_role("alert")).to_contain_text("This card was declined")
        assert (await status(person, session)).json()["status"] == "initiated"
        await pay(page, WORKS)
        await page.wait_for_url(f"{shop.world.base}/account/credits/success?session_id={session}")
        await until_credited(person, session)
        await available(person, PACK)


async def test_a_card_whose_bank_asks_first(shop: Shop, browser: Browser) -> None:
    async with checkout(shop, browser, scripts=True) as (person, session, page):
        await pay(page, ASKS)
        await page.get_by_role("button", name="No, this is not mine").click()
        await expect(page.get_by_role("alert")).to_contain_text("not confirmed")
        assert (await status(person, session)).json()["status"] == "initiated"
        await pay(page, ASKS)
        await page.get_by_role("button", name="Yes, I pay this").click()
        await page.wait_for_url("**/account/credits/success?**")
        await available(person, PACK)


async def test_a_bank_debit_is_credited_when_its_money_comes(shop: Shop, browser: Browser) -> None:
    async with checkout(shop, browser, scripts=True) as (person, session, page):
        await page.get_by_label("Bank debit").check()
        await page.get_by_role("button", name="Pay £25.00").click()
        await page.wait_for_url("**/account/credits/success?**")
        assert (await status(person, session)).json()["status"] == "initiated"
        shop.stripe.settle(session, works=True)
        await until_credited(person, session)
        await available(person, PACK)


async def test_a_card_chosen_in_the_portal_is_the_one_that_is_charged(
    shop: Shop, browser: Browser
) -> None:
    account = fresh("pat")
    async with shop.world.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        session = await bought(person, "k1", saveCard=True)
        shop.stripe.pay(session)
        await until_credited(person, session)
        linked = await person.post("/api/billing/portal")
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(linked.json()["url"])
        await page.get_by_label("Card number").fill("5555 5555 5555 4444")
        await page.get_by_role("button", name="Use this card from now on").click()
        await expect(
            page.get_by_text("mastercard ending in 4444, used from now on")
        ).to_be_visible()
        await context.close()
        await until_charged(person, "4444")


async def until_charged(person: httpx.AsyncClient, last4: str) -> None:
    """Until top-ups charge the card with these digits."""
    async with asyncio.timeout(20):
        while True:
            cards = (await person.get("/api/billing/payment-methods")).json()["paymentMethods"]
            if [x["last4"] for x in cards if x["forTopUps"]] == [last4]:
                return
            await asyncio.sleep(1)


async def test_who_goes_back_to_the_shop_has_bought_nothing(shop: Shop, browser: Browser) -> None:
    async with checkout(shop, browser, scripts=True) as (person, session, page):
        await page.get_by_role("link", name="Back to the shop without paying").click()
        await page.wait_for_url("**/account/credits")
        assert (await status(person, session)).json()["status"] == "initiated"


async def test_the_page_can_be_used_by_keyboard_alone_on_a_small_screen(
    shop: Shop, browser: Browser
) -> None:
    async with checkout(shop, browser, scripts=True) as (person, session, page):
        await page.set_viewport_size({"width": 320, "height": 640})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, "no sideways scrolling"
        for _ in range(2):
            await page.keyboard.press("Tab")
        await page.keyboard.type(WORKS)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/account/credits/success?**")
        await until_credited(person, session)
