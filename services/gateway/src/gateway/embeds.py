"""What pages of other applications show: a balance and a price, as fragments of HTML.

Only pages of an origin that the installation lists may ask, by an embed token made for that very
origin. No cookie is looked at here, so nothing that a browser adds by itself opens anything.
What goes wrong is a fragment too, with the problem's code.
"""

import time
from collections.abc import Awaitable
from datetime import datetime
from importlib.resources import files
from secrets import token_hex
from typing import Annotated, TypeAlias

from contracts.commands import Actor, ActorKind
from contracts.events import EstimateGiven
from contracts.units import Ms
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway import answers, bodies, embedfragments, intents, positions
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.balances import Balances
from gateway.bodies import decoder
from gateway.embedtokens import Embed, EmbedTokens
from gateway.faults import of_no_answer
from gateway.guest import Reception
from gateway.keys import Scope
from gateway.limits import ToolId
from gateway.moments import moment
from gateway.principals import Principal
from gateway.problems import ProblemError, failure
from gateway.rates import BALANCE, ESTIMATE, Rates
from gateway.spending import Ledger
from gateway.waiting import NoAnswer
from gateway.web import request_id_of, shown

PREFLIGHT_S = 600  # how long a browser may remember that it may ask
SCRIPT_S = 300  # how long it may keep the elements' script, whose address never changes
_BEARER = "Bearer "
DIGITS_MAX = 12
Whole: TypeAlias = str | None  # a whole number, checked here so that the page is told in its way

_asked = decoder(bodies.EmbedTokenBody)


class EmbedTokenShown(Struct, rename="camel"):
    """A token for pages of one origin; shown once."""

    token: str
    origin: str
    expires_at: datetime


class Embeds(Struct, frozen=True):
    """What the fragments are made of. `origins`: whose pages may ask."""

    origins: frozenset[str]
    tokens: EmbedTokens
    balances: Balances
    ledger: Ledger
    rates: Rates

    async def opened(self, request: Request, now: Ms) -> tuple[Embed, Principal]:
        """What the request's token opens; raises 401."""
        text = request.headers.get("authorization", "")
        found = None
        if text.startswith(_BEARER):
            origin = request.headers.get("origin", "")
            found = await self.tokens.find(text[len(_BEARER) :], origin, now)
        if found is None or found.origin not in self.origins:
            raise failure(
                401, "embed_over", "This page needs a new embed token for its own origin."
            )
        name = f"embed:{found.account}"
        actor = Actor(ActorKind.SERVICE, found.key)
        return found, Principal(name, found.account, frozenset({Scope.READ}), actor)

    async def balance(self, request: Request) -> str:
        """The balance's fragment."""
        now = time.time_ns() // 1_000_000
        found, principal = await self.opened(request, now)
        self.rates.take(BALANCE, principal, now / 1000)
        return embedfragments.balance(await self.balances.amounts(found.account))

    async def estimate(
        self, request: Request, tool: str, limits: tuple[Whole, Whole, Whole]
    ) -> str:
        """The fragment of what a run would cost; limits are cpuMs, memoryMb and durationMs."""
        now = time.time_ns() // 1_000_000
        found, principal = await self.opened(request, now)
        cpu, memory, duration = [_whole(text) for text in limits]
        asked = bodies.EstimateBody(tool_id=tool)
        if any(limits):
            asked.requested_limits = bodies.AskedLimits(
                cpu_ms=cpu, memory_mb=memory, duration_ms=duration
            )
        self.rates.take(ESTIMATE, principal, now / 1000)
        name, catalogue = f"emb-{token_hex(12)}", self.ledger.catalogue
        command = intents.estimate(name, found.account, principal.actor, asked, catalogue)
        answer = await self.ledger.bridge.ask(command, now, request.scope["scrip.trace"])
        if isinstance(answer.event, EstimateGiven):
            return embedfragments.estimate(answer.event, answer.balance)
        position = positions.shown(answer.partition, answer.seq)
        raise ProblemError(answers.no(answer.event, self.ledger.top_up_url, position))

    async def told(self, request: Request, made: Awaitable[str]) -> Response:
        """A fragment, or the problem as one, as far as the asking origin may see it."""
        try:
            body, status, retry = await made, 200, None
        except (ProblemError, NoAnswer) as why:
            problem = (of_no_answer(why) if isinstance(why, NoAnswer) else why).problem
            body, status, retry = (
                embedfragments.problem(problem, request_id_of(request)),
                problem.status,
                problem.retry_after_s,
            )
        headers = {**self.shared(request), "cache-control": "no-store"}
        if isinstance(retry, int):
            headers["retry-after"] = str(retry)
        return Response(body, status, headers, media_type="text/html")

    def shared(self, request: Request) -> dict[str, str]:
        """The headers that let a listed origin read an answer."""
        origin, headers = request.headers.get("origin", ""), {"vary": "origin"}
        if origin in self.origins:
            headers |= {
                "access-control-allow-origin": origin,
                "access-control-expose-headers": "x-request-id, retry-after",
            }
        return headers


