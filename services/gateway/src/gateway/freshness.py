"""How fresh the read models are: waits, within bounds, until they show what a caller just wrote."""

import asyncio
from collections.abc import Callable

from bus.partition import partition_of
from contracts.units import Ms
from msgspec import Struct

from gateway.positions import Place, PositionError, place
from gateway.problems import RETRY_SOON_S, failure
from gateway.readmodels import ReadModels

WAIT_S = 2.0  # the projector is behind by tens of milliseconds when all is well
LOOK_EVERY_S = 0.04

_PROGRESS = "SELECT seq, at_ms FROM read.progress WHERE partition = %(partition)s"


class Progress(Struct):
    """How far a partition is projected: its last event, and the broker's time of it."""

    seq: int
    at_ms: Ms


class Freshness:
    """`seen(partition)` is the newest `seq` that this process has heard of."""

    def __init__(self, models: ReadModels, partitions: int, seen: Callable[[int], int]) -> None:
        self._models = models
        self._partitions = partitions
        self._seen = seen

    def partition(self, account: str) -> int:
        """Where an account lives."""
        return partition_of(account, self._partitions)

    def seen(self, account: str) -> int:
        """The newest event of the account's partition that counts, as far as we heard."""
        return self._seen(self.partition(account))

    async def reach(self, account: str, position: str | None) -> None:
        """Wait until the read models show `position`; 503 when that takes too long."""
        if position is None:
            return
        wanted = self._place(account, position)
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_S
        while True:
            progress = await self._models.row(Progress, _PROGRESS, {"partition": wanted.partition})
            if progress is not None and progress.seq >= wanted.seq:
                return
            if loop.time() >= until:
                raise failure(
                    503,
                    "not_visible_yet",
                    "What you name in minPosition is decided but cannot be read yet;"
                    " try again, or read without minPosition.",
                    retry_after_s=RETRY_SOON_S,
                )
            await asyncio.sleep(LOOK_EVERY_S)

    def _place(self, account: str, position: str) -> Place:
        try:
            wanted = place(position)
        except PositionError:
            raise failure(
                422, "invalid_request", "minPosition is not a position that we gave."
            ) from None
        if wanted.partition != self.partition(account):
            raise failure(422, "invalid_request", "minPosition belongs to another account.")
        return wanted
