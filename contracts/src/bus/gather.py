"""When what waits is worth a turn: a small crowd is let come in together, a large one never waits.

Callers that were answered together ask again together, a moment apart. Taking the first of them at
once splits the crowd into ever smaller batches, and what costs at low load is requests and disk
flushes, not records. So a turn that follows one of several commands waits until as many are here
again, or for GATHER_MS. A single caller is never kept waiting, nor is a crowd beyond GATHER_MAX.
"""

import asyncio
from collections.abc import Callable

GATHER_MS = 3  # about two flushes: longer costs more than the requests it saves
GATHER_MAX = 16  # commands; beyond this a batch is worth its request


class Gathering:
    """Says whether to take what waits now; calls `ripe_now` when it becomes so."""

    def __init__(self, ripe_now: Callable[[], None]) -> None:
        self._ripe_now = ripe_now
        self._enough = 1
        self._alarm: asyncio.TimerHandle | None = None
        self.ripe = False

    def came(self, waiting: int) -> None:
        """So many wait by now."""
        if waiting >= self._enough:
            self._ripen()
        elif self._alarm is None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(GATHER_MS / 1000, self._ripen)

    def took(self, taken: int, *, left: int) -> None:
        """A turn took so many of them."""
        self._enough = min(taken, GATHER_MAX)
        self.ripe = left > 0

    def stop(self) -> None:
        """Nothing waits any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.ripe = False

    def _ripen(self) -> None:
        self.stop()
        self.ripe = True
        self._ripe_now()
