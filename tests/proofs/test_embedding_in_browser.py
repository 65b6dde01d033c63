"""The host page on its own origin, in a browser, under its own strict policy."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from deploy.demo.host.__main__ import Host
from tests.integration.gateway_world import World, granted, keyed, world

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WITHIN_MS = 20_000


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def api(
    engine: Engine,
    database: str,
    guard: Guard,
    port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("embedding")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    listed = {"SCRIP_EMBED_ORIGINS": f"http://127.0.0.1:{port}", "SCRIP_RATE_LIMITS": "off"}
    with world(engine, database, prefix, folder, guard, services=services, gateway=listed) as made:
        yield made


@asynccontextmanager
async def shown(
    api: World, browser: Browser, port: int, account: str
) -> AsyncIterator[tuple[Page, list[str]]]:
    """The host page of an account, and what the browser complained of."""
    host = Host(port, api.base, api.key(account))
    serving = Thread(target=host.serve_forever, daemon=True)
    serving.start()
    context = await browser.new_context(viewport={"width": 320, "height": 640})
    complaints: list[str] = []

    def complained(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    try:
        page = await context.new_page()
        page.on("console", complained)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}/")
        yield page, complaints
    finally:
        await context.close()
        await asyncio.to_thread(host.shutdown)
        host.server_close()
        serving.join()


async def test_another_applications_page_shows_balance_and_price_as_they_change(
    api: World, browser: Browser, port: int
) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 900)
        async with shown(api, browser, port, account) as (page, complaints):
            balance, price = page.locator("credit-balance"), page.locator("tool-cost-estimate")
            await expect(balance).to_have_text("900 credits available", timeout=WITHIN_MS)
            await expect(price).to_contain_text("left after it", timeout=WITHIN_MS)
            before = await price.inner_text()
            await page.get_by_label("CPU time").fill("20000")
            await expect(price).not_to_have_text(before, timeout=WITHIN_MS)
            await page.get_by_label("CPU time").fill("a lot")
            await expect(price).to_have_text(
                "Limits are whole numbers of at least 1.", timeout=WITHIN_MS
            )
            body = {"account": account, "amount": 40}
            held = await service.post("/v1/reservations", json=body, headers=keyed("r1"))
            assert held.status_code == 201
            await page.evaluate("document.querySelector('credit-balance').refresh()")
            await expect(balance).to_have_text(
                "860 credits available (40 held for runs)", timeout=WITHIN_MS
            )
            assert [x for x in complaints if "422" not in x] == []
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 320
            violations = await axe(page)
            assert violations == []
    print("embedding: both elements on another origin, strict policy, 0 complaints, axe: 0")


async def test_a_token_that_ended_is_asked_for_anew_and_nothing_old_is_lost(
    api: World, browser: Browser, port: int
) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 5)
        async with shown(api, browser, port, account) as (page, _):
            balance = page.locator("credit-balance")
            await expect(balance).to_have_text("5 credits available", timeout=WITHIN_MS)
            with psycopg.connect(api.database) as connection:
                connection.execute("UPDATE identity.embeds SET expires_at = 0")
            body = {"amount": 1, "kind": "promo", "source": f"more-{account}"}
            path = f"/v1/accounts/{account}/grants"
            await service.post(path, json=body, headers=keyed("more"))
            await page.evaluate("document.querySelector('credit-balance').refresh()")
            await expect(balance).to_have_text("6 credits available", timeout=WITHIN_MS)
            await page.route("**/embed/balance", lambda route: route.abort())
            await page.evaluate("document.querySelector('credit-balance').refresh()")
            await expect(balance).to_have_attribute("data-stale", "", timeout=WITHIN_MS)
            await expect(balance).to_have_text("6 credits available")


async def axe(page: Page) -> list[str]:
    """What axe finds; the page's policy lets in no script, so the browser itself brings it."""
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": AXE})
    found = await page.evaluate(
        "tags => axe.run({runOnly: tags}).then(r => r.violations.map(v => v.id))", TAGS
    )
    return list(found)
