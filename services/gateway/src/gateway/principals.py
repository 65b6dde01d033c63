"""Who asks: a key or a signed-in person, for which account, and with which scopes."""

from contracts.commands import Actor, ActorKind
from contracts.units import ANONYMOUS, Id
from msgspec import Struct

from gateway.keys import Key, Scope
from gateway.people import Person, Role
from gateway.problems import ProblemError, failure
from gateway.teamroles import TEAM_SCOPES, TeamRole

PERSON_SCOPES = {  # an owner's are of the own account, the others' of any that they name
    Role.OWNER: frozenset({Scope.READ, Scope.SPEND, Scope.ADMIN}),
    Role.ADMIN: frozenset({Scope.READ, Scope.GRANT, Scope.ADMIN}),
    Role.SUPPORT: frozenset({Scope.READ}),
    Role.READ_ONLY: frozenset({Scope.READ}),
}


class Principal(Struct, frozen=True):
    """The caller. `account` None: a service that names the account itself in each request.

    `member` and `role` are there for somebody who acts for a team, `staff` for staff who signed in.
    """

    id: str
    account: str | None
    scopes: frozenset[Scope]
    actor: Actor
    member: Id | None = None
    role: TeamRole | None = None
    staff: Role | None = None

    def must(self, scope: Scope) -> None:
        """Raise 403 without this scope."""
        if scope not in self.scopes:
            raise failure(403, "scope_missing", f"This needs a key with the scope {scope.value!r}.")

    def must_be_staff(self) -> None:
        """Raise 403 for a key or a person with an account: nobody is the admin of their own."""
        if self.account is not None:
            raise failure(403, "staff_only", "This needs a key that is bound to no account.")

    def must_own(self) -> None:
        """Raise 403 for members of a team who do not own it."""
        if self.role not in {None, TeamRole.OWNER}:
            raise failure(403, "not_permitted", "This is for the team's owners.")

    def must_lead(self) -> None:
        """Raise 403 for members of a team who do not lead it."""
        if self.role in {TeamRole.MEMBER, TeamRole.VIEWER}:
            raise failure(403, "not_permitted", "This is for the team's owners and admins.")

    def acts_for(self, account: str | None) -> str:
        """The account to act on: the named one if it is the caller's, else 404; or its own."""
        if account is None:
            if self.account is None:
                raise failure(
                    422,
                    "account_missing",
                    "A service key works for any account: name it, in the field `account` or the"
                    " header `Scrip-Account`.",
                )
            return self.account
        if self.account is not None and account != self.account:
            raise not_found()
        return account


def of_key(key: Key) -> Principal:
    """The caller who shows this key."""
    admin = Scope.ADMIN in key.scopes and key.account is None
    kind = ActorKind.ADMIN if admin else ActorKind.SERVICE
    return Principal(f"key:{key.id}", key.account, key.scopes, Actor(kind, key.id))


def of_person(person: Person) -> Principal:
    """A person who signed in: an owner for the own account, staff for any."""
    role = Role(person.role)
    if role is Role.OWNER:
        actor = Actor(ActorKind.PERSON, person.id)
        return Principal(f"person:{person.id}", person.id, PERSON_SCOPES[role], actor)
    actor = Actor(ActorKind.ADMIN, person.id)
    return Principal(f"person:{person.id}", None, PERSON_SCOPES[role], actor, staff=role)


def of_member(person: str, team: str, role: TeamRole) -> Principal:
    """A person who acts for a team: its account, within what the role may."""
    actor = Actor(ActorKind.PERSON, person)
    return Principal(f"person:{person}", team, TEAM_SCOPES[role], actor, person, role)


def anonymous(address: str) -> Principal:
    """Nobody: may ask what things cost, nothing else."""
    return Principal(
        f"address:{address}",
        ANONYMOUS,
        frozenset({Scope.SPEND}),
        Actor(ActorKind.PERSON, ANONYMOUS),
    )


def not_found() -> ProblemError:
    """The same answer for what is not there and for what is another's."""
    return failure(404, "not_found", "There is nothing here for this caller.")
