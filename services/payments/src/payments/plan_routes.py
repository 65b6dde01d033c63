"""People's routes about their subscription: see it, begin or change it, end it with its period."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from contracts.billing import SubscribeBody, SubscriptionShown
from contracts.catalogue import Plan
from contracts.identity import Identity
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import UNSET

from payments.books import Books
from payments.identity import Guard
from payments.problems import failure, stripe_down
from payments.requests import answer, body, idempotency_key
from payments.subscribing import Subscribing
from payments.till import CardRefused, TillDown, TillRefused


class Plans:
    """What the routes stand on. `changed` wakes the relay."""

    def __init__(
        self, books: Books, subscribing: Subscribing, guard: Guard, changed: Callable[[], None]
    ) -> None:
        self._books = books
        self._subscribing = subscribing
        self._guard = guard
        self._changed = changed

    async def see(self, request: Request) -> Response:
        """How it stands."""
        return await self._shown(self._guard.caller(request, "read"))

    async def put(self, request: Request) -> Response:
        """Begin one, or change the plan with proration."""
        caller = self._guard.caller(request, "admin")
        plan = self._plan((await body(request, SubscribeBody)).plan_id)
        key = idempotency_key(request, needed=True)
        try:
            if await asyncio.to_thread(self._subscribing.change, caller.account, plan, key):
                return await self._shown(caller)
            url = await asyncio.to_thread(self._subscribing.begin, caller.account, plan, key)
        except CardRefused as why:
            raise failure(402, "card_declined", "The saved card was declined.") from why
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        finally:
            self._changed()
        return answer(SubscriptionShown("asked", plan.id, url=url), 201)

    async def end(self, request: Request) -> Response:
        """End it with the period that is paid."""
        caller = self._guard.caller(request, "admin")
        key = idempotency_key(request, needed=True)
        try:
            ended = await asyncio.to_thread(self._subscribing.end, caller.account, key, ends=True)
        except (TillDown, TillRefused) as why:
            raise stripe_down() from why
        if not ended:
            raise failure(409, "no_subscription", "There is no subscription to end.")
        self._changed()
        return await self._shown(caller)

    def _plan(self, name: str) -> Plan:
        plans = {x.id: x for x in self._subscribing.catalogue.plans.values() if x.price_minor}
        if name not in plans:
            raise failure(422, "plan_unknown", f"planId must be one of {', '.join(sorted(plans))}.")
        return plans[name]

    async def _shown(self, caller: Identity) -> Response:
        known = await asyncio.to_thread(self._books.subscription, caller.account)
        ends_at = datetime.fromtimestamp(known.period_end, UTC) if known.period_end else UNSET
        return answer(SubscriptionShown(known.state, known.plan, ends_at, known.ends))


def routes(plans: Plans) -> APIRouter:
    """The routes behind the gateway."""
    router = APIRouter(tags=["billing"])

    @router.get("/api/billing/subscription", summary="Your subscription")
    async def see(request: Request) -> Response:
        return await plans.see(request)

    @router.put("/api/billing/subscription", summary="Begin a subscription or change its plan")
    async def put(request: Request) -> Response:
        return await plans.put(request)

    @router.delete("/api/billing/subscription", summary="End your subscription with its period")
    async def end(request: Request) -> Response:
        return await plans.end(request)

    return router
