"""The reads of an account's owner: /api, by session or by a key of that account."""

# ruff: noqa: FAST003 - the parameter `id` is the one of type Id

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.guest import Reception
from gateway.keys import Scope
from gateway.rates import BALANCE, USAGE, Rates
from gateway.reads import From, Id, MinPosition, Reads, asked
from gateway.runstates import RunStates
from gateway.statement import PAGE_DEFAULT, PAGE_MAX
from gateway.web import request_id_of, shown


def routes(reads: Reads, states: RunStates, rates: Rates) -> APIRouter:
    """The routes under /api."""
    router = APIRouter(tags=["account"])
    reception: Reception = reads.reception

    @router.get("/api/credits/balance", summary="Your credits and how far your limits are used")
    async def balance(request: Request, min_position: MinPosition = None) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, BALANCE)
        await reads.freshness.reach(guest.account, min_position)
        found = await reads.balances.credits(guest.account, guest.now)
        return guest.with_headers(shown(found))

    @router.get("/api/account/usage", summary="What you used")
    async def used(
        request: Request,
        *,
        period: str = "30d",
        start: From = None,
        to: datetime | None = None,
        min_position: MinPosition = None,
    ) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, USAGE)
        await reads.freshness.reach(guest.account, min_position)
        return guest.with_headers(shown(await reads.used(guest, period, start, to)))

    @router.get("/api/account/transactions", summary="Your statement, newest first")
    async def transactions(
        request: Request,
        *,
        type: str | None = None,  # noqa: A002 - the parameter's name
        start: From = None,
        to: datetime | None = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    ) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, USAGE)
        page = await reads.statement(guest, asked(type, start, to, cursor, limit))
        return guest.with_headers(shown(page))

    @router.get("/api/runs/{id}", summary="How a run stands")
    async def run(request: Request, run: Id) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        return shown(await states.of(guest.account, run, request_id_of(request)))

    return router
