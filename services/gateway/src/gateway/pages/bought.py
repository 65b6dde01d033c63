"""/account/purchases: what was bought, how each purchase stands, and the provider's receipt."""

from datetime import datetime

from contracts.billing import PurchaseShown
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import UNSET, Struct

from gateway.bodies import name_or_404
from gateway.pages import purchases
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.passing import Passing
from gateway.rates import USAGE

PATH = "/account/purchases"
STATES = {
    "initiated": "Not finished",
    "failed": "Failed: nothing charged",
    "expired": "Left unfinished: nothing charged",
    "paid": "Paid, being credited",
    "credited": "Credited",
    "reinstated": "Credited",
    "refunded": "Refunded",
    "partly_refunded": "Refunded in part",
    "disputed": "Disputed",
    "lost": "Taken back by the bank",
}


class Bought(Struct, frozen=True, kw_only=True):
    """A purchase in a list. `session_id` leads to how it stands, `paid` to a receipt."""

    id: str
    at: datetime
    credits: int
    amount_minor: int
    currency: str
    state: str
    paid: bool
    session_id: str


class PurchasesView(Struct, frozen=True, kw_only=True):
    """The whole page."""

    shell: Shell
    purchases: list[Bought] | Trouble


class PurchasesPage(Struct, frozen=True):
    """Asks payments."""

    doorway: Doorway
    passing: Passing

    async def page(self, visit: Visit) -> Response:
        """GET /account/purchases."""
        visit.guest.limited(self.doorway.rates, USAGE)
        found = await region(purchases.every(self.passing, visit), visit.request_id)
        view = PurchasesView(
            shell=visit.shell("Purchases", "credits"),
            purchases=found if isinstance(found, Trouble) else [_bought(one) for one in found],
        )
        return self.doorway.renderer.page("purchases.html", view)

    async def receipt(self, visit: Visit) -> Response:
        """GET /account/purchases/{id}/receipt: on to the provider's own page of it."""
        visit.guest.limited(self.doorway.rates, USAGE)
        purchase = name_or_404(str(visit.request.path_params["id"]))
        url = await purchases.receipt(self.passing, visit, purchase)
        return RedirectResponse(url, status_code=303, headers={"referrer-policy": "no-referrer"})


def routes(page: PurchasesPage) -> APIRouter:
    """GET /account/purchases and each one's receipt."""
    router = APIRouter()
    page.doorway.page(router, "GET", PATH, page.page)
    page.doorway.page(router, "GET", f"{PATH}/{{id}}/receipt", page.receipt)
    return router


def _bought(found: PurchaseShown) -> Bought:
    return Bought(
        id=found.purchase_id,
        at=found.initiated_at,
        credits=found.credits,
        amount_minor=found.amount_minor,
        currency=found.currency,
        state=STATES.get(found.status, "Being looked at"),
        paid=found.paid_at is not UNSET,
        session_id="" if found.session_id is UNSET else str(found.session_id),
    )
