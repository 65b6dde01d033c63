"""/api/teams: make a team, invite, accept, change a member, remove, leave, see who used what.

These are for people who signed in; whoever is not in a team hears that there is none. Everything
that an account has (runs, balance, usage, settings, keys) a team has too, by the same routes, for
members who say `Scrip-Account: <team>`.
"""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import teambodies
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder, name_or_404
from gateway.principals import not_found
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE
from gateway.reads import MinPosition
from gateway.teamdesk import TeamDesk, must_lead, now_ms
from gateway.teamshapes import TeamsTold, TeamTold, member_told
from gateway.web import shown

_team = decoder(teambodies.TeamBody)
_invitation = decoder(teambodies.InvitationBody)
_acceptance = decoder(teambodies.AcceptanceBody)
_member = decoder(teambodies.MemberBody)


def routes(desk: TeamDesk) -> APIRouter:
    """Teams and invitations."""
    router = APIRouter(tags=["teams"])
    _of_people(router, desk)
    _of_members(router, desk)
    return router


def _of_people(router: APIRouter, desk: TeamDesk) -> None:

    @router.get("/api/teams", summary="The teams that you are in")
    async def mine(request: Request) -> Response:
        person = await desk.person(request)
        seats = await desk.teams.mine(person.id)
        return shown(TeamsTold([TeamTold(seat.id, seat.name, seat.role) for seat in seats]))

    @router.post("/api/teams", summary="Make a team; you are its owner")
    async def create(request: Request) -> Response:
        person = await desk.person(request)
        body: teambodies.TeamBody = _team(await read_body(request.receive, BODY_BYTES_MAX))
        made = await desk.teams.create(person.id, body.name, now_ms())
        return shown(TeamTold(made.id, made.name, made.role), status=201)

    @router.post("/api/team-invitations/accept", summary="Accept an invitation")
    async def accept(request: Request) -> Response:
        person = await desk.person(request)
        body: teambodies.AcceptanceBody = _acceptance(
            await read_body(request.receive, BODY_BYTES_MAX)
        )
        seat = await desk.accept(request, person, body.token)
        return shown(TeamTold(seat.id, seat.name, seat.role))


def _of_members(router: APIRouter, desk: TeamDesk) -> None:
    rates = desk.rates

    @router.get("/api/teams/{team}", summary="Who is in a team, and what they used")
    async def one(
        request: Request,
        team: str,
        period: Literal["7d", "30d", "90d"] = "30d",
        min_position: MinPosition = None,
    ) -> Response:
        guest, seat = await desk.seat(request, team)
        guest.limited(rates, SETTINGS_READ)
        await desk.allocations.settings.freshness.reach(seat.id, min_position)
        return guest.with_headers(shown(await desk.shown(guest, seat, period)))

    @router.post("/api/teams/{team}/invitations", summary="Invite somebody by e-mail")
    async def invite(request: Request, team: str) -> Response:
        guest, seat = await desk.seat(request, team)
        guest.limited(rates, SETTINGS_WRITE)
        body: teambodies.InvitationBody = _invitation(
            await read_body(request.receive, BODY_BYTES_MAX)
        )
        return guest.with_headers(shown(await desk.invite(guest, seat, body), status=201))

    @router.delete("/api/teams/{team}/invitations/{invitation}", summary="Withdraw an invitation")
    async def withdraw(request: Request, team: str, invitation: str) -> Response:
        guest, seat = await desk.seat(request, team)
        guest.limited(rates, SETTINGS_WRITE)
        must_lead(seat)
        if not await desk.invitations.withdraw(seat.id, name_or_404(invitation), guest.now):
            raise not_found()
        return guest.with_headers(Response(status_code=204))

    @router.put("/api/teams/{team}/members/{member}", summary="A member's role and allocation")
    async def change(request: Request, team: str, member: str) -> Response:
        guest, seat = await desk.seat(request, team)
        guest.limited(rates, SETTINGS_WRITE)
        body: teambodies.MemberBody = _member(await read_body(request.receive, BODY_BYTES_MAX))
        changed = await desk.change(request, guest, seat, name_or_404(member), body)
        allocated = (await desk.allocations.all(seat.id)).get(changed.person)
        return guest.with_headers(shown(member_told(changed, allocated, None)))

    @router.delete("/api/teams/{team}/members/{member}", summary="Remove a member, or leave")
    async def remove(request: Request, team: str, member: str) -> Response:
        guest, seat = await desk.seat(request, team)
        guest.limited(rates, SETTINGS_WRITE)
        await desk.remove(request, guest, seat, name_or_404(member))
        return guest.with_headers(Response(status_code=204))
