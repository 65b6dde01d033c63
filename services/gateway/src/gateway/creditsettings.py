"""The owner's limits and alerts for their pages: read with an ETag, replaced only as last seen.

Two tabs (or gateways) that replace the same version send a command of the same id with different
words: the ledger decides one and refuses the other, so nothing is lost between looking and writing.
"""

import asyncio

import msgspec
from contracts.commands import Controls
from contracts.events import CommandRefused
from contracts.reasons import Reason
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct
from msgspec.structs import asdict

from gateway import bodies, intents, positions
from gateway.answers import settings
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder
from gateway.freshness import Freshness
from gateway.guest import Guest, Reception
from gateway.keys import Scope
from gateway.problems import Problem, ProblemError, failure, problem
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE, Rates
from gateway.readmodels import ReadModels
from gateway.reads import MinPosition
from gateway.shapes import ControlsView
from gateway.spending import Ledger
from gateway.waiting import Answer, Conflict
from gateway.web import request_id_of, respond, shown

TRIES_MAX = 100  # of one request: refused settings of this version took the names before
LOOK_AGAIN_S = 0.05  # while another tab waits for its answer
_NOW = "SELECT controls::text AS controls, version FROM read.controls WHERE account = %(account)s"
_decode = msgspec.json.Decoder(Controls).decode
_controls = decoder(bodies.ControlsBody)


class _Row(Struct):
    controls: str
    version: int


class CreditSettings(Struct, rename="camel"):
    """Limits and alerts, and the version that an `If-Match` must name."""

    controls: ControlsView
    version: str


class SettingsDiffer(Problem, rename="camel", omit_defaults=True, kw_only=True):
    """They were changed meanwhile: what stands now, and what was asked for."""

    current: CreditSettings
    asked: bodies.ControlsBody


class OwnSettings(Struct, frozen=True):
    """Reads and replaces an account's settings."""

    models: ReadModels
    freshness: Freshness
    ledger: Ledger

    async def held(self, account: str) -> tuple[Controls, str]:
        """As they stand, with their version; 0 while nothing was ever set."""
        row = await self.models.row(_Row, _NOW, {"account": account})
        return (Controls(), "0") if row is None else (_decode(row.controls), str(row.version))

    async def now(self, account: str) -> CreditSettings:
        """The same as it is shown."""
        controls, version = await self.held(account)
        return CreditSettings(settings(controls), version)

    async def replace(
        self, request: Request, guest: Guest, version: str, body: bodies.ControlsBody
    ) -> Response:
        """Replace that version, and say so."""
        answer = await self.decided(request, guest, version, body)
        return await self._told(request, guest, answer)

    async def decided(
        self, request: Request, guest: Guest, version: str, body: bodies.ControlsBody
    ) -> Answer:
        """The ledger's word on replacing that version; raises 412 when it stands no more."""
        now, attempt = await self.now(guest.account), 0
        for _ in range(TRIES_MAX):
            if now.version != version:
                raise _differ(now, body)
            name = f"set-{version}" if attempt == 0 else f"set-{version}-{attempt}"
            try:
                answer = await self._ask(request, guest, name, body)
            except Conflict:  # another tab's question of this name waits for its answer here
                await asyncio.sleep(LOOK_AGAIN_S)
                continue
            event = answer.event
            if type(event) is not CommandRefused or event.reason is not Reason.ID_CONFLICT:
                return answer
            await self._reach(guest.account, answer)
            now, attempt = await self.now(guest.account), attempt + 1
        raise failure(409, "too_many_attempts", "Read the settings again, then change them.")

    async def _ask(
        self, request: Request, guest: Guest, name: str, body: bodies.ControlsBody
    ) -> Answer:
        command = intents.set_controls(name, guest.account, guest.principal.actor, body)
        return await self.ledger.bridge.ask(command, guest.now, request.scope["scrip.trace"])

    async def _told(self, request: Request, guest: Guest, answer: Answer) -> Response:
        response = respond(self.ledger.told(answer, request_id_of(request)))
        if response.status_code < 400:
            await self._reach(guest.account, answer)
            response.headers["etag"] = f'"{(await self.now(guest.account)).version}"'
        return response

    async def _reach(self, account: str, answer: Answer) -> None:
        await self.freshness.reach(account, positions.shown(answer.partition, answer.seq))


def routes(own: OwnSettings, reception: Reception, rates: Rates) -> APIRouter:
    """GET and PUT /api/account/settings/credits."""
    router = APIRouter(tags=["account"])
    path = "/api/account/settings/credits"

    @router.get(path, summary="Your limits and alerts")
    async def read(request: Request, min_position: MinPosition = None) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        await own.freshness.reach(guest.account, min_position)
        now = await own.now(guest.account)
        response = shown(now)
        response.headers["etag"] = f'"{now.version}"'
        return guest.with_headers(response)

    @router.put(path, summary="Replace your limits and alerts; If-Match names the version seen")
    async def replace(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        body: bodies.ControlsBody = _controls(await read_body(request.receive, BODY_BYTES_MAX))
        version = version_of(request.headers.get("if-match"))
        return guest.with_headers(await own.replace(request, guest, version, body))

    return router


def version_of(etag: str | None) -> str:
    """The version that an ETag names; raises 428 without one, 422 for what is none."""
    if etag is None:
        raise failure(
            428, "if_match_missing", "Send If-Match with the ETag that the settings were read with."
        )
    text = etag.strip().removeprefix('"').removesuffix('"')
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise failure(422, "if_match_invalid", "If-Match must be an ETag that we gave.")
    return text


def _differ(current: CreditSettings, asked: bodies.ControlsBody) -> ProblemError:
    told = problem(412, "settings_changed", "They were changed meanwhile. Look at both, then save.")
    found = SettingsDiffer(**asdict(told), current=current, asked=asked)
    return ProblemError(found, ((b"etag", f'"{current.version}"'.encode()),))
