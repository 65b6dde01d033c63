"""GET /api/live: what happens to the own account, as it happens, while the page is there."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.catchingup import CatchingUp
from gateway.guest import Reception
from gateway.hot import STREAMED
from gateway.keys import Scope
from gateway.live import Live
from gateway.metrics import Metrics
from gateway.rates import LIVE, Rates
from gateway.streaming import LiveResponse

After = Annotated[str | None, Query(max_length=64)]

Account = Annotated[str | None, Query(max_length=64)]


def routes(
    live: Live, catching_up: CatchingUp, reception: Reception, rates: Rates, metrics: Metrics
) -> APIRouter:
    """The one route. `after` is for a page that begins anew where it paused.

    `account` is for one that cannot send headers: it stays with the account that it was shown for.
    """
    router = APIRouter(tags=["account"])

    @router.get("/api/live", summary="Balance, purchases and alerts as server-sent events")
    async def watch(request: Request, after: After = None, account: Account = None) -> Response:
        guest = await reception.at_home(request, Scope.READ, account)
        guest.limited(rates, LIVE)
        stream = live.open(guest.account, guest.principal.id, reception.shown(request))
        try:
            last = request.headers.get("last-event-id") or after
            first = await catching_up.begin(stream, last)
        except BaseException:
            live.close(stream)
            raise
        request.scope[STREAMED] = True
        return guest.with_headers(LiveResponse(live, stream, first, metrics.live_delay))

    return router
