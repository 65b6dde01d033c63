"""/account/team/invitation: the page behind an invitation's link; one press accepts it.

Opening it changes nothing, because mail scanners open links.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.sessions import TOKEN_LENGTH_MAX
from gateway.teamdesk import INVITATION, TeamDesk
from gateway.teams import Seat


class InvitationView(Struct, frozen=True, kw_only=True):
    """The press; what came of it; or why there is nothing to press."""

    shell: Shell
    token: str = ""
    team: Seat | None = None
    over: bool = False
    stranger: bool = False


class Invited(Struct, frozen=True):
    """Shows an invitation and accepts it."""

    doorway: Doorway
    desk: TeamDesk

    async def look(self, request: Request, visit: Visit | None) -> Response:
        """GET: nothing of the team is told before the press."""
        token = request.query_params.get("token", "")[:TOKEN_LENGTH_MAX]
        shell = Shell(title="Join a team") if visit is None else visit.shell("Join a team", "")
        view = InvitationView(shell=shell, token=token, stranger=visit is None)
        return self.doorway.renderer.page("invitation.html", view)

    async def press(self, visit: Visit) -> Response:
        """POST: be a member."""
        shell, request = visit.shell("Join a team", ""), visit.request
        person = await self.desk.person(request)
        token = visit.form.get("token", "")[:TOKEN_LENGTH_MAX]
        try:
            seat = await self.desk.accept(request, person, token)
        except ProblemError as why:
            if why.problem.code != "invitation_over":
                raise
            view = InvitationView(shell=shell, over=True)
            return self.doorway.renderer.page("invitation.html", view, 410)
        view = InvitationView(shell=shell, team=seat)
        return self.doorway.renderer.page("invitation.html", view)


def routes(page: Invited) -> APIRouter:
    """The page of an invitation."""
    router = APIRouter()
    page.doorway.open_page(router, "GET", INVITATION, page.look)
    page.doorway.page(router, "POST", INVITATION, page.press, about_me=True)
    return router
