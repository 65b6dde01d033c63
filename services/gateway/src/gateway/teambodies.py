"""What callers send about teams, field by field."""

from typing import Annotated

from contracts.caps import CapWindow
from contracts.units import AMOUNT_MAX
from msgspec import Meta

from gateway.bodies import LABEL, Body
from gateway.teamroles import TeamRole


class TeamBody(Body):
    """Make a team of this name."""

    name: Annotated[str, Meta(pattern=LABEL, min_length=1, max_length=64)]


class AllocationBody(Body):
    """The most that a member may spend and hold of the team, in a window of its calendar."""

    limit: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    window: CapWindow = CapWindow.EVER


class InvitationBody(Body):
    """Invite an address; nobody is invited as an owner."""

    email: str
    role: TeamRole = TeamRole.MEMBER
    allocation: AllocationBody | None = None


class AcceptanceBody(Body):
    """The token of an invitation's link."""

    token: Annotated[str, Meta(max_length=64)]


class MemberBody(Body):
    """What a member is from now on, as a whole: without an allocation there is none."""

    role: TeamRole
    allocation: AllocationBody | None = None
