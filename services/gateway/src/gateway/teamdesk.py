"""What may be done with a team, and by whom; the routes and the pages ask here."""

import time
from urllib.parse import urlencode

from contracts.units import Ms
from fastapi import Request
from msgspec import Struct

from gateway import memberusage, teambodies
from gateway.allocations import Allocations
from gateway.bodies import name_or_404
from gateway.guest import Guest
from gateway.invitations import Asked, Invitations
from gateway.mail import Mail
from gateway.people import Person, Role, address
from gateway.principals import not_found, of_member
from gateway.problems import failure
from gateway.rates import Rates
from gateway.readmodels import ReadModels
from gateway.signin import SignIn
from gateway.teamroles import TeamRole
from gateway.teams import Member, Seat, Teams
from gateway.teamshapes import (
    InvitationTold,
    MemberTold,
    TeamShown,
    invitation_told,
    member_told,
    used_told,
)
from gateway.usage import PERIODS, last_days

INVITATION = "/account/team/invitation"
_TEXT = """{team}, a team on Scrip, would like you as {role}.

To accept, sign in with this address and follow this link within a week:

{link}

If you do not know them, do nothing.
"""


class TeamDesk(Struct, frozen=True):
    """What the routes and pages of teams ask."""

    signing: SignIn
    teams: Teams
    invitations: Invitations
    allocations: Allocations
    models: ReadModels
    mail: Mail
    rates: Rates

    async def person(self, request: Request) -> Person:
        """Who signed in; raises 401, 403 for staff, who have no account and so no team."""
        _, person = await self.signing.who(request, now_ms())
        if person.role != Role.OWNER.value:
            raise failure(403, "not_permitted", "Staff are in no team.")
        return person

    async def seat(self, request: Request, team: str) -> tuple[Guest, Seat]:
        """Somebody who is in this team; raises 404 for everybody else."""
        person = await self.person(request)
        if (seat := await self.teams.seat(name_or_404(team), person.id)) is None:
            raise not_found()
        principal = of_member(person.id, seat.id, TeamRole(seat.role))
        return Guest(principal, seat.id, now_ms()), seat

    async def shown(self, guest: Guest, seat: Seat, period: str) -> TeamShown:
        """Everything about a team that this member may see."""
        controls, _ = await self.allocations.settings.held(seat.id)
        since = last_days(PERIODS[period], guest.now, controls.time_zone).start
        used = await memberusage.used(self.models, seat.id, since)
        allocated = await self.allocations.all(seat.id)
        members = [
            member_told(member, allocated.get(member.person), used.pop(member.person, None))
            for member in await self.teams.members(seat.id)
        ]
        members += [MemberTold(id=who, used=used_told(row), gone=True) for who, row in used.items()]
        leads = seat.role in {TeamRole.OWNER, TeamRole.ADMIN}
        invited = await self.invitations.open(seat.id, guest.now) if leads else []
        return TeamShown(
            id=seat.id,
            name=seat.name,
            role=seat.role,
            period=period,
            members=members,
            invitations=[invitation_told(one) for one in invited],
        )

    async def invite(
        self, guest: Guest, seat: Seat, body: teambodies.InvitationBody
    ) -> InvitationTold:
        """Send an invitation; raises 422, 429, 503 when no mail goes out (it is withdrawn then)."""
        must_lead(seat)
        if body.role is TeamRole.OWNER:
            raise failure(422, "role_invalid", "Invite somebody first, then make them an owner.")
        by, to = guest.principal.actor.id, address(body.email)
        asked = Asked(seat.id, to, body.role, body.allocation, by)
        made, token = await self.invitations.make(asked, guest.now)
        link = f"{self.signing.public_url}{INVITATION}?{urlencode({'token': token})}"
        text = _TEXT.format(team=seat.name, role=made.role, link=link)
        try:
            await self.mail.send(to, "You are invited to a team", text)
        except BaseException:
            await self.invitations.withdraw(seat.id, made.id, guest.now)
            raise
        return invitation_told(made)

    async def accept(self, request: Request, person: Person, token: str) -> Seat:
        """Be a member by an invitation; raises 410, 409. The allocation stands before the seat."""
        now, email = now_ms(), person.email or ""
        found = await self.invitations.look(token, email, now)
        if await self.teams.seat(found.team, person.id) is None:
            by = of_member(found.invited_by, found.team, TeamRole.ADMIN)
            guest = Guest(by, found.team, now)
            await self.allocations.give(request, guest, person.id, found.allowance)
        await self.invitations.accept(token, email, person.id, now)
        if (seat := await self.teams.seat(found.team, person.id)) is None:
            raise failure(409, "team_full", "This team, or your list of teams, is full.")
        return seat

    async def change(
        self, request: Request, guest: Guest, seat: Seat, who: str, body: teambodies.MemberBody
    ) -> Member:
        """Change what a member is; raises 403, 404, 409."""
        must_lead(seat)
        member = await self.teams.member(seat.id, who)
        if member.role != body.role:
            _must_own_for(seat, member.role, body.role)
        await self.allocations.give(request, guest, who, body.allocation)
        if member.role != body.role:
            await self.teams.give_role(seat.id, who, body.role)
        return await self.teams.member(seat.id, who)

    async def remove(self, request: Request, guest: Guest, seat: Seat, who: str) -> None:
        """Take a member out, or leave. Runs under way end by the rules of every run.

        May be repeated: a removal that was cut short is finished by asking again.
        """
        if who != guest.principal.actor.id:
            must_lead(seat)
            for member in await self.teams.members(seat.id):
                if member.person == who:
                    _must_own_for(seat, member.role, None)
        await self.teams.remove(seat.id, who)
        await self.allocations.give(request, guest, who, None)


def now_ms() -> Ms:
    """By this machine's clock."""
    return time.time_ns() // 1_000_000


def must_lead(seat: Seat) -> None:
    """Raise 403 unless somebody leads the team."""
    if seat.role not in {TeamRole.OWNER, TeamRole.ADMIN}:
        raise failure(403, "not_permitted", "This is for the team's owners and admins.")


def _must_own_for(seat: Seat, before: str, after: TeamRole | None) -> None:
    if seat.role != TeamRole.OWNER and TeamRole.OWNER in {before, after}:
        raise failure(403, "not_permitted", "Only an owner makes owners, or unmakes them.")
