"""With the keyboard alone, and without a script: buy, see it come, set a limit, run, take it along.

A real shop: gateway, payments, ledger, projector and tools as processes, and the double of Stripe.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from engine.guard import Guard
from engine.local import Engine
from playwright.async_api import Browser, Locator, Page, expect

from tests.databases import database_of
from tests.e2e.shop import Shop, shop_of
from tests.integration.gateway_world import fresh

CARD = "4242 4242 4242 4242"
STOPS_MAX = 60
HEARS = """() => {
  addEventListener('DOMContentLoaded', () => {
    const place = document.getElementById('status');
    if (!place) return;
    new MutationObserver(() => place.textContent && heard(place.textContent)).observe(
      place, {childList: true, characterData: true, subtree: true});
  });
}"""
ON_BODY = "document.activeElement === document.body"


@pytest.fixture(scope="module")
def house(engine: Engine, guard: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("journey")
    with (
        database_of(engine) as database,
        shop_of(engine, database, folder, guard, "studio-tools") as made,
    ):
        yield made


@asynccontextmanager
async def visitor(
    house: Shop, browser: Browser, *, scripts: bool = True
) -> AsyncIterator[tuple[Page, list[str]]]:
    """Somebody who is signed in, and what the live region said to them."""
    context = await browser.new_context(base_url=house.world.base, java_script_enabled=scripts)
    heard: list[str] = []
    try:
        await context.request.post("/dev/sign-in", data={"account": fresh("ada")})
        page = await context.new_page()
        if scripts:
            await page.expose_function("heard", lambda said: heard.append(said))  # noqa: PLW0108 - Playwright marks what it is given
            await page.add_init_script(f"({HEARS})()")
        yield page, heard
    finally:
        await context.close()


async def reach(page: Page, wanted: Locator) -> None:
    """Tab until it has the focus; the focus is never lost on the way."""
    for _ in range(STOPS_MAX):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("(x) => x === document.activeElement"):
            return
        assert not await page.evaluate(ON_BODY), "the focus fell off the page"
    raise AssertionError(f"{wanted} cannot be reached by keyboard")


async def press(page: Page, role: str, name: str) -> None:
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
    await reach(page, wanted)
    await page.keyboard.press("Enter")


async def test_by_keyboard_alone_from_buying_to_taking_the_history_along(
    house: Shop, browser: Browser
) -> None:
    async with visitor(house, browser) as (page, heard):
        await page.goto("/account/credits")
        await reach(page, page.locator("input[value=starter]"))
        await page.keyboard.press("Space")
        await press(page, "button", "Review before paying")
        await page.wait_for_url("**/account/credits/buy?**")
        await press(page, "button", "Pay £10.00")
        await page.wait_for_url(lambda url: not url.startswith(house.world.base))
        ledger = house.world.processes["ledger"]
        ledger.pause()
        try:
            for _ in range(2):
                await page.keyboard.press("Tab")
            await page.keyboard.type(CARD)
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/account/credits/success?**")
            await expect(page.locator("h1")).to_have_text("Confirming your purchase")
            await expect(page.locator("h1")).to_be_focused(timeout=15_000)
        finally:
            ledger.resume()
        await expect(page.locator("h1")).to_have_text("Your credits are here", timeout=30_000)
        assert not await page.evaluate(ON_BODY)
        assert heard[-2:] == ["Confirming your purchase.", "Your credits are here."]
        await press(page, "link", "To your credits")
        await page.wait_for_url("**/account/credits")
        await press(page, "link", "Limits")
        await page.wait_for_url("**/account/settings/credits")
        await reach(page, page.get_by_label("For a day"))
        await page.keyboard.type("300")
        await expect(page.locator("#preview")).to_contain_text("Once 300 credits are used")
        assert not await page.evaluate(ON_BODY)
        await press(page, "button", "Save")
        await page.wait_for_url("**/account/settings/credits?saved=1**")
        await press(page, "link", "History")
        await page.wait_for_url("**/account/history")
        async with page.expect_download() as saving:
            await press(page, "link", "Download CSV")
        path = await (await saving.value).path()
        assert "CreditsGranted" in path.read_text()


async def test_without_a_script_from_buying_to_the_receipt(house: Shop, browser: Browser) -> None:
    async with visitor(house, browser, scripts=False) as (page, _):
        await page.goto("/account/credits")
        await page.get_by_label("500 credits").check()
        await page.get_by_role("button", name="Review before paying").click()
        await page.get_by_role("button", name="Pay £10.00").click()
        await page.wait_for_url(lambda url: not url.startswith(house.world.base))
        await page.get_by_label("Card number").fill(CARD)
        await page.get_by_label("Expiry date").fill("12/40")
        await page.get_by_label("Security code").fill("123")
        await page.get_by_role("button", name="Pay £10.00").click()
        await page.wait_for_url("**/account/credits/success?**")
        await expect(page.locator("h1")).to_have_text("Your credits are here", timeout=40_000)
        await page.goto("/tools/dev-studio-cicd")
        await page.get_by_role("button", name="Run", exact=True).click()
        await page.wait_for_url("**/account/runs/**")
        await expect(page.locator("h1")).to_contain_text("Completed", timeout=30_000)
        await page.goto("/account/usage")
        await expect(page.locator("#used")).to_have_text("3")


async def test_two_tabs_and_a_purchase_that_is_another_s(house: Shop, browser: Browser) -> None:
    async with visitor(house, browser) as (page, _):
        second = await page.context.new_page()
        for tab in (page, second):
            await tab.goto("/account/settings/credits")
        for tab, limit in ((page, "300"), (second, "400")):
            await tab.get_by_label("For a day").fill(limit)
            await tab.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        await expect(second.locator("#differs")).to_be_focused()
        await expect(second.locator("#differs")).to_contain_text("Once 300 credits are used")
        await expect(second.get_by_label("For a day")).to_have_value("400")
        await second.get_by_role("button", name="Save").click()
        await expect(second.get_by_text("Saved.")).to_be_visible()
        await page.goto("/account/credits/success?session_id=cs_test_somebody_elses")
        await expect(page.locator("h1")).to_have_text("There is no such purchase")


async def test_nonsense_in_a_form_is_told_where_it_stands_and_has_the_focus(
    house: Shop, browser: Browser
) -> None:
    async with visitor(house, browser) as (page, _):
        await page.goto("/account/settings/credits")
        await page.get_by_label("For a day").fill("-5")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#wrong")).to_be_focused()
        await expect(page.get_by_label("For a day")).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("For a day")).to_have_value("-5")
        await page.locator("#wrong a").first.click()
        await expect(page.get_by_label("For a day")).to_be_focused()
