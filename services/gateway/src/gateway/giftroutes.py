"""The routes under /api/gifts, and the sweep that returns what nobody claimed."""

import asyncio
import time

import structlog
from contracts.commands import Actor, ActorKind
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway import bodies, giftbodies
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.asked import key_in
from gateway.bodies import decoder
from gateway.gifts import GiftMade, GiftOpened, Gifts, GiftSeen
from gateway.guest import Reception
from gateway.keys import Scope
from gateway.moments import moment
from gateway.problems import ProblemError
from gateway.rates import GIFTS, SETTINGS_READ, Rates
from gateway.spending import Ledger
from gateway.waiting import NoAnswer
from gateway.web import request_id_of, respond, shown

log = structlog.get_logger(__name__)

SWEEP_EVERY_S = 10.0  # one small statement; how late a gift comes back
_COURIER = Actor(ActorKind.SERVICE, "gifts")
_make = decoder(giftbodies.GiftBody)
_code = decoder(giftbodies.GiftCodeBody)


class GiftsShown(Struct):
    """The newest first."""

    items: list[GiftSeen]


def routes(gifts: Gifts, ledger: Ledger, reception: Reception, rates: Rates) -> APIRouter:
    """Make, list, look at, claim, decline and cancel."""
    router = APIRouter(tags=["account"])

    @router.get("/api/gifts", summary="The gifts that you made")
    async def sent(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        return guest.with_headers(shown(GiftsShown(await gifts.sent(guest.account))))

    @router.post("/api/gifts", summary="Give credits to whoever has the code")
    async def make(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        asked: giftbodies.GiftBody = _make(await read_body(request.receive, BODY_BYTES_MAX))
        key = key_in(dict(request.scope["headers"]))
        made = await gifts.make(guest, key, asked, request.scope["scrip.trace"])
        if not isinstance(made, GiftMade):
            return guest.with_headers(respond(ledger.told(made, request_id_of(request))))
        return guest.with_headers(shown(made, status=201))

    @router.post("/api/gifts/look", summary="What a code would bring")
    async def look(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        asked: giftbodies.GiftCodeBody = _code(await read_body(request.receive, BODY_BYTES_MAX))
        gift = await gifts.by_code(asked.code, guest.now)
        seen = GiftOpened(amount=gift.amount, note=gift.note, until=moment(gift.until))
        return guest.with_headers(shown(seen))

    @router.post("/api/gifts/claim", summary="Take a gift; once, whoever comes first")
    async def claim(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        asked: giftbodies.GiftCodeBody = _code(await read_body(request.receive, BODY_BYTES_MAX))
        ended = await gifts.claim(guest, asked.code, request.scope["scrip.trace"])
        return guest.with_headers(shown(ended))

    @router.post("/api/gifts/decline", summary="Send a gift back to who made it")
    async def decline(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        asked: giftbodies.GiftCodeBody = _code(await read_body(request.receive, BODY_BYTES_MAX))
        ended = await gifts.decline(guest, asked.code, request.scope["scrip.trace"])
        return guest.with_headers(shown(ended))

    @router.post("/api/gifts/{gift}/cancel", summary="Take your own gift back")
    async def cancel(request: Request, gift: str) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        name = bodies.name_or_404(gift)
        return guest.with_headers(
            shown(await gifts.cancel(guest, name, request.scope["scrip.trace"]))
        )

    return router


async def keep_returning(gifts: Gifts) -> None:
    """Return what nobody claimed in time, for ever; any number of gateways may do it at once."""
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        await return_some(gifts, time.time_ns() // 1_000_000)


async def return_some(gifts: Gifts, now: int) -> int:
    """Return some; gives how many. What cannot be returned now is tried again."""
    returned = 0
    try:
        for gift in await gifts.due(now):
            try:
                await gifts.expire(gift, _COURIER, now)
                returned += 1
            except (ProblemError, NoAnswer) as why:
                log.info("gift_not_returned_yet", gift=gift.gift, why=str(why))
    except ProblemError as why:
        log.warning("gifts_not_looked_at", why=str(why))
    return returned
