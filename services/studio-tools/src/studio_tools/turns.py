"""Who may start now: at most so many runs at once, and so many of one account and tool.

The ledger admits no more than the catalogue allows; this holds the same line for runs that were
admitted earlier and still run, and keeps one account from filling the machine.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

RUNS_AT_ONCE = 4  # runs need CPU more than anything else; two per core of a small machine


@dataclass(slots=True)
class _Queue:
    turns: asyncio.Semaphore
    users: int = 0


class Turns:
    """Use as ``async with turns.of(account, tool, concurrency)``; first come, first served."""

    def __init__(self, at_once: int = RUNS_AT_ONCE) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._queues: dict[tuple[str, str], _Queue] = {}

    @asynccontextmanager
    async def of(self, account: str, tool: str, concurrency: int) -> AsyncIterator[None]:
        key = (account, tool)
        queue = self._queues.setdefault(key, _Queue(asyncio.Semaphore(concurrency)))
        queue.users += 1
        try:
            async with queue.turns, self._all:
                yield
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[key]
