"""/account/runs/{id}: one run, why it cost what it did: estimate, held, charged, released."""

from datetime import datetime
from urllib.parse import urlencode

import msgspec
from contracts.catalogue import Catalogue
from contracts.commands import Limits, Usage
from contracts.runs import RunOutcome
from contracts.units import Ms
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from contracts import pricing
from gateway.pages import words
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.readmodels import ReadModels
from gateway.reservations import Reservations, Row
from gateway.runstates import RunState, RunStates
from gateway.statement import Entry, entries_of

RESULT_SHOWN = 20_000  # characters; all of it is in the API's answer
LOOK_AGAIN_S = 2
BEGINNING_MS = 60_000  # until the read models must know of a run
DIGITS_MAX = 15  # of an instant in milliseconds
_WHY_EXPIRED = "Nobody finished it while its credits were held. They are back; run it again."


class Priced(Struct, rename="camel"):
    """What the events of a run say about its price."""

    usage: Usage | None = None
    limits: Limits | None = None
    price_version: str = ""


class Step(Struct, frozen=True):
    """One thing that happened, with the balance after it."""

    at: datetime
    what: str
    amount: int
    moved: int
    verb: str
    available: int
    held: int


class Part(Struct, frozen=True):
    """A part of a price, in thousandths of a credit."""

    what: str
    millicredits: int


class ReceiptView(Struct, frozen=True, kw_only=True):
    """The whole page. `row` None: not projected yet; `look_s` 0: it is over."""

    shell: Shell
    run: str
    tool: str | None
    status: str
    word: str
    why: str
    row: Row | None
    steps: list[Step]
    parts: list[Part]
    priced: Priced
    result: str
    result_gone: bool
    look_s: int
    again: str


class Receipts(Struct, frozen=True):
    """Reads a run."""

    doorway: Doorway
    states: RunStates
    reservations: Reservations
    models: ReadModels
    catalogue: Catalogue

    async def page(self, visit: Visit) -> Response:
        """GET /account/runs/{id}; 404 for anybody else's."""
        run = str(visit.request.path_params["id"])
        row = await self.reservations.one(visit.account, run)
        state = None
        if row is None or row.tool is not None:
            state = await self._state(visit, run)
        template = "parts/receipt-again.html" if visit.partial else "receipt.html"
        view = await self._view(visit, run, row, state)
        return self.doorway.renderer.page(template, view)

    async def _state(self, visit: Visit, run: str) -> RunState | None:
        """What is known of a run; nothing yet of one that began a moment ago."""
        try:
            return await self.states.of(visit.account, run, visit.request_id)
        except ProblemError as why:
            began = _digits(visit.query("began"))
            if why.problem.status != 404 or not 0 <= visit.guest.now - began < BEGINNING_MS:
                raise
            return None

    async def _view(
        self, visit: Visit, run: str, row: Row | None, state: RunState | None
    ) -> ReceiptView:
        entries = await entries_of(self.models, visit.account, run)
        priced = _priced(entries)
        status = _status(row, state)
        tool = row.tool if row is not None else None if state is None else state.tool_id
        return ReceiptView(
            shell=visit.shell(words.tool(tool), "history"),
            run=run,
            tool=tool,
            status=status,
            word=words.RUNS.get(status, status),
            why=_why(status, state),
            row=row,
            steps=[_step(entry) for entry in entries],
            parts=[] if row is None else parts(priced, row.charged, self.catalogue),
            priced=priced,
            result=_readable(state),
            result_gone=status == "completed" and (state is None or state.result is None),
            look_s=LOOK_AGAIN_S if status == "running" else 0,
            again=urlencode({"began": _digits(visit.query("began"))}),
        )


def routes(page: Receipts) -> APIRouter:
    """GET /account/runs/{id}."""
    router = APIRouter()
    page.doorway.page(router, "GET", "/account/runs/{id}", page.page)
    return router


def parts(priced: Priced, charged: int, catalogue: Catalogue) -> list[Part]:
    """What a charge is made of, adding up to it; nothing when another catalogue priced it."""
    if priced.usage is None or not charged or priced.price_version != catalogue.version:
        return []
    found = [
        Part(words.ITEMS[item.item], item.millicredits)
        for item in pricing.parts(priced.usage, catalogue)
    ]
    rest = charged * 1000 - sum(part.millicredits for part in found)
    if rest:
        name = "cap" if rest < 0 else "rounding" if rest < 1000 else "minimum"
        found.append(Part(words.ITEMS[name], rest))
    return found


def _status(row: Row | None, state: RunState | None) -> str:
    refused = state is not None and state.status == RunOutcome.REFUSED.value
    if not refused and (row is None or row.status == "open"):
        return "running"  # also while its end is told and not projected: a receipt is whole
    if state is not None:
        return state.status
    known = {"open": "running", "charged": "completed", "released": "failed"}
    return "running" if row is None else known.get(row.status, row.status)


def _digits(said: str) -> Ms:
    known = said.isascii() and said.isdigit() and len(said) <= DIGITS_MAX
    return int(said) if known else 0


def _why(status: str, state: RunState | None) -> str:
    if state is not None and state.error is not None:
        return state.error.message
    return _WHY_EXPIRED if status == "expired" else ""


def _step(entry: Entry) -> Step:
    return Step(
        entry.at,
        words.entry(entry.type),
        entry.amount,
        entry.moved,
        words.VERBS.get(entry.type, ""),
        entry.available,
        entry.held,
    )


def _priced(entries: list[Entry]) -> Priced:
    """What the newest event that names a price says; limits from the hold."""
    found = Priced()
    for entry in entries:
        one = msgspec.json.decode(bytes(entry.detail), type=Priced)
        found.limits = found.limits or one.limits
        found.usage = one.usage or found.usage
        found.price_version = one.price_version or found.price_version
    return found


def _readable(state: RunState | None) -> str:
    if state is None or state.result is None:
        return ""
    try:
        shown = msgspec.json.format(bytes(state.result), indent=2).decode()
    except (msgspec.DecodeError, ValueError):
        shown = bytes(state.result).decode(errors="replace")
    return shown if len(shown) <= RESULT_SHOWN else f"{shown[:RESULT_SHOWN]}\n…"
