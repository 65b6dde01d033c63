"""The door: who is calling, by an API key or (on the pages' own routes) by a session cookie."""

from urllib.parse import urlsplit

from contracts.units import Ms

from gateway.keyring import KeyRing
from gateway.keys import Key, Scope
from gateway.lastused import LastUsed
from gateway.live import Pass
from gateway.people import Role
from gateway.principals import Principal, of_key, of_member, of_person
from gateway.problems import RETRY_SOON_S, ProblemError, failure
from gateway.sessions import Sessions
from gateway.teamroles import TeamRole
from gateway.teams import Teams

_BEARER = b"Bearer "
_CHALLENGE = ((b"www-authenticate", b'Bearer realm="scrip"'),)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """Knows keys and sessions."""

    def __init__(
        self, ring: KeyRing, sessions: Sessions, teams: Teams, last_used: LastUsed
    ) -> None:
        self._ring = ring
        self._teams = teams
        self._last_used = last_used
        self._sessions = sessions
        self._known: dict[str, tuple[Key, Principal]] = {}

    async def enter(
        self, method: str, headers: dict[bytes, bytes], now: Ms, *, people: bool
    ) -> Principal:
        """The caller; raises 401, or 503 while no key could ever be read."""
        found = await self.look(method, headers, now, people=people)
        if found is None:
            raise self.closed()
        return found

    @staticmethod
    def closed() -> ProblemError:
        """What a caller is told who shows nothing."""
        return _unknown("Send an API key: `Authorization: Bearer scrip_…`.")

    async def look(
        self, method: str, headers: dict[bytes, bytes], now: Ms, *, people: bool
    ) -> Principal | None:
        """The same; None for a caller who shows nothing at all."""
        text = headers.get(b"authorization")
        if text is not None:
            if not text.startswith(_BEARER):
                raise _unknown("The header must read `Authorization: Bearer scrip_…`.")
            return await self._of_key(text[len(_BEARER) :], now)
        if (text := headers.get(b"x-api-key")) is not None:
            return await self._of_key(text, now)
        if people and (cookie := headers.get(b"cookie")):
            return await self._of_cookie(method, headers, cookie, now)
        return None

    def shown(self, headers: dict[bytes, bytes]) -> Pass:
        """What somebody who was let in showed, to look at again as long as they stay."""
        text = headers.get(b"authorization")
        if text is not None:
            return Pass(key=text[len(_BEARER) :])
        if (text := headers.get(b"x-api-key")) is not None:
            return Pass(key=text)
        return Pass(session=self._sessions.token(headers.get(b"cookie", b"")) or "")

    async def second(self, text: bytes, now: Ms) -> str:
        """Who stands by what another one asks, by an admin's own key; raises 401, 403."""
        principal = await self._of_key(text, now)
        principal.must(Scope.ADMIN)
        principal.must_be_staff()
        return principal.actor.id

    async def _of_key(self, text: bytes, now: Ms) -> Principal:
        key = self._ring.find(text, now) or await self._ring.find_fresh(text, now)
        if key is None:
            if not self._ring.loaded:
                raise failure(
                    503,
                    "keys_unavailable",
                    "Keys cannot be checked yet; try again in a moment.",
                    retry_after_s=RETRY_SOON_S,
                )
            raise _unknown("This key is unknown, revoked or expired.")
        self._last_used.note(key.id, now)
        known = self._known.get(key.id)
        if known is None or known[0] is not key:
            known = self._known[key.id] = (key, of_key(key))
        return known[1]

    async def _of_cookie(
        self, method: str, headers: dict[bytes, bytes], cookie: bytes, now: Ms
    ) -> Principal | None:
        token = self._sessions.token(cookie)
        if token is None:
            return None
        must_be_from_here(method, headers)
        seen = await self._sessions.seen(token, now)
        if seen is None:
            raise _unknown("This session is over; sign in again.")
        person = seen.person
        named = headers.get(b"scrip-account", b"").decode("latin-1")
        if named and named != person.id and person.role == Role.OWNER.value:
            seat = await self._teams.seat(named, person.id)
            if seat is not None:
                return of_member(person.id, seat.id, TeamRole(seat.role))
        if not named and seen.team is not None:
            if seen.seat is not None:
                return of_member(person.id, seen.team, TeamRole(seen.seat))
            await self._sessions.act_for(token, None)
            if method not in _SAFE:  # it was meant for the team, and is not done for anybody else
                raise failure(409, "team_left", "You are not in this team any more.")
        return of_person(person)


def must_be_from_here(method: str, headers: dict[bytes, bytes]) -> None:
    """Raise 403 for what another site's page makes a browser send."""
    if method not in _SAFE and _from_elsewhere(headers):
        raise failure(403, "cross_site", "This request came from another site.")


def _from_elsewhere(headers: dict[bytes, bytes]) -> bool:
    if headers.get(b"sec-fetch-site", b"none") not in {b"same-origin", b"none"}:
        return True
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return urlsplit(origin.decode("latin-1")).netloc != headers.get(b"host", b"").decode("latin-1")


def _unknown(detail: str) -> ProblemError:
    raised = failure(401, "unauthenticated", detail)
    raised.headers = _CHALLENGE
    return raised
