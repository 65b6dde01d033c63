"""Who looks at a page, and what happens when that goes wrong: a page again, never a stack of JSON.

A visitor without a session is sent to sign in. A problem becomes a page (or, asked
for by a script, a fragment) with the same status, words for people, and the request's id.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode

import structlog
from contracts.units import SECOND, Ms
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.asgi import ClientGone, read_body
from gateway.balances import Balances, BalanceShown
from gateway.door import must_be_from_here
from gateway.faults import internal, of_no_answer
from gateway.guest import Guest, Reception
from gateway.keys import Scope
from gateway.moments import milliseconds
from gateway.notifications import Notifications
from gateway.pages.choices import ACTING
from gateway.pages.choices import choices as choices_of
from gateway.pages.regions import PLAIN
from gateway.pages.render import Renderer
from gateway.pages.shell import STALE_AFTER_S, Chip, Choice, Shell
from gateway.people import People
from gateway.problems import ProblemError, failure
from gateway.rates import Rates, Rule
from gateway.returning import HOME, came_from
from gateway.teams import Teams
from gateway.waiting import NoAnswer
from gateway.web import request_id_of

FORM_BYTES_MAX = 256 << 10  # a tool's input, percent-encoded
FIELDS_MAX = 60
PAGES = Rule("pages", 240)  # somebody who reloads all day, not a scraper
PARTIAL = "hx-request-type"  # said by htmx
_FORM = "application/x-www-form-urlencoded"

log = structlog.get_logger(__name__)


class Visit(Struct, frozen=True):
    """One look at a page by somebody who was let in."""

    request: Request
    guest: Guest
    who: str
    zone: str
    balance: BalanceShown | None
    form: dict[str, str]
    choices: tuple[Choice, ...] = ()
    unread: int = 0

    @property
    def account(self) -> str:
        """Whose page it is."""
        return self.guest.account

    @property
    def person(self) -> str:
        """Who looks, for whomever they act."""
        return self.guest.principal.actor.id

    @property
    def acting(self) -> str:
        """The name of the team that they act for, if they do."""
        if self.account == self.person:
            return ""
        return next((one.name for one in self.choices if one.account == self.account), "")

    @property
    def request_id(self) -> str:
        """How support finds this request."""
        return request_id_of(self.request)

    @property
    def partial(self) -> bool:
        """Whether a script asked, for a part of the page."""
        return is_partial(self.request)

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the address; no longer than any that we make."""
        return self.request.query_params.get(name, default)[:200]

    def shell(self, title: str, here: str) -> Shell:
        """The frame of this page."""
        return Shell(
            title=title,
            here=here,
            who=self.who,
            chip=None if self.balance is None else chip(self.balance, self.guest.now),
            zone=self.zone,
            request_id=self.request_id,
            account=self.account,
            acting=self.acting,
            choices=self.choices,
            unread=self.unread,
        )


Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]
OpenHandler: TypeAlias = Callable[[Request, Visit | None], Awaitable[Response]]


