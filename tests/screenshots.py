"""`python -m tests.screenshots`: pictures of the pages for the docs, in two sizes and two themes.

Real templates with made figures, so that a picture changes only when a page does.
"""

import asyncio
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser

from tests.browser import chromium
from tests.proofs.pages_gallery import gallery

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
SHOWN = (
    "credits",
    "buy",
    "success-credited",
    "purchases",
    "usage",
    "history",
    "receipt",
    "settings",
    "tools",
    "tool",
    "tool-short",
    "keys",
    "gifts",
    "gifts-sure",
    "claim-opened",
    "team",
    "team-member",
    "sign-in",
    "problem-404",
)
SIZES = {"desktop": (1180, 860), "phone": (375, 760)}
THEMES = ("light", "dark")
COLOURS = 48  # enough for flat pages with smooth letters; a fifth of the bytes
BYTES_MAX = 60_000


async def picture(browser: Browser, url: str, size: tuple[int, int], theme: str) -> bytes:
    """One page as a small PNG."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
    )
    try:
        page = await context.new_page()
        await page.goto(url)
        taken = await page.screenshot()
    finally:
        await context.close()
    small = io.BytesIO()
    with Image.open(io.BytesIO(taken)) as image:
        image.convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


async def main() -> int:
    """Take all of them; 1 when one is too heavy for the docs."""
    FOLDER.mkdir(exist_ok=True)
    heavy = 0
    with gallery() as address:
        async with chromium() as browser:
            for name in SHOWN:
                for form, size in SIZES.items():
                    for theme in THEMES:
                        taken = await picture(browser, f"{address}/{name}", size, theme)
                        path = FOLDER / f"{name}-{form}-{theme}.png"
                        path.write_bytes(taken)
                        heavy += len(taken) > BYTES_MAX
    print(f"{len(SHOWN) * 4} pictures in {FOLDER.name}/, {heavy} above {BYTES_MAX:,} bytes")
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