def _whole(text: Whole) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > DIGITS_MAX:
        raise failure(422, "invalid_request", "Limits are whole numbers of at least 1.")
    return int(text)


def routes(embeds: Embeds, reception: Reception) -> APIRouter:
    """POST /v1/embed-tokens, the fragments, the elements' script, and who may ask."""
    router = APIRouter(tags=["embedding"])
    _fragments(router, embeds)
    script = files("gateway").joinpath("elements.js").read_bytes()

    @router.post("/v1/embed-tokens", summary="A token for pages of another origin", status_code=201)
    async def make(request: Request) -> Response:
        guest = await reception.of_account(request, None, Scope.SPEND)
        body = await read_body(request.receive, BODY_BYTES_MAX)
        asked: bodies.EmbedTokenBody = _asked(body)
        if asked.origin not in embeds.origins:
            raise failure(422, "origin_not_listed", "SCRIP_EMBED_ORIGINS does not list it.")
        key = guest.principal.actor.id
        token, ends = await embeds.tokens.make(guest.account, asked.origin, key, guest.now)
        return shown(EmbedTokenShown(token, asked.origin, moment(ends)), status=201)

    @router.get("/embed/elements.js", include_in_schema=False)
    async def elements() -> Response:
        headers = {
            "cache-control": f"public, max-age={SCRIPT_S}",
            "access-control-allow-origin": "*",  # the same for everybody, and no secret
            "cross-origin-resource-policy": "cross-origin",
            "x-content-type-options": "nosniff",
        }
        return Response(script, headers=headers, media_type="text/javascript")

    return router


def _fragments(router: APIRouter, embeds: Embeds) -> None:
    @router.get("/embed/balance", summary="The balance as a fragment of HTML")
    async def balance(request: Request) -> Response:
        return await embeds.told(request, embeds.balance(request))

    @router.get("/embed/estimate", summary="A price as a fragment of HTML")
    async def estimate(
        request: Request,
        tool: ToolId,
        cpu: Annotated[Whole, Query(alias="cpuMs")] = None,
        memory: Annotated[Whole, Query(alias="memoryMb")] = None,
        duration: Annotated[Whole, Query(alias="durationMs")] = None,
    ) -> Response:
        return await embeds.told(request, embeds.estimate(request, tool, (cpu, memory, duration)))

    @router.options("/embed/balance", include_in_schema=False)
    @router.options("/embed/estimate", include_in_schema=False)
    async def preflight(request: Request) -> Response:
        headers = embeds.shared(request)
        if "access-control-allow-origin" not in headers:
            return Response(status_code=403, headers=headers)
        headers |= {
            "access-control-allow-methods": "GET",
            "access-control-allow-headers": "authorization",
            "access-control-max-age": str(PREFLIGHT_S),
        }
        return Response(status_code=204, headers=headers)
