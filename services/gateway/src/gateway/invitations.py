"""Invitations to a team: a link by e-mail, for the address it was sent to, once, for a week.

Only the SHA-256 of a link's token is kept. Whoever accepts must have signed in with that address:
a forwarded link opens nothing.
"""

import hashlib
import secrets

from contracts.caps import CapWindow
from contracts.units import DAY, Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.problems import ProblemError, failure
from gateway.teambodies import AllocationBody
from gateway.teamroles import TeamRole
from gateway.teams import MEMBERS_MAX, TEAMS_MAX

LIFETIME_MS = 7 * DAY
PER_ADDRESS_MAX = 5  # within a lifetime, of all teams, withdrawn ones too: a mailbox is no target

_COLUMNS = "id, team, email, role, allocation, counts, invited_by, expires_at"
_MAKE = f"""
INSERT INTO identity.invitations (id, sha256, team, email, role, allocation, counts, invited_by,
       made_at, expires_at)
SELECT %(id)s, %(sha256)s, %(team)s, %(email)s, %(role)s, %(allocation)s, %(counts)s, %(by)s,
       %(now)s, %(expires)s
 WHERE (SELECT count(*) FROM identity.invitations
         WHERE email = %(email)s AND expires_at > %(now)s) < %(most)s
RETURNING {_COLUMNS}"""  # noqa: S608 - constants
_OPEN = f"""
SELECT {_COLUMNS} FROM identity.invitations
 WHERE team = %(team)s AND ended_at IS NULL AND expires_at > %(now)s
 ORDER BY made_at, id"""  # noqa: S608 - constants
_LOOK = f"""
SELECT {_COLUMNS} FROM identity.invitations
 WHERE sha256 = %(sha256)s AND email = %(email)s AND ended_at IS NULL
   AND expires_at > %(now)s"""  # noqa: S608 - constants
_ACCEPT = """
WITH used AS (
  UPDATE identity.invitations SET ended_at = %(now)s
   WHERE sha256 = %(sha256)s AND email = %(email)s AND ended_at IS NULL AND expires_at > %(now)s
     AND (SELECT count(*) FROM identity.members AS m WHERE m.team = invitations.team) < %(members)s
     AND (SELECT count(*) FROM identity.members WHERE person = %(person)s) < %(teams)s
  RETURNING team, role
)
INSERT INTO identity.members (team, person, role, joined_at)
SELECT team, %(person)s, role, %(now)s FROM used
    ON CONFLICT (team, person) DO NOTHING"""
_WITHDRAW = """
UPDATE identity.invitations SET ended_at = coalesce(ended_at, %(now)s)
 WHERE id = %(id)s AND team = %(team)s"""


class Invitation(Struct, frozen=True):
    """One that is open."""

    id: str
    team: str
    email: str
    role: str
    allocation: int | None
    counts: str | None
    invited_by: str
    expires_at: Ms

    @property
    def allowance(self) -> AllocationBody | None:
        """What the member may take of the team, if that is bounded."""
        if self.allocation is None or self.counts is None:
            return None
        return AllocationBody(limit=self.allocation, window=CapWindow(self.counts))


class Asked(Struct, frozen=True):
    """Who is to become what."""

    team: str
    email: str
    role: TeamRole
    allocation: AllocationBody | None
    by: str


class Invitations:
    """Makes invitations and uses them up."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def make(self, asked: Asked, now: Ms) -> tuple[Invitation, str]:
        """An invitation and its token; raises 429 while this address has too many."""
        token, given = secrets.token_urlsafe(32), asked.allocation
        values = {
            "id": f"inv-{secrets.token_hex(10)}",
            "sha256": _sha256(token),
            "team": asked.team,
            "email": asked.email,
            "role": asked.role.value,
            "allocation": None if given is None else given.limit,
            "counts": None if given is None else given.window.value,
            "by": asked.by,
            "now": now,
            "expires": now + LIFETIME_MS,
            "most": PER_ADDRESS_MAX,
        }
        if (made := await self._identity.row(Invitation, _MAKE, values)) is None:
            raise failure(
                429,
                "rate_limited",
                "Enough invitations are on their way to this address.",
                retry_after_s=LIFETIME_MS // 1000,
            )
        return made, token

    async def open(self, team: str, now: Ms) -> list[Invitation]:
        """What may still be accepted."""
        return await self._identity.rows(Invitation, _OPEN, {"team": team, "now": now})

    async def look(self, token: str, email: str, now: Ms) -> Invitation:
        """What a link is for, if it was sent to this address; raises 410."""
        values = {"sha256": _sha256(token), "email": email, "now": now}
        if (found := await self._identity.row(Invitation, _LOOK, values)) is None:
            raise _over()
        return found

    async def accept(self, token: str, email: str, person: str, now: Ms) -> None:
        """Use it up and be a member; raises 410. Who is one already stays what they are."""
        values = {
            "sha256": _sha256(token),
            "email": email,
            "person": person,
            "now": now,
            "members": MEMBERS_MAX,
            "teams": TEAMS_MAX,
        }
        await self.look(token, email, now)
        await self._identity.change(_ACCEPT, values)

    async def withdraw(self, team: str, invitation: str, now: Ms) -> bool:
        """End one; whether it was this team's."""
        values = {"id": invitation, "team": team, "now": now}
        return await self._identity.change(_WITHDRAW, values) == 1


def _over() -> ProblemError:
    return failure(
        410, "invitation_over", "This invitation is used, withdrawn, too old, or another's."
    )


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
