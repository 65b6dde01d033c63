"""/admin/accounts/{id}: all that support needs of an account on one page, each part by itself."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from gateway.auditsearch import AuditSearch, EventRow, Sought
from gateway.balances import Balances, BalanceShown
from gateway.freshness import Freshness
from gateway.moments import moment
from gateway.pages import words
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.staffdoor import StaffDoor, StaffVisit
from gateway.reservations import Reservations, Row

EVENTS = 25


class EventLine(Struct, frozen=True, kw_only=True):
    """An event in a list."""

    event: str
    at: datetime
    what: str
    kind: str
    account: str
    amount: int
    moved: int
    available: int
    held: int
    actor: str
    command: str
    charge: str
    grant: str


class LookLine(Struct, frozen=True):
    """Who looked at this account, and why."""

    who: str
    what: str
    why: str
    at: datetime


class AccountView(Struct, frozen=True, kw_only=True):
    """The whole page. `email` None: not known, or not for this role. `acts`: may change it."""

    shell: Shell
    account: str
    email: str | None
    role: str
    acts: bool
    balance: BalanceShown | Trouble
    holds: list[Row] | Trouble
    events: list[EventLine] | Trouble
    looks: list[LookLine]
    done: str = ""


class AccountSeen(Struct, frozen=True):
    """Reads an account for staff."""

    door: StaffDoor
    balances: Balances
    freshness: Freshness
    reservations: Reservations
    search: AuditSearch

    async def page(self, visit: StaffVisit, account: str) -> Response:
        """GET /admin/accounts/{account}?at=&done=; `at` is what was just done there."""
        people, at = self.door.doorway.people, visit.query("at")
        if at:
            await self.freshness.reach(account, at)
        person = await people.by_id(account)
        email = None if person is None or not visit.sees_people else person.email
        view = AccountView(
            shell=visit.shell(account, "find"),
            account=account,
            email=email,
            role="" if person is None else person.role,
            acts=visit.acts,
            balance=await region(self.balances.now(account, visit.guest.now), visit.request_id),
            holds=await region(self.reservations.open(account), visit.request_id),
            events=await region(self._events(account), visit.request_id),
            looks=[
                LookLine(await people.name(look.staff), look.what, look.why, moment(look.at))
                for look in await self.door.looks.of(account)
            ]
            if visit.acts
            else [],
            done=words.STAFF.get(visit.query("done"), ""),
        )
        return self.door.doorway.renderer.page("admin-account.html", view)

    async def _events(self, account: str) -> list[EventLine]:
        found = await self.search.page(Sought(account=account), "", EVENTS)
        return [event_line(row) for row in found.rows]


def event_line(row: EventRow) -> EventLine:
    """An event as a line."""
    return EventLine(
        event=f"{row.partition}:{row.offset}",
        at=moment(row.at_ms),
        what=words.entry(row.type),
        kind=row.type,
        account=row.account,
        amount=row.amount,
        moved=row.moved,
        available=row.available,
        held=row.held,
        actor=f"{row.actor_kind} {row.actor_id}",
        command=row.command_id,
        charge=row.charge or "",
        grant=row.grant_id or "",
    )


def routes(page: AccountSeen) -> APIRouter:
    """The account's page."""
    router = APIRouter()
    page.door.account_page(router, "GET", "/admin/accounts/{account}", page.page)
    return router
