"""/account/history: every entry with the balance after it, newest first, by cursor, as CSV too."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from contracts.units import FOREVER
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Meta, Struct

from gateway.pages import words
from gateway.pages.regions import Trouble, region
from gateway.pages.sheets import streamed_sheet
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import failure
from gateway.reads import Reads
from gateway.statement import PAGE_MAX, Asked, Entry, Statement

LINES = 25
QUIET = ("AnswerRepeated", "EstimateGiven")
Text = Annotated[str, Meta(max_length=200)]


class Detail(Struct, rename="camel"):
    """The few things of an entry's detail that a line of the history names."""

    reason: Text = ""
    kind: str = ""
    tool: str = ""
    source: str = ""
    released: int = 0


class Line(Struct, frozen=True, kw_only=True):
    """An entry. `amount` what the account owns more or less, `moved` what it is about."""

    id: str
    at: datetime
    what: str
    about: str
    tool: str | None
    run: str | None
    amount: int
    moved: int
    verb: str
    available: int
    held: int
    spent: int


class HistoryView(Struct, frozen=True, kw_only=True):
    """A page of it. `newer`: this is not the first page."""

    shell: Shell
    lines: list[Line] | Trouble
    kind: str
    filters: tuple[tuple[str, str], ...]
    next_cursor: str = ""
    newer: bool = False


class History(Struct, frozen=True):
    """Reads the entries."""

    doorway: Doorway
    reads: Reads

    async def page(self, visit: Visit) -> Response:
        """GET /account/history."""
        kind, cursor = _known_kind(visit.query("type")), visit.query("cursor")
        asked = Asked(kind or None, 0, FOREVER, cursor or None, LINES, QUIET)
        found = await region(self.reads.statement(visit.guest, asked), visit.request_id)
        lost = isinstance(found, Trouble)
        view = HistoryView(
            shell=visit.shell("History", "history"),
            lines=found if isinstance(found, Trouble) else [line(entry) for entry in found.items],
            kind=kind,
            filters=words.FILTERS,
            next_cursor="" if isinstance(found, Trouble) else found.next_cursor or "",
            newer=bool(cursor),
        )
        return self.doorway.renderer.page("history.html", view, 503 if lost else 200)

    async def download(self, visit: Visit) -> Response:
        """GET /account/history.csv: all of it, newest first, however long it is.

        Cut off by a fault it ends as a broken download, never as a shorter history.
        """
        kind = _known_kind(visit.query("type"))
        first = await self._asked(visit, kind, None)
        return streamed_sheet("credit-history.csv", self._rows(visit, kind, first))

    async def _rows(
        self, visit: Visit, kind: str, page: Statement
    ) -> AsyncIterator[Sequence[str | int]]:
        yield _HEAD
        while True:
            for entry in page.items:
                yield _row(entry)
            if page.next_cursor is None:
                return
            page = await self._asked(visit, kind, page.next_cursor)

    async def _asked(self, visit: Visit, kind: str, cursor: str | None) -> Statement:
        asked = Asked(kind or None, 0, FOREVER, cursor, PAGE_MAX, QUIET)
        return await self.reads.statement(visit.guest, asked)


def routes(page: History) -> APIRouter:
    """GET /account/history and its CSV."""
    router = APIRouter()
    page.doorway.page(router, "GET", "/account/history", page.page)
    page.doorway.page(router, "GET", "/account/history.csv", page.download)
    return router


def line(entry: Entry) -> Line:
    """An entry in the words of the pages."""
    detail = _detail(bytes(entry.detail))
    return Line(
        id=entry.id,
        at=entry.at,
        what=words.entry(entry.type),
        about=_about(entry, detail),
        tool=entry.tool_id or detail.tool or None,
        run=entry.reservation_id,
        amount=entry.amount,
        moved=entry.moved,
        verb=words.VERBS.get(entry.type, ""),
        available=entry.available,
        held=entry.held,
        spent=entry.spent,
    )


def _about(entry: Entry, detail: Detail) -> str:
    match entry.type:
        case "CommandRefused":
            return words.REASONS.get(detail.reason, detail.reason.replace("_", " "))
        case "CreditsGranted":
            return words.KINDS.get(detail.kind, detail.kind)
        case "CreditsCharged" if detail.released:
            return f"{words.credits_of(detail.released)} went back"
        case _:
            return ""


def _detail(raw: bytes) -> Detail:
    try:
        return msgspec.json.decode(raw, type=Detail)
    except msgspec.ValidationError:
        return Detail()  # an entry whose detail means something else by these names


_HEAD = (
    "at", "type", "tool", "run", "amount", "moved", "available_after", "held_after", "spent_after",
    "entry", "command",
)  # fmt: skip


def _row(entry: Entry) -> tuple[str | int, ...]:
    return (
        f"{entry.at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        entry.type,
        entry.tool_id or "",
        entry.reservation_id or "",
        entry.amount,
        entry.moved,
        entry.available,
        entry.held,
        entry.spent,
        int(entry.id),
        entry.command_id,
    )


def _known_kind(kind: str) -> str:
    if kind and kind not in {name for name, _ in words.FILTERS}:
        raise failure(422, "invalid_request", "There is no such filter.")
    return kind
