"""Owners whose snapshots leave out a step: 11 the order, 12 the check.

None of them counts the events that its accounts have seen: a real owner does, and would read the
whole log instead.
"""

from ledger.owner import Owner
from ledger.partition import Partition
from ledger.restored import Restored
from ledger.shelves import MARKER
from ledger.snapshots import Snapshots, _encode


class Unchecked(Owner):
    """Reads the tail, and does not ask whether the snapshot belongs to it."""

    async def _tail_differs(self, state: Partition, end: int) -> str:
        await self._read(state, end)
        return ""


class Uncounted(Owner):
    """Does not count what its accounts have seen: all else that it asks, it asks."""

    async def _tail_differs(self, state: Partition, end: int) -> str:
        await self._read(state, end)
        state.restored = Restored()
        return await super()._tail_differs(state, end)


class ForgetsDirty(Uncounted):
    """What changed since the snapshot is not taken into the next one."""

    def _settle_in(self, state: Partition, landed: int) -> None:
        super()._settle_in(state, landed)
        state.accounts.changed()
        state.accounts._copied.update((a.id, a.version) for a in state.accounts.awake().values())


class MarkerFirst(Snapshots):
    """Says that a snapshot is whole before it is."""

    def _begin(self, expected: int) -> None:
        super()._begin(expected)
        if self._job is not None:
            self._job.ready.append((expected, (MARKER, _encode(self._marker(self._job)))))


class Unsaid(Snapshots):
    """Publishes what was decided, whether the log says it or not."""

    def turn(self, expected: int, acknowledged: int) -> None:
        super().turn(expected, expected)
