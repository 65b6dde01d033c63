"""The keys in memory: looked at on every request, refreshed from Postgres every two seconds.

While Postgres is away the keys that are known keep working; a gateway that never saw any says so
instead of calling a good key wrong.
"""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from contracts.units import Ms

from gateway.keys import Key, id_of, opens

log = structlog.get_logger(__name__)

REFRESH_S = 2.0  # a revoked key is refused everywhere within 5 s: two refreshes and a query
LOOK_AGAIN_S = 0.25  # an unknown key may be brand new, but strangers make us query no faster

Load = Callable[[float | None], Awaitable[tuple[list[Key], float]]]


class KeyRing:
    """All keys of this installation. `load(since)` brings the changed ones and the next mark."""

    def __init__(self, env: str, load: Load) -> None:
        self._env = env.encode()
        self._load = load
        self._keys: dict[str, Key] = {}
        self._mark: float | None = None
        self._tried_at = float("-inf")
        self._refreshing: asyncio.Future[bool] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the keys were read at least once."""
        return self._mark is not None

    def find(self, text: bytes, now: Ms) -> Key | None:
        """The usable key with this text."""
        key_id = id_of(text, self._env)
        if key_id is None or (key := self._keys.get(key_id)) is None:
            return None
        return key if opens(key, text) and key.usable(now) else None

    def over(self, key_id: str, now: Ms) -> bool:
        """Whether the key of this id is known to be revoked or expired."""
        key = self._keys.get(key_id)
        return key is not None and not key.usable(now)

    async def find_fresh(self, text: bytes, now: Ms) -> Key | None:
        """The same, for a key that may have been made a moment ago."""
        key_id = id_of(text, self._env)
        if key_id is None or key_id in self._keys:
            return None
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        while self._tried_at < arrived:  # one look that began after we came settles it
            if self._refreshing is None:
                await asyncio.sleep(max(0.0, self._tried_at + LOOK_AGAIN_S - loop.time()))
            await self.refresh()
        return self.find(text, now)

    async def refresh(self) -> bool:
        """Bring what changed; callers at the same time share one query. False: no Postgres."""
        if self._refreshing is None:
            self._refreshing = asyncio.ensure_future(self._refresh())
        return await asyncio.shield(self._refreshing)

    async def keep_fresh(self) -> None:
        """Refresh for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_S)

    async def _refresh(self) -> bool:
        self._tried_at = asyncio.get_running_loop().time()
        try:
            changed, mark = await self._load(self._mark)
        except (psycopg.Error, OSError, TimeoutError) as why:
            log.warning("keys_not_refreshed", known=len(self._keys), why=repr(why))
            return False
        finally:
            self._refreshing = None
        self._keys.update((key.id, key) for key in changed)
        self._mark = mark
        return True