class Doorway(Struct, frozen=True):
    """Lets visitors in and shows them the way out of trouble."""

    reception: Reception
    people: People
    balances: Balances
    rates: Rates
    renderer: Renderer
    teams: Teams
    notices: Notifications

    def page(
        self,
        router: APIRouter,
        method: str,
        path: str,
        handler: Handler,
        scope: Scope = Scope.READ,
        *,
        about_me: bool = False,
    ) -> None:
        """Serve a page to people who are signed in and may do this.

        `about_me`: what its form does is the visitor's own, whomever the page was shown for.
        """

        async def seen(request: Request) -> Response:
            visit = await self._enter(request, scope)
            meant = visit.form.pop(ACTING, visit.account)
            if meant != visit.account and not about_me:
                raise failure(409, "acting_changed", "This page was shown for another account.")
            return await handler(visit)

        self.serve(router, method, path, seen)

    def open_page(self, router: APIRouter, method: str, path: str, handler: OpenHandler) -> None:
        """Serve a page to anybody; who is signed in is known to it."""

        async def seen(request: Request) -> Response:
            must_be_from_here(request.method, dict(request.scope["headers"]))
            try:
                visit = await self._enter(request, Scope.READ)
            except ProblemError as why:
                if why.problem.code not in {"unauthenticated", "account_missing"}:
                    raise
                visit = None
            if visit is not None:
                visit.form.pop(ACTING, None)
            return await handler(request, visit)

        self.serve(router, method, path, seen)

    def serve(
        self,
        router: APIRouter,
        method: str,
        path: str,
        seen: Callable[[Request], Awaitable[Response]],
    ) -> None:
        """Serve what is seen, or the page of what went wrong."""

        async def endpoint(request: Request) -> Response:
            try:
                return await seen(request)
            except ProblemError as why:
                return self.problem(request, why)
            except NoAnswer as why:
                return self.problem(request, of_no_answer(why))
            except ClientGone:
                return Response(status_code=400)  # nobody is there to read it
            except Exception:
                request_id = request_id_of(request)
                log.exception("page_failed", path=request.url.path, request_id=request_id)
                return self.problem(request, internal())

        router.add_api_route(path, endpoint, methods=[method], include_in_schema=False)

    async def _enter(self, request: Request, scope: Scope) -> Visit:
        guest = await self.reception.at_home(request, scope)
        guest.limited(self.rates, PAGES)
        form = await form_of(request) if request.method == "POST" else {}
        who = await self.people.name(guest.principal.member or guest.account)
        choices = await choices_of(self.teams, guest, who)
        try:
            balance = await self.balances.now(guest.account, guest.now)
            zone = (await self.balances.controls(guest.account)).time_zone
        except ProblemError:
            balance, zone = None, "UTC"
        unread = await self.notices.unread(guest.account)
        visit = Visit(request, guest, who, zone, balance, form, choices, unread)
        request.state.shell = visit.shell  # for the page of a problem that comes after this
        return visit

    def problem(self, request: Request, why: ProblemError) -> Response:
        """A problem as a page; who is not signed in is asked to."""
        found = why.problem
        partial = is_partial(request)
        if found.status == 401 and not partial:
            to = urlencode({"to": _wanted(request)}) if _wanted(request) != HOME else ""
            return RedirectResponse(f"/sign-in?{to}" if to else "/sign-in", status_code=303)
        if found.code == "account_missing" and request.method == "GET" and not partial:
            return RedirectResponse("/admin", status_code=303)  # staff have no account
        title = TITLES.get(found.status, "Something went wrong")
        shell = getattr(request.state, "shell", None)
        view = ProblemView(
            Shell(title=title) if shell is None else shell(title, ""),
            PLAIN.get(found.code, found.detail),
            found.status,
            request_id_of(request),
            request.url.path if request.method == "GET" else "/account/credits",
        )
        template = "parts/problem.html" if partial else "problem.html"
        response = self.renderer.page(template, view, found.status)
        if isinstance(found.retry_after_s, int):
            response.headers["retry-after"] = str(found.retry_after_s)
        return response


class ProblemView(Struct, frozen=True):
    """What went wrong."""

    shell: Shell
    says: str
    status: int
    request_id: str
    path: str


TITLES = {
    403: "You may not see this",
    404: "There is nothing here",
    409: "This was not done",
    413: "That is too much",
    429: "One moment",
    503: "Not available right now",
    504: "No answer yet",
}


def _wanted(request: Request) -> str:
    """Where a visitor who must sign in first goes on."""
    url, headers = request.url, request.headers
    host, referer = headers.get("host", ""), headers.get("referer", "")
    return came_from(request.method, url.path, url.query, referer, host)


def is_partial(request: Request) -> bool:
    """Whether a script asked, for a part of the page."""
    return request.headers.get(PARTIAL) == "partial"


async def sent(request: Request, visit: Visit | None) -> dict[str, str]:
    """A form's fields on an open page; of somebody who is signed in they are read already."""
    return await form_of(request) if visit is None else visit.form


async def form_of(request: Request) -> dict[str, str]:
    """A form's fields; several of one name arrive joined by commas."""
    if request.headers.get("content-length", "0") == "0":
        return {}  # a button alone
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise failure(415, "form_expected", "Send this form from the page it stands on.")
    raw = await read_body(request.receive, FORM_BYTES_MAX)
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise failure(422, "form_unreadable", "This form cannot be read; load it again.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def chip(balance: BalanceShown, now: Ms) -> Chip:
    """The balance as the head of a page shows it."""
    behind_ms = 0 if balance.complete else now - milliseconds(balance.as_of)
    return Chip(
        balance.available,
        balance.held,
        balance.spent,
        balance.as_of,
        behind_ms > STALE_AFTER_S * SECOND,
        balance.position,
        balance.account,
    )
