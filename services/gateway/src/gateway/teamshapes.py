"""A team as its members see it: who is in it, what each may take, and what each used."""

from datetime import datetime

from contracts.caps import Cap
from msgspec import Struct

from gateway.invitations import Invitation
from gateway.memberusage import UsedByMember
from gateway.moments import moment
from gateway.teams import Member


class TeamTold(Struct, rename="camel"):
    """A team, and what the caller is in it. `id` is its account."""

    id: str
    name: str
    role: str


class TeamsTold(Struct):
    """By name."""

    items: list[TeamTold]


class UsedTold(Struct, kw_only=True):
    """Runs begun in the period; `credits` is what was charged less what was refunded."""

    runs: int = 0
    charged: int = 0
    refunded: int = 0
    credits: int = 0
    held: int = 0


class AllocationTold(Struct):
    """The most that a member may spend and hold in a window."""

    limit: int
    window: str


class MemberTold(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Somebody in a team. `gone`: who used it and is in it no more."""

    id: str
    email: str | None = None
    role: str | None = None
    joined_at: datetime | None = None
    allocation: AllocationTold | None = None
    used: UsedTold
    gone: bool = False


class InvitationTold(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """An invitation that may still be accepted."""

    id: str
    email: str
    role: str
    expires_at: datetime
    allocation: AllocationTold | None = None


class TeamShown(TeamTold, kw_only=True):
    """Who is in a team and what they used; invitations only for who may invite."""

    period: str
    members: list[MemberTold]
    invitations: list[InvitationTold]


def member_told(member: Member, cap: Cap | None, used: UsedByMember | None) -> MemberTold:
    return MemberTold(
        id=member.person,
        email=member.email,
        role=member.role,
        joined_at=moment(member.joined_at),
        allocation=None if cap is None else AllocationTold(cap.limit, cap.window.value),
        used=used_told(used),
    )


def used_told(row: UsedByMember | None) -> UsedTold:
    if row is None:
        return UsedTold()
    return UsedTold(
        runs=row.runs,
        charged=row.charged,
        refunded=row.refunded,
        credits=row.charged - row.refunded,
        held=row.held,
    )


def invitation_told(one: Invitation) -> InvitationTold:
    given = one.allowance
    return InvitationTold(
        id=one.id,
        email=one.email,
        role=one.role,
        expires_at=moment(one.expires_at),
        allocation=None if given is None else AllocationTold(given.limit, given.window.value),
    )
