"""Owners that leave out a step: the claim, the next command, batches, errors, the renewal."""

from collections.abc import Callable
from typing import Any

import msgspec
from bus.log import LogError
from ledger.owner import Owner, Superseded
from ledger.partition import Partition
from ledger.snapshots import Pace

from tests.simulation.port import SimLog

# ---- 1 and 2: the claim


class NoClaim(Owner):
    async def take_over(self) -> None:
        await self._log.fence()
        state = self._fresh()
        end = await self._log.end()
        await self._read(state, end)
        state.reader.commands_from = await self._next_command(state)
        self._settle_in(state, end - 1)
        await self._log.commands_from(state.reader.commands_from)


class ClaimsUnchecked(Owner):
    """Decides under any claim of its own, exact or not."""

    async def take_over(self) -> None:
        await self._log.fence()
        state = self._fresh()
        end = await self._log.end()
        await self._read(state, end)
        state.reader.commands_from = await self._next_command(state)
        landed, token = await self._claim(state, end)
        await self._read(state, landed + 1)
        if state.reader.token != token:
            raise Superseded("another claim is newer than ours")
        self._settle_in(state, landed)
        await self._log.commands_from(state.reader.commands_from)


class ReadsToTheEnd(Owner):
    """Reads what was there before its claim, and not what landed between."""

    async def take_over(self) -> None:
        await self._log.fence()
        state = self._fresh()
        end = await self._log.end()
        await self._read(state, end)
        state.reader.commands_from = await self._next_command(state)
        landed, token = await self._claim(state, end)
        state.reader.token = token
        self._settle_in(state, landed)
        await self._log.commands_from(state.reader.commands_from)


# ---- 4: the next command


def _memory(owner: Owner) -> dict[Any, Any]:
    log = owner._log
    assert isinstance(log, SimLog)
    memory: dict[Any, Any] = log.site.memory  # type: ignore[attr-defined]
    return memory


class GroupOffset(Owner):
    """Goes on at an offset that was committed after the acknowledgment."""

    async def _next_command(self, state: Partition) -> int:
        committed: int = _memory(self).get(("committed", state.number), 0)
        return committed

    def _acknowledge(self) -> None:
        before = self._append
        super()._acknowledge()
        if before is not None and self._append is None:
            key = ("committed", self.partition.number)
            _memory(self)[key] = self.partition.reader.commands_from


class CutUnchecked(Owner):
    async def _next_command(self, state: Partition) -> int:
        return state.reader.commands_from


class LengthsCompared(Owner):
    async def _next_command(self, state: Partition) -> int:
        assert isinstance(self._log, SimLog)
        return min(state.reader.commands_from, self._log.part.command_end)


class IdAlone(Owner):
    async def _still_there(self, ref: Any) -> bool:
        record = await self._log.command_at(ref.offset)
        if record is None:
            return False
        return await super()._still_there(msgspec.structs.replace(ref, timestamp=record.timestamp))


# ---- 6 and 7: batches, order, errors


class TwoBatches(Owner):
    """The events of one command in batches of their own."""

    def _decide(self) -> None:
        super()._decide()
        self._pending = [(size, (one,)) for size, records in self._pending for one in records]
        self._pending_bytes = sum(size for size, _ in self._pending)


class StateKept(Owner):
    """After an error it goes on with the state that it had."""

    def __init__(self, log: Any, fresh: Callable[[], Partition], pace: Pace) -> None:
        kept = log.site.memory.pop(("state", log.name, log.number), None)
        super().__init__(log, fresh if kept is None else lambda: kept, pace)

    async def run(self) -> None:
        try:
            await super().run()
        except LogError:
            log = self._log
            assert isinstance(log, SimLog)
            _memory(self)["state", log.name, log.number] = self.partition
            raise


class BatchOffsetUnchecked(Owner):
    def _acknowledge(self) -> None:
        if self._append is not None and self._append.done:
            self._acknowledged = self._append.offset()
        super()._acknowledge()


class RenewalUnchecked(Owner):
    async def renew(self) -> None:
        await self.drain()
        await self._log.fence()
        landed, token = await self._claim(self.partition, self._acknowledged)
        self.partition.reader.token = token
        self._acknowledged = landed + 1
        self._claimed_at = self._log.now()


class ProducerReused(SimLog):
    """After an error it goes on with the producer that it had."""

    async def fence(self) -> None:
        memory = self.site.memory  # type: ignore[attr-defined]
        key = ("producer", self.name, self.number)
        if key not in memory:
            await super().fence()
            memory[key] = self
        else:
            last = memory[key]
            self._producer, self._sequence = last._producer, last._sequence
            memory[key] = self


# ---- 13: the renewal


class NotDrained(Owner):
    async def renew(self) -> None:
        assert isinstance(self._log, SimLog)
        self._log._append = None
        await self._log.fence()
        landed, token = await self._claim(self.partition, self._acknowledged)
        if landed != self._acknowledged:
            raise Superseded("the renewed claim landed elsewhere")
        self.partition.reader.token = token
        self._acknowledged = landed + 1
        self._claimed_at = self._log.now()
