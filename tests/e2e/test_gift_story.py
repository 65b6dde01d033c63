"""A gift to a friend, in two browsers: given, opened behind its link, taken, and added up."""

from playwright.async_api import Browser, expect

from tests.e2e.shop import Shop
from tests.integration.gateway_world import fresh, granted

PATIENCE_MS = 20_000  # on a busy machine


async def test_a_gift_goes_to_a_friend_and_both_balances_say_so(
    shop: Shop, browser: Browser
) -> None:
    world = shop.world
    async with world.client(world.key()) as service:
        ada = await granted(service, 100)
    hers = await browser.new_context(base_url=world.base)
    his = await browser.new_context(base_url=world.base)
    try:
        await hers.request.post("/dev/sign-in", data={"account": ada})
        page = await hers.new_page()
        await page.goto("/account/gifts")
        await page.get_by_label("Credits", exact=True).fill("40")
        await page.get_by_label("Note").fill("For your birthday")
        await page.get_by_role("button", name="Review the gift").click()
        await expect(page.get_by_text("60 available").first).to_be_visible()
        await page.get_by_role("button", name="Give 40 credits").click()
        await expect(page.locator("#made")).to_be_focused()
        link = await page.locator("#link").text_content()
        assert link is not None
        path = "/gifts/claim#" + link.partition("#")[2]

        friend = await his.new_page()
        await friend.goto(path)
        await expect(friend.get_by_role("heading", name="A gift for you")).to_be_visible()
        assert "#" not in friend.url, "the code does not stay in the address"
        await his.request.post("/dev/sign-in", data={"account": fresh("bob")})
        await friend.goto("/gifts/claim")
        await friend.get_by_role("button", name="See what it brings").click()
        await expect(friend.get_by_text("For your birthday")).to_be_visible()
        await friend.get_by_role("button", name="Take 40 credits").click()
        await expect(friend.get_by_role("heading", name="It is yours")).to_be_visible(
            timeout=PATIENCE_MS
        )
        await friend.get_by_role("link", name="See your credits").click()
        await expect(friend.locator("#balance-chip")).to_have_text(
            "40 available", timeout=PATIENCE_MS
        )
        await page.goto("/account/gifts")
        await expect(page.get_by_role("cell", name="claimed")).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.locator("#balance-chip")).to_have_text("60 available")
    finally:
        await his.close()
        await hers.close()
