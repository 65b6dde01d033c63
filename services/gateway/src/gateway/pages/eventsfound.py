"""/admin/events: every event by account, kind, time, actor and command; each in full; as JSONL."""

from datetime import UTC, date, datetime
from urllib.parse import urlencode

import msgspec
from contracts.units import DAY, FOREVER, Ms
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct

from gateway.auditsearch import EXPORT_PAGE, PAGE, AuditSearch, EventRow, Events, Sought
from gateway.bodies import name_or_404
from gateway.looks import ANY_ACCOUNT
from gateway.moments import milliseconds
from gateway.pages import words
from gateway.pages.accountseen import EventLine, event_line
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.staffdoor import StaffDoor, StaffVisit
from gateway.principals import not_found
from gateway.problems import ProblemError

DIGITS_MAX = 18
_WRONG = "Enter days as they are in a calendar, the first one first, and names as they are."


class Asked(Struct, frozen=True, kw_only=True):
    """The form, as it stands."""

    account: str = ""
    kind: str = ""
    actor: str = ""
    command: str = ""
    first: str = ""
    last: str = ""


class EventsView(Struct, frozen=True, kw_only=True):
    """A page of them. `query` is the search as an address, `next_query` its next page."""

    shell: Shell
    asked: Asked
    lines: list[EventLine] | Trouble
    query: str = ""
    next_query: str = ""
    newer: bool = False
    wrong: str = ""
    kinds: tuple[tuple[str, str], ...] = tuple(words.ENTRIES.items())


class EventView(Struct, frozen=True, kw_only=True):
    """One event in full; `detail` is JSON, laid out."""

    shell: Shell
    line: EventLine
    partition: int
    offset: int
    seq: int
    version: int
    answer: bool
    detail: str


class EventsFound(Struct, frozen=True):
    """Searches events."""

    door: StaffDoor
    search: AuditSearch

    async def page(self, visit: StaffVisit) -> Response:
        """GET /admin/events?account=&kind=&actor=&command=&from=&to=&cursor=."""
        asked, cursor = _asked(visit), visit.query("cursor")
        subject = asked.account or ANY_ACCOUNT
        if asked.account:
            name_or_404(asked.account)
        if await self.door.look(visit, subject) is None:
            return self.door.ask_why(visit, subject)
        try:
            sought = sought_of(asked, visit.guest.now)
            found = await region(self.search.page(sought, cursor, PAGE), visit.request_id)
        except ProblemError as why:
            if why.problem.status != 422:
                raise
            return self._shown(visit, asked, [], 422, wrong=why.problem.detail)
        except ValueError:
            return self._shown(visit, asked, [], 422, wrong=_WRONG)
        if isinstance(found, Trouble):
            return self._shown(visit, asked, found, 503)
        return self._shown(visit, asked, found, 200, newer=bool(cursor))

    async def one(self, visit: StaffVisit) -> Response:
        """GET /admin/events/{partition}:{offset}."""
        partition, colon, offset = str(visit.request.path_params["event"]).partition(":")
        if not (colon and _digits(partition) and _digits(offset)):
            raise not_found()
        row = await self.search.one(int(partition), int(offset))
        if row is None:
            raise not_found()
        if await self.door.look(visit, row.account) is None:
            return self.door.ask_why(visit, row.account)
        return self.door.doorway.renderer.page("admin-event.html", _view(visit, row))

    async def download(self, visit: StaffVisit) -> Response:
        """GET /admin/events.jsonl: the same search, all of it, a line an event."""
        asked = _asked(visit)
        subject = asked.account or ANY_ACCOUNT
        if await self.door.look(visit, subject) is None:
            return self.door.ask_why(visit, subject)
        sought = sought_of(asked, visit.guest.now)
        first = await self.search.page(sought, "", EXPORT_PAGE)
        return StreamingResponse(
            self.search.lines(sought, first),
            media_type="application/x-ndjson",
            headers={
                "content-disposition": 'attachment; filename="events.jsonl"',
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
            },
        )

    def _shown(
        self,
        visit: StaffVisit,
        asked: Asked,
        found: Events | list[EventLine] | Trouble,
        status: int,
        *,
        wrong: str = "",
        newer: bool = False,
    ) -> Response:
        named = _named(asked)
        cursor = found.cursor if isinstance(found, Events) else ""
        view = EventsView(
            shell=visit.shell("Events", "events"),
            asked=asked,
            lines=[event_line(row) for row in found.rows] if isinstance(found, Events) else found,
            query=urlencode(named),
            next_query=urlencode({**named, "cursor": cursor}) if cursor else "",
            newer=newer,
            wrong=wrong,
        )
        return self.door.doorway.renderer.page("admin-events.html", view, status)


def routes(page: EventsFound) -> APIRouter:
    """The search, its export, and one event."""
    router, door = APIRouter(), page.door
    door.page(router, "GET", "/admin/events", page.page)
    door.page(router, "GET", "/admin/events.jsonl", page.download)
    door.page(router, "GET", "/admin/events/{event}", page.one)
    return router


def sought_of(asked: Asked, now: Ms) -> Sought:
    """What a form looks for; of any account the last day if no day is named. Raises ValueError."""
    first = _midnight(asked.first) if asked.first else 0
    last = _midnight(asked.last) + DAY if asked.last else FOREVER
    if not asked.account:
        last = min(last, now + DAY)
        first = first or last - 2 * DAY
    return Sought(
        account=asked.account,
        kind=asked.kind,
        actor=asked.actor,
        command=asked.command,
        start=first,
        end=last,
    )


def _midnight(day: str) -> Ms:
    at = date.fromisoformat(day)
    if not date(2000, 1, 1) <= at <= date(2200, 1, 1):
        raise ValueError(day)
    return milliseconds(datetime(at.year, at.month, at.day, tzinfo=UTC))


def _asked(visit: StaffVisit) -> Asked:
    query = visit.request.query_params
    return Asked(
        account=query.get("account", "")[:64].strip(),
        kind=query.get("kind", "")[:40],
        actor=query.get("actor", "")[:64].strip(),
        command=query.get("command", "")[:64].strip(),
        first=query.get("from", "")[:10],
        last=query.get("to", "")[:10],
    )


def _named(asked: Asked) -> dict[str, str]:
    named = {
        "account": asked.account,
        "kind": asked.kind,
        "actor": asked.actor,
        "command": asked.command,
        "from": asked.first,
        "to": asked.last,
    }
    return {name: value for name, value in named.items() if value}


def _view(visit: StaffVisit, row: EventRow) -> EventView:
    return EventView(
        shell=visit.shell(words.entry(row.type), "events"),
        line=event_line(row),
        partition=row.partition,
        offset=row.offset,
        seq=row.seq,
        version=row.version,
        answer=row.answer,
        detail=msgspec.json.format(row.detail, indent=2),
    )


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
