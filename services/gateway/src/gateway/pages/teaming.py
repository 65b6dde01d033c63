"""/account/team: the teams that somebody is in; who is in one, what each may take and took.

A team is named by its address, so its pages are the same for whomever the visitor acts for.
"""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.balances import BalanceShown
from gateway.bodies import name_or_404
from gateway.guest import Guest
from gateway.pages.limitsform import Fault
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.teamform import WINDOWS, Invited, invited, named
from gateway.pages.visit import Doorway, Visit
from gateway.principals import not_found
from gateway.problems import ProblemError
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE
from gateway.teambodies import InvitationBody
from gateway.teamdesk import TeamDesk, must_lead
from gateway.teamroles import TeamRole
from gateway.teams import Seat
from gateway.teamshapes import TeamShown
from gateway.usage import PERIODS

PATH = "/account/team"
LEADS = frozenset({TeamRole.OWNER.value, TeamRole.ADMIN.value})
TOLD = {
    "made": "The team is made. Invite whom you want in it.",
    "sent": "The invitation is sent. It can be accepted for a week, with that address only.",
    "withdrawn": "The invitation is withdrawn. Its link opens nothing any more.",
    "changed": "The member is changed. It counts for everything that begins from now on.",
    "removed": "The member is out. Runs that are under way end by themselves; none begins.",
    "left": "You have left the team.",
}
_SAID = {409, 429, 503}  # said at the form, which stays as it was typed


class TeamsView(Struct, frozen=True, kw_only=True):
    """The visitor's teams, and the form for one more."""

    shell: Shell
    teams: list[Seat] | Trouble
    name: str = ""
    wrong: str = ""
    told: str = ""


class TeamView(Struct, frozen=True, kw_only=True):
    """One team. `pool`: what it has; `me`: who looks."""

    shell: Shell
    seat: Seat
    team: TeamShown | Trouble
    pool: BalanceShown | Trouble
    me: str
    period: str
    form: Invited = Invited()
    faults: tuple[Fault, ...] = ()
    refused: str = ""
    told: str = ""
    periods: tuple[str, ...] = tuple(PERIODS)
    windows: tuple[tuple[str, str], ...] = tuple(WINDOWS.items())
    roles: tuple[str, ...] = (TeamRole.MEMBER, TeamRole.VIEWER, TeamRole.ADMIN)

    @property
    def leads(self) -> bool:
        """Whether the visitor may invite, change and remove."""
        return self.seat.role in LEADS

    def fault(self, field: str) -> str:
        """What is wrong with a field."""
        return next((fault.says for fault in self.faults if fault.field == field), "")


class TeamPages(Struct, frozen=True):
    """Shows teams, makes them, invites into them."""

    doorway: Doorway
    desk: TeamDesk

    async def all(self, visit: Visit) -> Response:
        """GET /account/team."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        return await self._all(visit, told=TOLD.get(visit.query("told"), ""))

    async def make(self, visit: Visit) -> Response:
        """POST /account/team: the visitor is its owner."""
        person = await self.desk.person(visit.request)
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        name, wrong = named(visit.form)
        if wrong:
            return await self._all(visit, 422, name=name, wrong=wrong)
        try:
            made = await self.desk.teams.create(person.id, name, visit.guest.now)
        except ProblemError as why:
            if why.problem.status != 409:
                raise
            return await self._all(visit, 409, name=name, wrong=why.problem.detail)
        return RedirectResponse(f"{PATH}/{made.id}?told=made", status_code=303)

    async def one(self, visit: Visit) -> Response:
        """GET /account/team/{team}?period=."""
        guest, seat = await self.seat(visit, reads=True)
        return await self._one(visit, guest, seat, told=TOLD.get(visit.query("told"), ""))

    async def invite(self, visit: Visit) -> Response:
        """POST /account/team/{team}/invitations."""
        guest, seat = await self.seat(visit)
        must_lead(seat)
        form, faults = invited(visit.form)
        if faults:
            return await self._one(visit, guest, seat, 422, form=form, faults=faults)
        asked = InvitationBody(form.email, TeamRole(form.role), form.allocation)
        try:
            await self.desk.invite(guest, seat, asked)
        except ProblemError as why:
            if (found := why.problem).status not in _SAID:
                raise
            return await self._one(
                visit, guest, seat, found.status, form=form, refused=found.detail
            )
        return RedirectResponse(f"{PATH}/{seat.id}?told=sent", status_code=303)

    async def withdraw(self, visit: Visit) -> Response:
        """POST /account/team/{team}/invitations/{invitation}/withdraw."""
        guest, seat = await self.seat(visit)
        must_lead(seat)
        name = name_or_404(str(visit.request.path_params["invitation"]))
        if not await self.desk.invitations.withdraw(seat.id, name, guest.now):
            raise not_found()
        return RedirectResponse(f"{PATH}/{seat.id}?told=withdrawn", status_code=303)

    async def seat(self, visit: Visit, *, reads: bool = False) -> tuple[Guest, Seat]:
        """Somebody who is in the team of the address; raises 404 for everybody else."""
        found = await self.desk.seat(visit.request, _team(visit.request))
        visit.guest.limited(self.doorway.rates, SETTINGS_READ if reads else SETTINGS_WRITE)
        return found

    async def _all(
        self, visit: Visit, status: int = 200, *, name: str = "", wrong: str = "", told: str = ""
    ) -> Response:
        found = await region(self.desk.teams.mine(visit.person), visit.request_id)
        shell = visit.shell("Teams", "team")
        view = TeamsView(shell=shell, teams=found, name=name, wrong=wrong, told=told)
        return self.doorway.renderer.page("teams.html", view, status)

    async def _one(
        self,
        visit: Visit,
        guest: Guest,
        seat: Seat,
        status: int = 200,
        *,
        form: Invited | None = None,
        faults: tuple[Fault, ...] = (),
        refused: str = "",
        told: str = "",
    ) -> Response:
        period, asked = visit.query("period"), visit.request_id
        period = period if period in PERIODS else "30d"
        view = TeamView(
            shell=visit.shell(seat.name, "team"),
            seat=seat,
            team=await region(self.desk.shown(guest, seat, period), asked),
            pool=await region(self.doorway.balances.now(seat.id, guest.now), asked),
            me=visit.person,
            period=period,
            form=form or Invited(),
            faults=faults,
            refused=refused,
            told=told,
        )
        return self.doorway.renderer.page("team.html", view, status)


def routes(page: TeamPages) -> APIRouter:
    """The pages of teams; the desk knows who may do what in each."""
    router, door, one = APIRouter(), page.doorway, f"{PATH}/{{team}}"
    door.page(router, "GET", PATH, page.all)
    door.page(router, "POST", PATH, page.make, about_me=True)
    door.page(router, "GET", one, page.one)
    door.page(router, "POST", f"{one}/invitations", page.invite, about_me=True)
    door.page(
        router, "POST", f"{one}/invitations/{{invitation}}/withdraw", page.withdraw, about_me=True
    )
    return router


def _team(request: Request) -> str:
    return str(request.path_params["team"])
