"""/account/team/{team}/members/{member}: what one member is and may take; and the way out.

What ends with the way out is said beside the press.
"""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.bodies import name_or_404
from gateway.pages.limitsform import Fault
from gateway.pages.shell import Shell
from gateway.pages.teamform import WINDOWS, Invited, member
from gateway.pages.teaming import LEADS, PATH, TeamPages
from gateway.pages.visit import Visit
from gateway.problems import ProblemError
from gateway.teambodies import MemberBody
from gateway.teamdesk import must_lead
from gateway.teamroles import TeamRole
from gateway.teams import Member, Seat


class MemberView(Struct, frozen=True, kw_only=True):
    """One member. `mine`: it is the visitor."""

    shell: Shell
    seat: Seat
    member: Member
    mine: bool
    form: Invited
    faults: tuple[Fault, ...] = ()
    refused: str = ""
    windows: tuple[tuple[str, str], ...] = tuple(WINDOWS.items())

    @property
    def leads(self) -> bool:
        """Whether the visitor may change members."""
        return self.seat.role in LEADS

    @property
    def roles(self) -> tuple[str, ...]:
        """What the visitor may make of them: only an owner makes and unmakes owners."""
        if self.seat.role == TeamRole.OWNER:
            return tuple(TeamRole)
        if self.member.role == TeamRole.OWNER:
            return (TeamRole.OWNER,)
        return tuple(role for role in TeamRole if role is not TeamRole.OWNER)

    def fault(self, field: str) -> str:
        """What is wrong with a field."""
        return next((fault.says for fault in self.faults if fault.field == field), "")


class MemberPage(Struct, frozen=True):
    """Shows a member, changes them, takes them out."""

    team: TeamPages

    async def page(self, visit: Visit) -> Response:
        """GET: for whoever leads the team, and for the member."""
        _, seat = await self.team.seat(visit, reads=True)
        return await self._page(visit, seat)

    async def change(self, visit: Visit) -> Response:
        """POST: role and allocation, as a whole."""
        guest, seat = await self.team.seat(visit)
        must_lead(seat)
        form, faults = member(visit.form)
        if faults:
            return await self._page(visit, seat, 422, form=form, faults=faults)
        body = MemberBody(TeamRole(form.role), form.allocation)
        try:
            await self.team.desk.change(visit.request, guest, seat, _named(visit), body)
        except ProblemError as why:
            return await self._no(visit, seat, why, form)
        return RedirectResponse(f"{PATH}/{seat.id}?told=changed", status_code=303)

    async def remove(self, visit: Visit) -> Response:
        """POST …/remove: out, or left."""
        guest, seat = await self.team.seat(visit)
        who = _named(visit)
        try:
            await self.team.desk.remove(visit.request, guest, seat, who)
        except ProblemError as why:
            return await self._no(visit, seat, why, None)
        to = f"{PATH}?told=left" if who == visit.person else f"{PATH}/{seat.id}?told=removed"
        return RedirectResponse(to, status_code=303)

    async def _no(
        self, visit: Visit, seat: Seat, why: ProblemError, form: Invited | None
    ) -> Response:
        if why.problem.status != 409:
            raise why
        return await self._page(visit, seat, 409, form=form, refused=why.problem.detail)

    async def _page(
        self,
        visit: Visit,
        seat: Seat,
        status: int = 200,
        *,
        form: Invited | None = None,
        faults: tuple[Fault, ...] = (),
        refused: str = "",
    ) -> Response:
        desk, who = self.team.desk, _named(visit)
        if who != visit.person:
            must_lead(seat)
        found = await desk.teams.member(seat.id, who)
        if form is None:
            cap = (await desk.allocations.all(seat.id)).get(who)
            form = Invited(role=found.role)
            if cap is not None:
                form = Invited("", found.role, str(cap.limit), cap.window.value)
        view = MemberView(
            shell=visit.shell("A member", "team"),
            seat=seat,
            member=found,
            mine=who == visit.person,
            form=form,
            faults=faults,
            refused=refused,
        )
        return self.team.doorway.renderer.page("member.html", view, status)


def routes(page: MemberPage) -> APIRouter:
    """The pages of a member."""
    router, door = APIRouter(), page.team.doorway
    path = f"{PATH}/{{team}}/members/{{member}}"
    door.page(router, "GET", path, page.page)
    door.page(router, "POST", path, page.change, about_me=True)
    door.page(router, "POST", f"{path}/remove", page.remove, about_me=True)
    return router


def _named(visit: Visit) -> str:
    return name_or_404(str(visit.request.path_params["member"]))
