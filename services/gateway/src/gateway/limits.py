"""Every limit that a run of a tool would meet, in order: the ledger's own admission, asked."""

# ruff: noqa: FAST003 - the parameter `id` is the one of type Id

from secrets import token_hex
from typing import Annotated

from contracts.commands import Estimate
from contracts.events import EstimateGiven
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway.guest import Guest, Reception
from gateway.keys import Scope
from gateway.problems import LimitShown, limit_shown
from gateway.rates import ESTIMATE, Rates
from gateway.reads import Id
from gateway.spending import Ledger
from gateway.web import respond, shown

_NAME = r"^[A-Za-z0-9._:-]{1,64}$"  # of gateway.bodies; here "$" is the very end
Named = Annotated[str | None, Query(pattern=_NAME, max_length=64)]
ToolId = Annotated[str, Query(alias="toolId", pattern=_NAME, max_length=64)]


class LimitsShown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Whether a run that may cost `max` would be allowed now; `limit` bound, or is the nearest."""

    tool_id: str
    max: int
    allowed: bool
    reason: str | None = None
    limit: LimitShown | None = None
    limits: list[LimitShown]


def routes(reception: Reception, ledger: Ledger, rates: Rates) -> APIRouter:
    """GET /v1/accounts/{id}/limits and GET /api/account/limits."""
    router = APIRouter()

    @router.get(
        "/v1/accounts/{id}/limits", summary="Limits that a run would meet", tags=["services"]
    )
    async def of_account(
        request: Request,
        account: Id,
        tool: ToolId,
        member: Named = None,
        parent: Named = None,
    ) -> Response:
        guest = await reception.of_account(request, account, Scope.SPEND)
        if member is not None:
            guest.principal.must_be_staff()
        return await _chain(request, guest, ledger, rates, _asked(guest, tool, member, parent))

    @router.get("/api/account/limits", summary="Limits that your run would meet", tags=["account"])
    async def own(request: Request, tool: ToolId) -> Response:
        guest = await reception.at_home(request, Scope.SPEND)
        asked = _asked(guest, tool, guest.principal.member, None)
        return await _chain(request, guest, ledger, rates, asked)

    return router


def _asked(guest: Guest, tool: str, member: str | None, parent: str | None) -> Estimate:
    return Estimate(
        id=f"lim-{token_hex(12)}",
        account=guest.account,
        actor=guest.principal.actor,
        tool=tool,
        member=member,
        parent=parent,
        chain=True,
    )


async def _chain(
    request: Request, guest: Guest, ledger: Ledger, rates: Rates, asked: Estimate
) -> Response:
    guest.limited(rates, ESTIMATE)
    trace = request.scope["scrip.trace"]
    answer = await ledger.bridge.ask(asked, guest.now, trace)
    given = answer.event
    if not isinstance(given, EstimateGiven):
        return guest.with_headers(respond(ledger.told(answer, trace.request_id)))
    found = LimitsShown(
        tool_id=given.tool,
        max=given.max,
        allowed=given.allowed,
        reason=None if given.reason is None else given.reason.value,
        limit=None if given.limit is None else limit_shown(given.limit),
        limits=[limit_shown(limit) for limit in given.chain],
    )
    return guest.with_headers(shown(found))
