"""/account/history: every entry with the balance after it, newest first, by cursor, as CSV too."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from contracts.units import FOREVER, Ms
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Meta, Struct

from gateway.moments import milliseconds
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


class Wanted(Struct, frozen=True):
    """What is shown: entries of a type, of a tool, of a day in the account's calendar."""

    kind: str = ""
    tool: str = ""
    day: str = ""

    @property
    def query(self) -> str:
        """The same in an address."""
        named = {"type": self.kind, "tool": self.tool, "day": self.day}
        return urlencode({name: value for name, value in named.items() if value})


class HistoryView(Struct, frozen=True, kw_only=True):
    """A page of it. `newer`: this is not the first page."""

    shell: Shell
    lines: list[Line] | Trouble
    wanted: Wanted
    filters: tuple[tuple[str, str], ...]
    next_query: str = ""
    newer: bool = False


class History(Struct, frozen=True):
    """Reads the entries."""

    doorway: Doorway
    reads: Reads

    async def page(self, visit: Visit) -> Response:
        """GET /account/history?type=&tool=&day=&cursor=."""
        wanted, cursor = _wanted(visit), visit.query("cursor")
        read = self.reads.statement(visit.guest, _asked(wanted, visit.zone, cursor, LINES))
        found = await region(read, visit.request_id)
        if isinstance(found, Trouble):
            view = HistoryView(
                shell=visit.shell("History", "history"),
                lines=found,
                wanted=wanted,
                filters=words.FILTERS,
            )
            return self.doorway.renderer.page("history.html", view, 503)
        view = HistoryView(
            shell=visit.shell("History", "history"),
            lines=[line(entry) for entry in found.items],
            wanted=wanted,
            filters=words.FILTERS,
            next_query=_next(wanted, found),
            newer=bool(cursor),
        )
        return self.doorway.renderer.page("history.html", view)

    async def download(self, visit: Visit) -> Response:
        """GET /account/history.csv: all of it, newest first, however long it is.

        Cut off by a fault it ends as a broken download, never as a shorter history.
        """
        wanted = _wanted(visit)
        first = await self._more(visit, wanted, "")
        return streamed_sheet("credit-history.csv", self._rows(visit, wanted, first))

    async def _rows(
        self, visit: Visit, wanted: Wanted, page: Statement
    ) -> AsyncIterator[Sequence[str | int]]:
        yield _HEAD
        while True:
            for entry in page.items:
                yield _row(entry)
            if page.next_cursor is None:
                return
            page = await self._more(visit, wanted, page.next_cursor)

    async def _more(self, visit: Visit, wanted: Wanted, cursor: str) -> Statement:
        asked = _asked(wanted, visit.zone, cursor, PAGE_MAX)
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
            return words.reason(detail.reason)
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


def _wanted(visit: Visit) -> Wanted:
    kind, day = visit.query("type"), visit.query("day")
    if kind and kind not in {name for name, _ in words.FILTERS}:
        raise failure(422, "invalid_request", "There is no such filter.")
    return Wanted(kind, visit.query("tool"), day)


def _asked(wanted: Wanted, zone: str, cursor: str, most: int) -> Asked:
    start, end = _instants(wanted.day, zone) if wanted.day else (0, FOREVER)
    kind, tool = wanted.kind or None, wanted.tool or None
    return Asked(kind, start, end, cursor or None, most, QUIET, tool)


def _instants(day: str, zone: str) -> tuple[Ms, Ms]:
    try:
        first = date.fromisoformat(day)
        after = first + timedelta(days=1)
    except (ValueError, OverflowError):
        raise failure(422, "invalid_request", "A day looks like 2026-01-31.") from None
    clock = ZoneInfo(zone)
    return (
        milliseconds(datetime(first.year, first.month, first.day, tzinfo=clock)),
        milliseconds(datetime(after.year, after.month, after.day, tzinfo=clock)),
    )


def _next(wanted: Wanted, found: Statement) -> str:
    if found.next_cursor is None:
        return ""
    both = (wanted.query, urlencode({"cursor": found.next_cursor}))
    return "&".join(filter(None, both))
