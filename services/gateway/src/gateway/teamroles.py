"""What a member of a team may do with the team's account."""

from enum import StrEnum

from gateway.keys import Scope


class TeamRole(StrEnum):
    """From all to nothing but looking."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


TEAM_SCOPES = {
    TeamRole.OWNER: frozenset({Scope.READ, Scope.SPEND, Scope.ADMIN}),
    TeamRole.ADMIN: frozenset({Scope.READ, Scope.SPEND, Scope.ADMIN}),
    TeamRole.MEMBER: frozenset({Scope.READ, Scope.SPEND}),
    TeamRole.VIEWER: frozenset({Scope.READ}),
}
