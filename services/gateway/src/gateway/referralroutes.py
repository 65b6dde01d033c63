"""The routes under /api/referrals, and the sweep that gives bonuses when their time has come."""

import asyncio
import time

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import referralbodies
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder
from gateway.guest import Reception
from gateway.keys import Scope
from gateway.problems import ProblemError
from gateway.rates import GIFTS, SETTINGS_READ, Rates
from gateway.referrals import Referrals
from gateway.web import shown

log = structlog.get_logger(__name__)

SWEEP_EVERY_S = 10.0  # one short statement for each fifty that wait
_code = decoder(referralbodies.ReferralBody)


def routes(referrals: Referrals, reception: Reception, rates: Rates) -> APIRouter:
    """See and make one's own code; name whoever brought one."""
    router = APIRouter(tags=["account"])

    @router.get("/api/referrals", summary="Your referral code, and what it brought")
    async def mine(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        return guest.with_headers(shown(await referrals.mine(guest.account)))

    @router.post("/api/referrals", summary="Have a referral code of your own")
    async def make(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        return guest.with_headers(shown(await referrals.make(guest)))

    @router.post("/api/referrals/name", summary="Name whoever brought you; once, before you buy")
    async def name(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, GIFTS)
        asked: referralbodies.ReferralBody = _code(await read_body(request.receive, BODY_BYTES_MAX))
        return guest.with_headers(shown(await referrals.name(guest, asked.code)))

    return router


async def keep_giving(referrals: Referrals) -> None:
    """Give what is due, for ever; any number of gateways may do it at once."""
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        await give_all(referrals, time.time_ns() // 1_000_000)


async def give_all(referrals: Referrals, now: int) -> int:
    """Look at all that wait, some at a time. What cannot be given now is tried again."""
    given, after = 0, ""
    try:
        while some := await referrals.open_ones(after):
            after = some[-1].person
            given += await referrals.settle(some, now)
    except ProblemError as why:
        log.warning("referrals_not_looked_at", why=str(why))
    return given
