"""A scene about money in: too few credits, a pack paid for on the hosted page, and the run again.

The page is asked for and its form sent as a browser without JavaScript does it.
"""

import asyncio
import html
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from deploy.demo.client import Client
from deploy.demo.house import DemoFailed
from deploy.demo.runs import SOURCE
from deploy.demo.screen import Screen

PACK = "starter"
RUN = "/api/dev-studio/security/run"
DECLINED_CARD, WORKING_CARD = "4000 0000 0000 0002", "4242 4242 4242 4242"
CREDITED_WITHIN_S = 30.0
LOOK_AGAIN_S = 0.5  # a person may ask for the state of a purchase twenty times a minute
PAGE_WITHIN_S = 10.0


async def a_pack(screen: Screen, person: Client, account: str) -> str:
    """Refused, bought, paid, credited, run. Gives the page that was paid on."""
    screen.scene("Too few credits: a pack is bought, and the same run goes on")
    status, no = await person.ask(RUN, f"{account}-run", {"input": SOURCE})
    if status != 402:
        raise DemoFailed(f"a run without credits was answered {status}: {no}")
    screen.fact("a run", f"{status} {no['code']}: {no['detail']}")
    screen.fact("short of", f"{no['shortfall']} credits; more at {no['topUpUrl']}")
    order = await person.post("/api/billing/checkout", f"{account}-buy", {"packId": PACK})
    url: str = order["url"]
    screen.fact("checkout", f"order {order['purchaseId'][:8]}…, to be paid at {url}")
    page = await asyncio.to_thread(_opened, url)
    screen.fact("the page says", _heading(page))
    said = await asyncio.to_thread(_sent, url, DECLINED_CARD)
    screen.fact(DECLINED_CARD, f"{said.status} {_alert(said.text)}")
    paid = await asyncio.to_thread(_sent, url, WORKING_CARD)
    if paid.status != 303:
        raise DemoFailed(f"the page answered {paid.status}: {paid.text}")
    begun = time.monotonic()
    screen.fact(WORKING_CARD, f"paid; the buyer goes back to {paid.location}")
    bought = await _credited(person, order["sessionId"])
    screen.fact("credited", f"{bought['credits']} credits {time.monotonic() - begun:.1f} s later")
    ran = await person.post(RUN, f"{account}-again", {"input": SOURCE})
    spent = ran["credits"]
    screen.fact(
        "the run again", f"charged {spent['charged']}, {spent['balance']['available']} left"
    )
    if spent["balance"]["available"] + spent["charged"] != bought["credits"]:
        raise DemoFailed(f"{bought['credits']} credits were bought, then: {spent}")
    for one in (await person.see("/api/billing/invoices"))["invoices"]:
        screen.fact("invoice", one["url"])
    return url


async def _credited(person: Client, session: str) -> dict[str, Any]:
    begun = time.monotonic()
    while True:
        found = await person.see(f"/api/billing/verify-payment?session_id={session}")
        if found["status"] == "credited":
            return found
        if time.monotonic() - begun > CREDITED_WITHIN_S:
            raise DemoFailed(f"paid, and not credited in {CREDITED_WITHIN_S:.0f} s: {found}")
        await asyncio.sleep(LOOK_AGAIN_S)


class _Said:
    def __init__(self, status: int, text: str, location: str = "") -> None:
        self.status = status
        self.text = text
        self.location = location


class _Stay(urllib.request.HTTPRedirectHandler):
    """The way back is shown, not gone: it leads to the shop."""

    def redirect_request(self, *_: object) -> None:
        """Go nowhere."""


_browser = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _opened(url: str) -> str:
    with _browser.open(url, timeout=PAGE_WITHIN_S) as answer:
        page: bytes = answer.read()
    return page.decode()


def _sent(url: str, card: str) -> _Said:
    form = urllib.parse.urlencode({"by": "card", "number": card}).encode()
    try:
        with _browser.open(url, form, timeout=PAGE_WITHIN_S) as answer:
            return _Said(answer.status, answer.read().decode())
    except urllib.error.HTTPError as said:
        with said:
            return _Said(said.code, said.read().decode(), said.headers.get("location", ""))


def _heading(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    return html.unescape(found.group(1)) if found else "nothing"


def _alert(page: str) -> str:
    found = re.search(r'role="alert".*?<p>(.*?)</p>', page, re.DOTALL)
    return html.unescape(found.group(1)) if found else "nothing"
