"""Sessions: who is signed in, kept in Postgres, so that any gateway knows and any can end them.

Only the SHA-256 of the cookie's value is stored. A session ends after 30 minutes without a request
and after 12 hours at the latest; ends at once when the person is deleted.
"""

import hashlib
import secrets
from collections.abc import Collection

from contracts.units import HOUR, MINUTE, Ms
from fastapi.responses import Response
from msgspec import Struct

from gateway.identity import Identity
from gateway.people import Person

COOKIE = "scrip_session"
SECURE_COOKIE = "__Host-scrip_session"  # browsers take it by HTTPS only, for this host only
IDLE_MS = 30 * MINUTE
ABSOLUTE_MS = 12 * HOUR
TOUCH_MS = MINUTE  # a session is written as seen once a minute, not at every request
TOKEN_LENGTH_MAX = 64

_OPEN = """
WITH gone AS (
  DELETE FROM identity.sessions WHERE seen_at <= %(idle)s OR made_at <= %(old)s
)
INSERT INTO identity.sessions (sha256, person, made_at, seen_at)
VALUES (%(sha256)s, %(person)s, %(now)s, %(now)s)"""
_FIND = """
SELECT p.id, p.email, p.role, s.seen_at, s.team, m.role AS seat
  FROM identity.sessions AS s JOIN identity.people AS p ON p.id = s.person
  LEFT JOIN identity.members AS m ON m.team = s.team AND m.person = s.person
 WHERE s.sha256 = %(sha256)s AND s.seen_at > %(idle)s AND s.made_at > %(old)s"""
_TOUCH = "UPDATE identity.sessions SET seen_at = %(now)s WHERE sha256 = %(sha256)s"
_ALIVE = """
SELECT sha256 FROM identity.sessions
 WHERE sha256 = ANY(%(all)s) AND seen_at > %(idle)s AND made_at > %(old)s"""
_ACT = """
UPDATE identity.sessions AS s SET team = %(team)s
 WHERE s.sha256 = %(sha256)s
   AND (%(team)s::text IS NULL OR EXISTS (
     SELECT FROM identity.members AS m WHERE m.team = %(team)s AND m.person = s.person))"""
_CLOSE = "DELETE FROM identity.sessions WHERE sha256 = %(sha256)s"
_CLOSE_ALL = "DELETE FROM identity.sessions WHERE person = %(person)s"


class _Row(Struct):
    id: str
    email: str | None
    role: str
    seen_at: Ms
    team: str | None
    seat: str | None


class Seen(Struct, frozen=True):
    """Who comes by a session. `team`: the one chosen; `seat`: the role in it, if any is left."""

    person: Person
    team: str | None = None
    seat: str | None = None


class _Alive(Struct):
    sha256: bytes


class Sessions:
    """Opens, finds and ends sessions. `secure`: people come by HTTPS."""

    def __init__(self, identity: Identity, *, secure: bool) -> None:
        self._identity = identity
        self.secure = secure
        self.cookie = SECURE_COOKIE if secure else COOKIE

    async def sign_in(self, person: Person, now: Ms) -> str:
        """A new session's cookie value."""
        token = secrets.token_urlsafe(32)
        values = {"sha256": _sha256(token), "person": person.id, **_bounds(now)}
        await self._identity.change(_OPEN, values)
        return token

    async def person(self, token: str, now: Ms) -> Person | None:
        """Who this is; None for an unknown, idle or old session."""
        found = await self.seen(token, now)
        return None if found is None else found.person

    async def seen(self, token: str, now: Ms) -> Seen | None:
        """The same, and for whom they act."""
        values = {"sha256": _sha256(token), **_bounds(now)}
        found = await self._identity.row(_Row, _FIND, values)
        if found is None:
            return None
        if now - found.seen_at >= TOUCH_MS:
            await self._identity.change(_TOUCH, values)
        return Seen(Person(found.id, found.email, found.role), found.team, found.seat)

    async def act_for(self, token: str, team: str | None) -> bool:
        """Act for a team from now on, or for oneself; whether this person may."""
        values = {"sha256": _sha256(token), "team": team}
        return await self._identity.change(_ACT, values) == 1

    async def alive(self, tokens: Collection[str], now: Ms) -> set[str]:
        """Which of these sessions are not over; to ask does not keep them alive."""
        named = {_sha256(token): token for token in tokens}
        values = {"all": list(named), **_bounds(now)}
        rows = await self._identity.rows(_Alive, _ALIVE, values)
        return {named[row.sha256] for row in rows}

    async def sign_out(self, token: str) -> None:
        """End one session."""
        await self._identity.change(_CLOSE, {"sha256": _sha256(token)})

    async def sign_out_everywhere(self, person: str) -> int:
        """End all sessions of a person: how many there were."""
        return await self._identity.change(_CLOSE_ALL, {"person": person})

    def token(self, cookie: bytes) -> str | None:
        """Our cookie in a Cookie header."""
        return in_cookie(cookie, self.cookie)

    def give(self, response: Response, token: str) -> Response:
        """The same response, with the cookie."""
        response.set_cookie(
            self.cookie,
            token,
            max_age=ABSOLUTE_MS // 1000,
            httponly=True,
            samesite="lax",
            path="/",
            secure=self.secure,
        )
        return response

    def take(self, response: Response) -> Response:
        """The same response, taking the cookie away."""
        response.delete_cookie(
            self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax"
        )
        return response


def in_cookie(cookie: bytes, wanted: str) -> str | None:
    """The value of a name in a Cookie header; None for one that is longer than any of ours."""
    for pair in cookie.decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == wanted and len(value) <= TOKEN_LENGTH_MAX:
            return value
    return None


def _bounds(now: Ms) -> dict[str, int]:
    return {"now": now, "idle": now - IDLE_MS, "old": now - ABSOLUTE_MS}


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
