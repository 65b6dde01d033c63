"""Who looks at a live page is looked at, too: a stream ends with its session, key or seat."""

import asyncio
import time

import structlog

from gateway.keyring import KeyRing
from gateway.live import End, Live, Stream
from gateway.problems import ProblemError
from gateway.sessions import Sessions
from gateway.teams import PREFIX, Teams

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0  # one statement for all sessions; keys are in memory
UNKNOWN_MAX_S = 60.0  # how long a stream goes on while nobody can say whose it is


class Vigil:
    """Ends streams of sessions and keys that are over, within two looks."""

    def __init__(self, live: Live, sessions: Sessions, teams: Teams, ring: KeyRing) -> None:
        self._live = live
        self._sessions = sessions
        self._teams = teams
        self._ring = ring
        self._known_at = time.monotonic()

    async def keep(self) -> None:
        """Look, and forget the channels that nobody came back to, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()
            self._live.sweep(asyncio.get_running_loop().time())

    async def look(self) -> None:
        """Look once."""
        now = time.time_ns() // 1_000_000
        streams = list(self._live.streams)
        for stream in streams:
            if (key := stream.shown.key) and self._ring.find(key, now) is None:
                stream.end(End.SIGNED_OUT)
        tokens = {stream.shown.session for stream in streams if stream.shown.session}
        try:
            alive = await self._sessions.alive(tokens, now) if tokens else set[str]()
            places = {place for stream in streams if (place := _place(stream)) is not None}
            seated = await self._teams.seated(places) if places else set[tuple[str, str]]()
        except ProblemError:
            if time.monotonic() - self._known_at < UNKNOWN_MAX_S:
                return
            alive, seated, why = set(), set(), End.UNKNOWN
        else:
            self._known_at, why = time.monotonic(), End.SIGNED_OUT
        for stream in streams:
            if stream.shown.session and stream.shown.session not in alive:
                stream.end(why)
            if (place := _place(stream)) is not None and place not in seated:
                stream.end(why)


def _place(stream: Stream) -> tuple[str, str] | None:
    """Who looks at which team, by a session."""
    account = stream.channel.account
    if not stream.shown.session or not account.startswith(PREFIX):
        return None
    return stream.caller.removeprefix("person:"), account
