"""Who a provider's people are here: by issuer and subject, for good; by an address, the first time.

An address links only when the provider verified it and, where the settings name domains, vouches
for its domain. Staff are linked only where domains are named: a provider that takes anybody's word
for an address must not be able to make somebody an admin.
"""

from contracts.units import Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.people import People, Person, Role, address
from gateway.problems import ProblemError, failure
from gateway.provider import Stranger
from gateway.settings import OpenId

_KNOWN = """
SELECT p.id, p.email, p.role
  FROM identity.logins AS l JOIN identity.people AS p ON p.id = l.person
 WHERE l.issuer = %(issuer)s AND l.subject = %(subject)s"""
_LINK = """
INSERT INTO identity.logins (issuer, subject, person, made_at)
VALUES (%(issuer)s, %(subject)s, %(person)s, %(now)s)
    ON CONFLICT (issuer, subject) DO NOTHING"""
_OF = "SELECT issuer, subject, made_at FROM identity.logins WHERE person = %(person)s"


class Login(Struct, frozen=True):
    """A way in by a provider."""

    issuer: str
    subject: str
    made_at: Ms


class Logins(Struct, frozen=True):
    """Finds and links people."""

    identity: Identity
    people: People

    async def person(self, stranger: Stranger, known: OpenId, now: Ms) -> Person:
        """Who this is here, a new owner if need be; raises 403 where an address proves nothing."""
        values = {"issuer": stranger.issuer, "subject": stranger.subject, "now": now}
        if (found := await self.identity.row(Person, _KNOWN, values)) is not None:
            return found
        person = await self.people.with_email(_vouched(stranger, known), now)
        if person.role != Role.OWNER.value and not known.domains:
            raise _refused("staff_not_linked", "Staff sign in by the link that is sent by e-mail.")
        await self.identity.change(_LINK, {**values, "person": person.id})
        return await self.identity.row(Person, _KNOWN, values) or person


async def logins_of(identity: Identity, person: str) -> list[Login]:
    """By which providers somebody comes."""
    return await identity.rows(Login, _OF, {"person": person})


def _vouched(stranger: Stranger, known: OpenId) -> str:
    if stranger.email is None:
        raise _refused("email_unverified", "The provider has not verified this e-mail address.")
    try:
        email = address(stranger.email)
    except ProblemError:
        raise _refused("email_unverified", "The provider names no address that we know.") from None
    if known.domains and email.rpartition("@")[2] not in known.domains:
        raise _refused("email_elsewhere", "The provider may not speak for this address.")
    return email


def _refused(code: str, detail: str) -> ProblemError:
    return failure(403, code, detail)
