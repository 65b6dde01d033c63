"""An account's limits and alerts: read from the read models, replaced through the ledger."""

# ruff: noqa: FAST003 - the parameter `id` is the one of type Id

from secrets import token_hex

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway import bodies, intents
from gateway.answers import settings
from gateway.asgi import BODY_BYTES_MAX, Call, read_body
from gateway.asked import key_of
from gateway.balances import Balances
from gateway.bodies import decoder
from gateway.freshness import Freshness
from gateway.guest import Reception
from gateway.keys import Scope
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE, Rates
from gateway.reads import Id, MinPosition
from gateway.shapes import ControlsView
from gateway.spending import Ledger
from gateway.web import respond, shown

_controls = decoder(bodies.ControlsBody)


class ControlsRead(Struct):
    """Limits and alerts as they are."""

    controls: ControlsView


def routes(
    reception: Reception,
    balances: Balances,
    freshness: Freshness,
    ledger: Ledger,
    rates: Rates,
) -> APIRouter:
    """GET and PUT /v1/accounts/{id}/controls."""
    router = APIRouter(tags=["services"])

    @router.get("/v1/accounts/{id}/controls", summary="Limits and alerts")
    async def read(request: Request, account: Id, min_position: MinPosition = None) -> Response:
        guest = await reception.of_account(request, account, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        await freshness.reach(guest.account, min_position)
        found = ControlsRead(settings(await balances.controls(guest.account)))
        return guest.with_headers(shown(found))

    @router.put("/v1/accounts/{id}/controls", summary="Replace limits and alerts")
    async def replace(request: Request, account: Id) -> Response:
        guest = await reception.of_account(request, account, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        raw = await read_body(request.receive, BODY_BYTES_MAX)
        headers: dict[bytes, bytes] = dict(request.scope["headers"])
        call = Call(headers, (), request.scope["scrip.trace"], guest.now, "")
        key = key_of(call) if b"idempotency-key" in headers else f"set-{token_hex(12)}"
        body: bodies.ControlsBody = _controls(raw)
        command = intents.set_controls(key, guest.account, guest.principal.actor, body)
        return guest.with_headers(respond(await ledger.ask(call, command)))

    return router
