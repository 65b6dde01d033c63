"""A real browser for tests: Chromium of this machine, driven by Playwright.

`make` installs it where it can (deploy/local/browser.py). Where there is none, the tests that need
it are skipped and say so; nothing is counted as passed.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
START_WITHIN_MS = 60_000  # the first start on a busy machine reads a lot from disk


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A running browser; make a context of your own for each test."""
    path = os.environ.get("SCRIP_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here: what a browser must show is NOT checked")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=path, args=FLAGS, timeout=START_WITHIN_MS
        )
        try:
            yield started
        finally:
            await started.close()
