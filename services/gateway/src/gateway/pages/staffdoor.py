"""Who of staff looks at a page, why, and what they may do; for everybody else there is no page.

Support and read-only see and change nothing; read-only sees no addresses either. An account's pages
open for an hour to who said why, and every look at them is written down.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.bodies import name_or_404
from gateway.door import must_be_from_here
from gateway.guest import Guest
from gateway.looks import ANY_ACCOUNT, Look, Looks
from gateway.pages.shell import STAFF_PLACES, Shell
from gateway.pages.visit import PAGES, Doorway, form_of
from gateway.people import Role
from gateway.principals import not_found
from gateway.problems import failure
from gateway.web import request_id_of

HOME = "/admin"


class StaffVisit(Struct, frozen=True):
    """One look at a page by somebody of staff. `account`: whose page it is, if anybody's."""

    request: Request
    guest: Guest
    role: Role
    who: str
    form: dict[str, str]

    @property
    def me(self) -> str:
        """The id of who looks."""
        return self.guest.principal.actor.id

    @property
    def acts(self) -> bool:
        """Whether they may change anything."""
        return self.role is Role.ADMIN

    @property
    def sees_people(self) -> bool:
        """Whether they may see addresses."""
        return self.role in {Role.ADMIN, Role.SUPPORT}

    @property
    def request_id(self) -> str:
        """How this request is found."""
        return request_id_of(self.request)

    @property
    def account(self) -> str:
        """The account in the address; 404 for what can be none."""
        return name_or_404(str(self.request.path_params["account"]))

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the address."""
        return self.request.query_params.get(name, default)[:200]

    def shell(self, title: str, here: str) -> Shell:
        """The frame of this page."""
        return Shell(
            title=title,
            here=here,
            who=self.who,
            request_id=self.request_id,
            places=STAFF_PLACES,
            home=HOME,
        )

    def of_account(self, account: str) -> Guest:
        """The same caller, for an account."""
        return Guest(self.guest.principal, account, self.guest.now)


Handler: TypeAlias = Callable[[StaffVisit], Awaitable[Response]]
AccountHandler: TypeAlias = Callable[[StaffVisit, str], Awaitable[Response]]


class StaffDoor(Struct, frozen=True):
    """Lets staff in; a page of an account only to who said why."""

    doorway: Doorway
    looks: Looks

    def page(
        self, router: APIRouter, method: str, path: str, handler: Handler, *, acts: bool = False
    ) -> None:
        """Serve a page of staff; with `acts` of admins alone."""

        async def seen(request: Request) -> Response:
            return await handler(await self._enter(request, acts=acts))

        self.doorway.serve(router, method, path, seen)

    def account_page(
        self,
        router: APIRouter,
        method: str,
        path: str,
        handler: AccountHandler,
        *,
        acts: bool = False,
    ) -> None:
        """The same of the account in the address, opened with a reason and on record."""

        async def seen(request: Request) -> Response:
            visit = await self._enter(request, acts=acts)
            account = visit.account
            if await self.look(visit, account) is None:
                return self.ask_why(visit, account)
            return await handler(visit, account)

        self.doorway.serve(router, method, path, seen)

    async def look(self, visit: StaffVisit, account: str) -> Look | None:
        """Write a look down; None: nobody said why lately, so nothing may be shown."""
        what = f"{visit.request.method} {visit.request.url.path}"[:200]
        return await self.looks.look(visit.me, account, what, visit.guest.now)

    @staticmethod
    def ask_why(visit: StaffVisit, account: str) -> Response:
        """To the page that asks why; a form that was sent is not sent on."""
        url, method = visit.request.url, visit.request.method
        asked = f"{url.path}?{url.query}" if url.query else url.path
        back = asked if method == "GET" else account_url(account)
        to = urlencode({"account": account, "to": back})
        return RedirectResponse(f"/admin/why?{to}", status_code=303)

    async def _enter(self, request: Request, *, acts: bool) -> StaffVisit:
        must_be_from_here(request.method, dict(request.scope["headers"]))
        guest = await self.doorway.reception.staff(request)
        role = guest.principal.staff
        assert role is not None, "the reception lets nobody else in"
        guest.limited(self.doorway.rates, PAGES)
        who = await self.doorway.people.name(guest.principal.actor.id)
        form = await form_of(request) if request.method == "POST" else {}
        visit = StaffVisit(request, guest, role, who, form)
        request.state.shell = visit.shell
        if acts and not visit.acts:
            raise failure(403, "staff_reads", "Your role sees this and changes nothing.")
        return visit


def account_url(account: str) -> str:
    """Where an account's page is; of any account, where events are searched."""
    if account == ANY_ACCOUNT:
        return "/admin/events"
    return f"/admin/accounts/{quote(account, safe='')}"


def subject(account: str) -> str:
    """An account, or any; 404 for what can be neither."""
    if account == ANY_ACCOUNT:
        return account
    if not account:
        raise not_found()
    return name_or_404(account)
