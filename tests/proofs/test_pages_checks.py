"""What axe cannot see: the focus ring, what covers it, targets, narrow screens, wide letters.

Over every state; the ring is looked at by its pixels, in both themes.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ElementHandle, FloatRect, Page

from tests.proofs.pages_gallery import gallery
from tests.proofs.pages_states_more import states
from tests.proofs.pixels import contrast, pixels

STOPS = 8  # of a page's keyboard road; the navigation is the same on all of them
RING_PX = 4  # around an element: the ring and its distance
NARROW = 320
TARGET_PX = 24

FOCUSABLE = "a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex='0']"
COVERED = """(x) => {
  const r = x.getBoundingClientRect();
  const seen = document.elementFromPoint(
    Math.min(r.left + r.width / 2, innerWidth - 1), Math.min(r.top + Math.min(r.height, 80) / 2,
    innerHeight - 1));
  return !seen || !(x.contains(seen) || seen.contains(x) || x.labels?.[0]?.contains(seen));
}"""
SMALL = f"""(least) => [...document.querySelectorAll("{FOCUSABLE}")].filter((x) => {{
  const label = x.closest('label') || x;
  const r = label.getBoundingClientRect();
  const inText = x.tagName === 'A' && x.closest('p,dd,td,th,li,h1,caption')
    && getComputedStyle(x).display === 'inline';
  return r.width && !inText && !x.closest('.skip') && !x.matches('.skip')
    && (r.width < least || r.height < least);
}}).map((x) => x.outerHTML.slice(0, 120))"""
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* {line-height: 1.5 !important; letter-spacing: .12em !important;
    word-spacing: .16em !important} p {margin-bottom: 2em !important}`);
  document.adoptedStyleSheets = [sheet];
}"""
CLIPPED = """() => [...document.querySelectorAll('body *')].filter((x) => {
  const how = getComputedStyle(x);
  const hides = [how.overflowX, how.overflowY].some((o) => o === 'hidden' || o === 'clip');
  return hides && x.textContent.trim() && !x.closest('.unseen,svg') && how.position !== 'absolute'
    && (x.scrollWidth > x.clientWidth + 1 || x.scrollHeight > x.clientHeight + 1);
}).map((x) => x.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with gallery() as found:
        yield found


@pytest_asyncio.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 900, "height": 700})
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def focused(page: Page) -> ElementHandle | None:
    found = (await page.evaluate_handle("document.activeElement")).as_element()
    return None if found is None or await found.evaluate("(x) => x === document.body") else found


async def ring(page: Page, element: ElementHandle) -> float:
    """The best contrast between a focused element's surroundings and the same without focus."""
    box = await element.bounding_box()
    assert box is not None
    clip = FloatRect(
        x=max(0, box["x"] - RING_PX - 3),
        y=max(0, box["y"] - RING_PX - 3),
        width=min(box["width"], 120) + 2 * RING_PX,
        height=min(box["height"], 40) + 2 * RING_PX,
    )
    lit = pixels(await page.screenshot(clip=clip))
    await element.evaluate("(x) => x.blur()")
    dark = pixels(await page.screenshot(clip=clip))
    await element.evaluate("(x) => x.focus({focusVisible: true, preventScroll: true})")
    changed = [
        contrast(one, two)
        for row, other in zip(lit, dark, strict=True)
        for one, two in zip(row, other, strict=True)
        if one != two
    ]
    changed.sort(reverse=True)
    least = 2 * min(len(lit), len(lit[0])) // 2  # as many pixels as a side is long
    return changed[least] if len(changed) > least else 0.0


@pytest.mark.parametrize("name", sorted(states()))
async def test_focus_can_be_seen_and_is_not_covered(page: Page, address: str, name: str) -> None:
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await page.goto(f"{address}/{name}")
        await page.evaluate("document.activeElement.blur()")
        start = await page.query_selector("main")
        assert start is not None
        await start.evaluate("(x) => x.focus()")
        for _ in range(STOPS):
            await page.keyboard.press("Tab")
            element = await focused(page)
            if element is None:
                break
            shown = (await element.evaluate("(x) => x.outerHTML"))[:120]
            assert not await element.evaluate(COVERED), f"covered in {theme}: {shown}"
            seen = await ring(page, element)
            assert seen >= 3, f"{theme}: a ring of {seen:.1f} around {shown}"


@pytest.mark.parametrize("name", sorted(states()))
async def test_a_narrow_screen_a_thumb_and_wide_letters(
    page: Page, address: str, name: str
) -> None:
    await page.set_viewport_size({"width": NARROW, "height": 640})
    await page.goto(f"{address}/{name}")
    for details in await page.query_selector_all("main details"):
        await details.evaluate("(x) => { x.open = true }")
    wide = "document.documentElement.scrollWidth"
    assert await page.evaluate(wide) <= NARROW, "sideways scrolling"
    assert await page.evaluate(SMALL, TARGET_PX) == []
    await page.evaluate(SPACED)
    assert await page.evaluate(wide) <= NARROW, "sideways scrolling with wide letters"
    assert await page.evaluate(CLIPPED) == []


@pytest.mark.parametrize("name", sorted(states()))
async def test_without_a_script_the_page_is_whole(
    browser: Browser, address: str, name: str
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    try:
        page = await context.new_page()
        await page.goto(f"{address}/{name}")
        assert await page.locator("h1").count() == 1
        assert await page.locator("main").inner_text()
        assert await page.get_by_role("link", name="Help").count() >= 1
        for form in await page.locator("form").all():
            assert await form.get_attribute("action")
            assert await form.locator("button").count() >= 1
    finally:
        await context.close()
