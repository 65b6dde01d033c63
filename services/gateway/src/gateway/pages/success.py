"""/account/credits/success: what became of a purchase, from payments alone, never from being here.

confirming → credited | processing (the bank takes its time) | failed | delayed (longer than two
minutes) | unknown (no such session, or another's). The page looks again by itself until it is over.
"""

from urllib.parse import urlencode

from contracts.billing import PurchaseShown
from contracts.units import MINUTE, SECOND, Ms
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import UNSET, Struct

from gateway.pages import purchases
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.passing import VERIFY, Passing

PATH = "/account/credits/success"
CONFIRMING_MS = 30 * SECOND  # a card is confirmed in less; longer is the bank's method
DELAYED_MS = 2 * MINUTE  # paid and not credited for so long is ours to look after
LOOK_AGAIN_S = 4  # a person may ask twenty times a minute, with two tabs open
LOOK_LATER_S = 15
DIGITS_MAX = 15  # of an instant in milliseconds


class SuccessView(Struct, frozen=True, kw_only=True):
    """The page. `look_s`: it looks again after so many seconds; 0: it is over."""

    shell: Shell
    state: str
    look_s: int
    again: str
    purchase: PurchaseShown | None
    available: int | None


class Success(Struct, frozen=True):
    """Asks payments."""

    doorway: Doorway
    passing: Passing

    async def page(self, visit: Visit) -> Response:
        """GET /account/credits/success?session_id=; `since`: when somebody began to wait here."""
        session_id = visit.query("session_id")
        visit.guest.limited(self.doorway.rates, VERIFY)
        found = await purchases.state(self.passing, visit, session_id) if session_id else None
        since = _since(visit)
        state = state_of(found, since, visit.guest.now)
        view = SuccessView(
            shell=visit.shell(_TITLES[state], "credits"),
            state=state,
            look_s=_LOOKS.get(state, 0),
            again=urlencode({"session_id": session_id, "since": since}),
            purchase=found,
            available=None if visit.balance is None else visit.balance.available,
        )
        template = "parts/success-again.html" if visit.partial else "success.html"
        return self.doorway.renderer.page(template, view, 404 if state == "unknown" else 200)


def routes(page: Success) -> APIRouter:
    """GET /account/credits/success."""
    router = APIRouter()
    page.doorway.page(router, "GET", PATH, page.page)
    return router


def state_of(found: PurchaseShown | None, since: Ms, now: Ms) -> str:
    """Which of the six it is, for somebody who waits since then."""
    if found is None:
        return "unknown"
    if found.credited_at is not UNSET:
        return "credited"
    match found.status:
        case "failed" | "expired":
            return "failed"
        case "initiated":
            return "processing" if now - since > CONFIRMING_MS else "confirming"
        case "paid":
            return "delayed" if now - since > DELAYED_MS else "confirming"
        case _:
            return "delayed"


def _since(visit: Visit) -> Ms:
    said, now = visit.query("since"), visit.guest.now
    known = said.isascii() and said.isdigit() and len(said) <= DIGITS_MAX
    return min(now, int(said)) if known else now


_TITLES = {
    "confirming": "Confirming your purchase",
    "credited": "Your credits are here",
    "processing": "Your bank takes its time",
    "failed": "Nothing was charged",
    "delayed": "Longer than usual",
    "unknown": "There is no such purchase",
}
_LOOKS = {"confirming": LOOK_AGAIN_S, "processing": LOOK_LATER_S, "delayed": LOOK_LATER_S}
