"""When each key was last used: noted in memory at the door, written down every few seconds."""

import asyncio

import structlog
from contracts.units import Ms

from gateway.identity import Identity
from gateway.problems import ProblemError

log = structlog.get_logger(__name__)

WRITE_EVERY_S = 5.0  # how stale the list of keys may be; a crash forgets as much

_WRITE = """
UPDATE gateway.keys AS k SET last_used_at = greatest(k.last_used_at, u.at)
  FROM unnest(%(ids)s::text[], %(ats)s::bigint[]) AS u (id, at) WHERE k.id = u.id"""


class LastUsed:
    """Notes and writes."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._noted: dict[str, Ms] = {}

    def note(self, key_id: str, now: Ms) -> None:
        """This key opened the door."""
        self._noted[key_id] = now

    async def keep_writing(self) -> None:
        """Write down what was noted, for ever."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write down what was noted; kept for the next time while Postgres is away."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            await self._identity.change(_WRITE, {"ids": list(noted), "ats": list(noted.values())})
        except ProblemError:
            log.warning("last_used_not_written", keys=len(noted))
            self._noted = {**noted, **self._noted}
