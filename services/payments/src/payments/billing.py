"""People's routes: start a purchase, ask for its true state, list what was bought, give money back.

Every call carries the gateway's identity token. Another's purchase is not there.
"""

import asyncio
from collections.abc import Callable

from contracts.billing import (
    CheckoutBody,
    CheckoutShown,
    InvoicesShown,
    PortalShown,
    PurchasesShown,
    RefundBody,
    RefundShown,
    TopUpBody,
    TopUpShown,
)
from contracts.catalogue import Pack
from contracts.commands import ActorKind
from fastapi import APIRouter, Request
from fastapi.responses import Response

from payments import seeing
from payments.books import Books, Unknown
from payments.buying import Buying, OtherOrder
from payments.clock import now_ms
from payments.handling import Handling, NotYet
from payments.identity import Guard
from payments.index import Index
from payments.problems import failure, not_found, stripe_down
from payments.purchase import Purchase
from payments.requests import answer, body, idempotency_key
from payments.shapes import listed, of_invoice, of_purchase
from payments.till import TillDown, TillRefused


class Billing:
    """What the routes stand on. `changed` wakes the relay."""

    def __init__(
        self,
        *,
        books: Books,
        index: Index,
        buying: Buying,
        handling: Handling,
        guard: Guard,
        changed: Callable[[], None],
    ) -> None:
        self.books = books
        self.index = index
        self.buying = buying
        self.handling = handling
        self.guard = guard
        self.changed = changed

    async def checkout(self, request: Request) -> Response:
        """Start a purchase."""
        caller = self.guard.caller(request, "spend")
        asked = await body(request, CheckoutBody)
        pack, key = self._pack(asked.pack_id), idempotency_key(request)
        try:
            started = await asyncio.to_thread(
                self.buying.start, caller.account, pack, key, save_card=asked.save_card
            )
        except OtherOrder as why:
            raise failure(
                422, "id_conflict", "This Idempotency-Key was used for another purchase."
            ) from why
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        finally:
            self.changed()
        purchase = started.purchase
        shown = CheckoutShown(purchase.purchase, purchase.session, started.url)
        return answer(shown, 201)

    async def top_up(self, request: Request) -> Response:
        """Charge a pack to the saved card, in one click."""
        caller = self.guard.caller(request, "spend")
        asked = await body(request, TopUpBody)
        pack, key = self._pack(asked.pack_id), idempotency_key(request, needed=True)
        try:
            purchase = await asyncio.to_thread(self.buying.top_up, caller.account, pack, key)
        except OtherOrder as why:
            raise failure(
                422, "id_conflict", "This Idempotency-Key was used for another purchase."
            ) from why
        if purchase is None:
            raise failure(
                409,
                "no_saved_card",
                "There is no saved card: buy once with saveCard and try again.",
            )
        self.changed()
        return answer(TopUpShown(purchase.purchase, purchase.state), 202)

    async def portal(self, request: Request) -> Response:
        """A link to Stripe's own pages."""
        caller = self.guard.caller(request, "admin")
        try:
            url = await asyncio.to_thread(self.buying.portal, caller.account)
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        return answer(PortalShown(url), 201)

    async def invoices(self, request: Request) -> Response:
        """What Stripe billed the caller's account."""
        caller = self.guard.caller(request, "read")
        try:
            found = await asyncio.to_thread(self.buying.invoices, caller.account)
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        return answer(InvoicesShown([of_invoice(one) for one in found]))

    def _pack(self, name: str) -> Pack:
        pack = self.buying.catalogue.packs.get(name)
        if pack is None:
            known = ", ".join(sorted(self.buying.catalogue.packs))
            raise failure(422, "pack_unknown", f"packId must be one of {known}.")
        return pack

    async def verify(self, request: Request, session: str) -> Response:
        """The true state of the caller's own purchase; looks at Stripe while it is not paid."""
        caller = self.guard.caller(request, "read")
        name = await asyncio.to_thread(self.index.stream_of, session)
        if name is None:
            raise not_found()
        try:
            purchase = await asyncio.to_thread(self.books.purchase, name)
            if purchase.account != caller.account:
                raise not_found()
            purchase = await asyncio.to_thread(self.handling.fulfil, session)
        except (Unknown, NotYet) as why:
            raise not_found() from why
        except (TillDown, TillRefused):
            pass  # what is known here is true, if not the newest
        self.changed()
        return answer(of_purchase(purchase))

    async def refund(self, request: Request, name: str) -> Response:
        """Give money back: an administrator's call."""
        caller = self.guard.caller(request, "admin")
        if caller.kind is not ActorKind.ADMIN:
            raise failure(403, "not_permitted", "Giving money back is an administrator's call.")
        asked = await body(request, RefundBody)
        refund = f"rf_{name[:24]}_{idempotency_key(request, needed=True)}"[:64]

        def ask(purchase: Purchase) -> seeing.RefundRefusal | None:
            amount = asked.amount_minor
            if amount is None:
                amount = seeing.refundable_minor(purchase)
            return seeing.ask_refund(
                purchase,
                seeing.Ask(refund, amount, asked.reason, caller.actor),
                now_ms(),
            )

        try:
            refusal = await asyncio.to_thread(self.books.change, name, ask)
        except Unknown as why:
            raise not_found() from why
        if refusal is not None:
            raise failure(422, refusal.value, "This refund is more than the payment allows.")
        self.changed()
        return answer(RefundShown(refund, "asked"), 202)

    async def purchases(self, request: Request) -> Response:
        """What the caller's account bought."""
        caller = self.guard.caller(request, "read")
        found = await asyncio.to_thread(self.index.of_account, caller.account)
        return answer(PurchasesShown([listed(one) for one in found]))


def routes(billing: Billing) -> APIRouter:
    """The routes behind the gateway."""
    router = APIRouter(tags=["billing"])

    @router.post("/api/billing/checkout", summary="Start a purchase")
    async def checkout(request: Request) -> Response:
        return await billing.checkout(request)

    @router.post("/api/billing/top-up", summary="Charge a pack to the saved card")
    async def top_up(request: Request) -> Response:
        return await billing.top_up(request)

    @router.get("/api/billing/invoices", summary="Your invoices and receipts")
    async def invoices(request: Request) -> Response:
        return await billing.invoices(request)

    @router.post("/api/billing/portal", summary="A link to Stripe's pages for cards and invoices")
    async def portal(request: Request) -> Response:
        return await billing.portal(request)

    @router.get("/api/billing/verify-payment", summary="The true state of a purchase")
    async def verify(request: Request, session_id: str) -> Response:
        return await billing.verify(request, session_id)

    @router.get("/api/billing/purchases", summary="What an account bought")
    async def purchases(request: Request) -> Response:
        return await billing.purchases(request)

    @router.post("/api/billing/purchases/{purchase}/refunds", summary="Give money back")
    async def refund(request: Request, purchase: str) -> Response:
        return await billing.refund(request, purchase)

    return router
