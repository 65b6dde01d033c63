"""Teams and who is in them. A team is an account; the ledger knows its members by opaque ids.

Membership is looked up at every request, so that whoever is removed is out at once, at every
gateway. A team never loses its last owner: the database holds that, whoever leaves meanwhile.
"""

from collections.abc import Collection
from secrets import token_hex

import psycopg
from contracts.units import Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.principals import not_found
from gateway.problems import ProblemError, failure
from gateway.teamroles import TeamRole

PREFIX = "team-"  # of every team's account
TEAMS_MAX = 20  # that one person may be in
MEMBERS_MAX = 50  # as many as an account has caps, so that each may have an allocation

_CREATE = """
WITH made AS (
  INSERT INTO identity.teams (id, name, made_at)
  SELECT %(team)s, %(name)s, %(now)s
   WHERE (SELECT count(*) FROM identity.members WHERE person = %(person)s) < %(most)s
  RETURNING id
)
INSERT INTO identity.members (team, person, role, joined_at)
SELECT id, %(person)s, 'owner', %(now)s FROM made"""
_MINE = """
SELECT t.id, t.name, m.role FROM identity.members AS m JOIN identity.teams AS t ON t.id = m.team
 WHERE m.person = %(person)s ORDER BY t.name, t.id"""
_SEAT = """
SELECT t.id, t.name, m.role FROM identity.members AS m JOIN identity.teams AS t ON t.id = m.team
 WHERE m.team = %(team)s AND m.person = %(person)s"""
_SEATED = """
SELECT person, team FROM identity.members
 WHERE person = ANY (%(people)s) AND team = ANY (%(teams)s)"""
_MEMBERS = """
SELECT m.person, p.email, m.role, m.joined_at
  FROM identity.members AS m JOIN identity.people AS p ON p.id = m.person
 WHERE m.team = %(team)s ORDER BY m.joined_at, m.person"""
_ROLE = """
UPDATE identity.members SET role = %(role)s WHERE team = %(team)s AND person = %(person)s"""
_REMOVE = "DELETE FROM identity.members WHERE team = %(team)s AND person = %(person)s"
_FORGET = "DELETE FROM identity.teams WHERE id = %(team)s"
_LAST = """
SELECT t.id, t.name, m.role FROM identity.members AS m JOIN identity.teams AS t ON t.id = m.team
 WHERE m.person = %(person)s AND m.role = 'owner' AND t.owners = 1"""


class Seat(Struct, frozen=True):
    """A team, and what somebody is in it."""

    id: str
    name: str
    role: str


class Member(Struct, frozen=True):
    """Somebody in a team."""

    person: str
    email: str | None
    role: str
    joined_at: Ms


class _Place(Struct):
    person: str
    team: str


class Teams:
    """Reads and writes of teams and their members."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def create(self, person: str, name: str, now: Ms) -> Seat:
        """A new team with its first owner; raises 409 for somebody who is in enough of them."""
        team = f"{PREFIX}{token_hex(10)}"
        values = {"team": team, "name": name, "person": person, "now": now, "most": TEAMS_MAX}
        if await self._identity.change(_CREATE, values) != 1:
            raise failure(409, "too_many_teams", f"Leave some: {TEAMS_MAX} teams are the most.")
        return Seat(team, name, TeamRole.OWNER.value)

    async def mine(self, person: str) -> list[Seat]:
        """The teams that somebody is in."""
        return await self._identity.rows(Seat, _MINE, {"person": person})

    async def seat(self, team: str, person: str) -> Seat | None:
        """What somebody is in a team; None for strangers and for what is no team."""
        if not team.startswith(PREFIX):
            return None
        return await self._identity.row(Seat, _SEAT, {"team": team, "person": person})

    async def seated(self, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these people are in these teams."""
        values = {"people": [who for who, _ in places], "teams": [team for _, team in places]}
        rows = await self._identity.rows(_Place, _SEATED, values)
        return {(row.person, row.team) for row in rows}

    async def members(self, team: str) -> list[Member]:
        """Everybody in a team, who came first first."""
        return await self._identity.rows(Member, _MEMBERS, {"team": team})

    async def member(self, team: str, person: str) -> Member:
        """One of them; raises 404."""
        for member in await self.members(team):
            if member.person == person:
                return member
        raise not_found()

    async def give_role(self, team: str, person: str, role: TeamRole) -> None:
        """Make somebody something else; raises 404, 409 for the last owner."""
        values: dict[str, object] = {"team": team, "person": person, "role": role.value}
        await self._change(_ROLE, values)

    async def remove(self, team: str, person: str) -> None:
        """Take somebody out; raises 409 for the last owner. Who is out already stays out."""
        await self._change(_REMOVE, {"team": team, "person": person})

    async def forget(self, team: str) -> None:
        """Nobody is in this team any more, and nobody knows what it was called."""
        await self._identity.change(_FORGET, {"team": team})

    async def last_owner_of(self, person: str) -> list[Seat]:
        """The teams that have no other owner."""
        return await self._identity.rows(Seat, _LAST, {"person": person})

    async def _change(self, sql: str, values: dict[str, object]) -> None:
        try:
            await self._identity.change(sql, values)
        except psycopg.errors.CheckViolation:
            raise last_owner() from None


def last_owner() -> ProblemError:
    """What is told to the only owner."""
    return failure(
        409, "last_owner", "A team needs an owner: make somebody else one first, or close it."
    )
