"""The story that people come for, in a browser: buy, see it come, run a tool, read the receipt."""

from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.e2e.shop import Shop
from tests.integration.gateway_world import fresh

PATIENCE_MS = 20_000  # on a busy machine
CARD = "4242 4242 4242 4242"


async def pay(page: Page) -> None:
    """On the provider's page."""
    await page.get_by_label("Card number").fill(CARD)
    await page.get_by_label("Expiry date").fill("12/40")
    await page.get_by_label("Security code").fill("123")
    await page.get_by_role("button", name="Pay £10.00").click()


async def test_buy_run_and_read_why_it_cost_that(shop: Shop, browser: Browser) -> None:
    base, heard = shop.world.base, list[str]()

    def ours(said: ConsoleMessage) -> bool:
        return str(said.location["url"]).startswith(base)

    worker = shop.world.start("studio-tools")
    context = await browser.new_context(base_url=base)
    try:
        await context.request.post("/dev/sign-in", data={"account": fresh("ada")})
        page = await context.new_page()
        page.on("console", lambda said: heard.append(said.text) if ours(said) else None)
        page.on("pageerror", lambda broken: heard.append(str(broken)))
        await page.goto("/tools/dev-studio-security")
        await expect(page.get_by_text("16 more credits are needed")).to_be_visible()
        await page.goto("/account/credits?need=16")
        await page.get_by_role("button", name="Review before paying").click()
        await expect(page.get_by_text("£10.00").first).to_be_visible()
        await page.get_by_role("button", name="Pay £10.00").click()
        await page.wait_for_url(lambda url: not url.startswith(base))
        await pay(page)
        await page.wait_for_url("**/account/credits/success?**")
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "Your credits are here", timeout=PATIENCE_MS
        )
        await expect(page.get_by_text("+500 credits.")).to_be_visible()
        await page.goto("/tools/dev-studio-security")
        await page.get_by_text("Limit what it may use").click()
        await page.get_by_label("CPU time, in ms").press_sequentially("2000")
        await expect(page.locator("#offer .three dd").last).to_have_text("7", timeout=PATIENCE_MS)
        await page.get_by_role("button", name="Run", exact=True).click()
        await page.wait_for_url("**/account/runs/**")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(
            "Completed", timeout=PATIENCE_MS
        )
        await expect(page.get_by_role("heading", name="Why this much")).to_be_visible()
        await expect(page.locator("#balance-chip")).to_have_text(
            "497 available", timeout=PATIENCE_MS
        )
        await page.goto("/account/usage")
        await expect(page.locator("#used")).to_have_text("3")
        await page.goto("/account/purchases")
        link = page.get_by_role("link", name="Receipt of 500 credits")
        receipt = await context.request.get(str(await link.get_attribute("href")), max_redirects=0)
        assert receipt.status == 303
        assert not receipt.headers["location"].startswith(base)
        assert heard == []
    finally:
        await context.close()
        worker.stop()
