"""People's routes to what Stripe keeps of them: receipts and cards."""

import asyncio

from contracts.billing import CardShown, CardsShown, ReceiptShown
from fastapi import APIRouter, Request
from fastapi.responses import Response

from payments.books import Unknown
from payments.identity import Guard
from payments.papers import Papers
from payments.problems import not_found, stripe_down
from payments.requests import answer
from payments.till import TillDown, TillRefused


def routes(papers: Papers, guard: Guard) -> APIRouter:
    """The routes behind the gateway."""
    router = APIRouter(tags=["billing"])

    @router.get("/api/billing/purchases/{purchase}/receipt", summary="Stripe's receipt")
    async def receipt(request: Request, purchase: str) -> Response:
        caller = guard.caller(request, "read")
        try:
            url = await asyncio.to_thread(papers.receipt, caller.account, purchase)
        except Unknown as why:
            raise not_found() from why
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        if url is None:
            raise not_found()
        return answer(ReceiptShown(url))

    @router.get("/api/billing/payment-methods", summary="Your cards, as far as they may be shown")
    async def cards(request: Request) -> Response:
        caller = guard.caller(request, "read")
        try:
            found = await asyncio.to_thread(papers.cards, caller.account)
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        shown = [
            CardShown(
                one.card.brand, one.card.last4, one.card.exp_month, one.card.exp_year, charged
            )
            for one, charged in found
            if one.card is not None
        ]
        return answer(CardsShown(shown))

    return router
