"""People: an opaque id, an e-mail address, a role. The address stands nowhere but here.

An owner's id is the id of the account. Staff (admin, support, read_only) have no account: nobody is
the admin of their own. A role is given by `scrip gateway people`, never over HTTP.
"""

import re
from enum import StrEnum
from secrets import token_hex
from typing import NamedTuple

import psycopg
from contracts.units import Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.problems import failure

EMAIL_LENGTH_MAX = 254  # of RFC 5321, the longest path less its brackets
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]{1,64}@[^\s@<>\x00-\x1f\x7f]{1,255}")

_KNOWN = """
INSERT INTO identity.people (id, email, made_at) VALUES (%(id)s, %(email)s, %(now)s)
    ON CONFLICT (email) DO UPDATE SET email = excluded.email
RETURNING id, email, role"""
_ANYONE = """
INSERT INTO identity.people (id, made_at) VALUES (%(id)s, %(now)s)
    ON CONFLICT (id) DO UPDATE SET id = excluded.id
RETURNING id, email, role"""

_WHO = "SELECT id, email, role FROM identity.people WHERE id = %(id)s"
_BY_EMAIL = "SELECT id, email, role FROM identity.people WHERE email = %(email)s"


class Role(StrEnum):
    """What a person may do."""

    OWNER = "owner"
    ADMIN = "admin"
    SUPPORT = "support"
    READ_ONLY = "read_only"


class Person(Struct, frozen=True):
    """Somebody who can sign in."""

    id: str
    email: str | None
    role: str


class PersonUnknown(LookupError):
    """Nobody with this address has signed in yet."""


class People:
    """Reads and writes of people."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    async def with_email(self, email: str, now: Ms) -> Person:
        """The person with this address, a new owner if there was none."""
        values = {"id": f"acc-{token_hex(10)}", "email": email, "now": now}
        return await self._one(_KNOWN, values)

    async def with_id(self, account: str, now: Ms) -> Person:
        """The owner of this account; for development sign-in only."""
        return await self._one(_ANYONE, {"id": account, "now": now})

    async def name(self, account: str) -> str:
        """What the owner of an account is called on the pages: the address, or the account."""
        found = await self.identity.row(Person, _WHO, {"id": account})
        return account if found is None or found.email is None else found.email

    async def email_of(self, account: str) -> str | None:
        """The owner's address, if it is known."""
        found = await self.identity.row(Person, _WHO, {"id": account})
        return None if found is None else found.email

    async def by_email(self, email: str) -> Person | None:
        """Who has this address."""
        return await self.identity.row(Person, _BY_EMAIL, {"email": email.strip().lower()})

    async def by_id(self, person: str) -> Person | None:
        """Who has this id."""
        return await self.identity.row(Person, _WHO, {"id": person})

    async def _one(self, sql: str, values: dict[str, object]) -> Person:
        found = await self.identity.row(Person, sql, values)
        assert found is not None, "an upsert gives its row back"
        return found


def address(text: str) -> str:
    """An e-mail address as it is kept; 422 for what is none."""
    wanted = text.strip().lower()
    domain = wanted.rpartition("@")[2]
    if len(wanted) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(wanted) or not wanted.isascii():
        raise failure(422, "email_invalid", "email must be an address like ada@example.org.")
    if domain.startswith((".", "-")) or domain.endswith((".", "-")) or ".." in domain:
        raise failure(422, "email_invalid", "email must be an address like ada@example.org.")
    return wanted


class Given(NamedTuple):
    """One time that somebody was given a role."""

    person: str
    was: str
    role: str
    given_by: str
    at: Ms


def give_role(url: str, email: str, role: Role, given_by: str, now: Ms) -> None:
    """Set a role, for the record, and end the sessions of the old one. Raises PersonUnknown."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT id, role FROM identity.people WHERE email = %s FOR UPDATE", (email,)
        ).fetchone()
        if found is None:
            raise PersonUnknown(email)
        person, was = found
        connection.execute(
            "UPDATE identity.people SET role = %s WHERE id = %s", (role.value, person)
        )
        connection.execute(
            "INSERT INTO identity.roles_given (person, was, role, given_by, at)"
            " VALUES (%s, %s, %s, %s, %s)",
            (person, was, role.value, given_by, now),
        )
        connection.execute(
            "DELETE FROM identity.sessions USING identity.people AS p"
            " WHERE person = p.id AND p.email = %s",
            (email,),
        )


def roles_given(url: str) -> list[Given]:
    """Every time that somebody was given a role, oldest first."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT person, was, role, given_by, at FROM identity.roles_given ORDER BY number"
        )
        return [Given(*row) for row in rows.fetchall()]
