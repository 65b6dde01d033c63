"""axe finds nothing in any state of any page, at any width, in any theme; the console is silent."""

import gzip
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.proofs.pages_gallery import gallery
from tests.proofs.pages_states_more import states

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (320, 768, 1280)
THEMES = ("light", "dark", "forced")
PAGE_BYTES_MAX = 60_000
RUN = """async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags},
  resultTypes: ['violations']})).violations.map(
  (x) => x.id + ': ' + x.nodes.map((n) => n.target.join(' ')).join(' | '))"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with gallery() as found:
        yield found


@pytest_asyncio.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def themed(page: Page, theme: str) -> None:
    forced = theme == "forced"
    await page.emulate_media(
        color_scheme="dark" if theme == "dark" else "light",
        forced_colors="active" if forced else "none",
    )


@pytest.mark.parametrize("name", sorted(states()))
async def test_axe_finds_nothing_and_nothing_is_said_on_the_console(
    page: Page, address: str, name: str
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda broken: said.append(str(broken)))
    answer = await page.goto(f"{address}/{name}")
    assert answer is not None
    expected = [] if answer.status < 400 else [f"status of {answer.status}"]
    await page.evaluate(AXE)
    for details in await page.query_selector_all("main details"):
        await details.evaluate("(x) => { x.open = true }")
    found = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        for theme in THEMES:
            await themed(page, theme)
            found += [f"{width} {theme} {x}" for x in await page.evaluate(RUN, TAGS)]
    assert found == []
    assert len(said) == len(expected), said
    assert all(part in line for part, line in zip(expected, said, strict=True))


def test_every_page_is_light(address: str) -> None:
    with httpx.Client(base_url=address.removesuffix("/gallery"), trust_env=False) as client:
        heaviest = ("", 0)
        for name in states():
            page = client.get(f"/gallery/{name}").content
            urls = set(re.findall(rb'"(/static/[^"]+)"', page))
            files = [client.get(url.decode()).content for url in urls]
            weight = sum(len(gzip.compress(body)) for body in (page, *files))
            heaviest = max(heaviest, (name, weight), key=lambda one: one[1])
    print(f"\nheaviest page: {heaviest[0]}, {heaviest[1]:,} bytes with everything it needs")
    assert heaviest[1] <= PAGE_BYTES_MAX
