"""/account/credits/buy: what is bought, for how much and on which terms, before anything is paid.

A second purchase while one is being confirmed is asked about first. The form carries the name of
the purchase, so that sending it twice begins one.
"""

from secrets import token_hex

from contracts.billing import CheckoutBody
from contracts.catalogue import Catalogue
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from gateway.bodies import name_or_404
from gateway.keys import Scope
from gateway.pages import purchases
from gateway.pages.overview import PackView, pack_view
from gateway.pages.purchases import Pending
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.passing import CHECKOUT, Passing
from gateway.principals import not_found

PATH = "/account/credits/buy"


class BuyView(Struct, frozen=True, kw_only=True):
    """The review. `asks`: the box that says "another one" was left empty."""

    shell: Shell
    pack: PackView
    pending: list[Pending]
    key: str
    save_card: bool = False
    asks: bool = False


class LeaveView(Struct, frozen=True):
    """The way to where it is paid."""

    shell: Shell
    url: str
    pack: PackView


class Buying(Struct, frozen=True):
    """Reviews and begins a purchase."""

    doorway: Doorway
    passing: Passing
    catalogue: Catalogue

    async def review(self, visit: Visit) -> Response:
        """GET …/buy?pack=."""
        view = BuyView(
            shell=visit.shell("Review your purchase", "credits"),
            pack=self._pack(visit.query("pack")),
            pending=await purchases.pending(self.passing, visit),
            key=f"buy-{token_hex(12)}",
        )
        return self.doorway.renderer.page("buy.html", view)

    async def begin(self, visit: Visit) -> Response:
        """POST …/buy: make the checkout and lead to it."""
        form, pack = visit.form, self._pack(visit.form.get("pack", ""))
        key = name_or_404(form.get("key", ""))
        unfinished = await purchases.pending(self.passing, visit)
        if unfinished and "again" not in form:
            view = BuyView(
                shell=visit.shell("Review your purchase", "credits"),
                pack=pack,
                pending=unfinished,
                key=key,
                save_card="save_card" in form,
                asks=True,
            )
            return self.doorway.renderer.page("buy.html", view, 422)
        visit.guest.limited(self.doorway.rates, CHECKOUT)
        order = CheckoutBody(pack.id, "save_card" in form)
        made = await purchases.checkout(self.passing, visit, order, key)
        leave = LeaveView(visit.shell("Going to payment", "credits"), made.url, pack)
        return self.doorway.renderer.page("leave.html", leave)

    def _pack(self, wanted: str) -> PackView:
        found = self.catalogue.packs.get(wanted)
        if found is None:
            raise not_found()
        return pack_view(found)


def routes(page: Buying) -> APIRouter:
    """GET and POST /account/credits/buy."""
    router = APIRouter()
    page.doorway.page(router, "GET", PATH, page.review)
    page.doorway.page(router, "POST", PATH, page.begin, Scope.SPEND)
    return router
