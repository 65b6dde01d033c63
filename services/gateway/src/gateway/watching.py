"""What is known of runs right now: results that came lately, and how their reservations ended.

Results live in memory only, the newest 64 MB of the last minutes; credits live in the ledger.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from bus.stream import Counted
from contracts.events import (
    Balance,
    CreditsCharged,
    CreditsReleased,
    ReservationExpired,
)
from contracts.reasons import Reason
from contracts.runs import RunResult
from msgspec import Struct

from gateway import positions

RESULT_BYTES_MAX = 64 << 20  # thousands of usual results
COUNTED_WITHIN_S = 1.0  # a counted event is here within milliseconds; longer is an outage
_ENVELOPE_BYTES = 1_000  # what a result costs beside its output
RunId: TypeAlias = tuple[str, str]  # account, run


class Ending(Struct, frozen=True):
    """How a run's reservation ended, from its counted event; without a position, looked up."""

    status: str
    charged: int
    balance: Balance
    position: str


class Watch:
    """One run that somebody waits for."""

    __slots__ = ("ending", "result", "watchers", "woken")

    def __init__(self) -> None:
        self.result: RunResult | None = None
        self.ending: Ending | None = None
        self.watchers = 0
        self.woken = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether both the result and what it cost are known."""
        if self.result is None:
            return self.ending is not None and self.ending.status == "expired"
        return self.ending is not None or self.result.charged is not None

    async def until_over(self, within_s: float) -> bool:
        """Wait for it; False when the time is up first.

        A worker may say what was charged before its counted event, with the balance after it, is
        here: whoever waited for the run waits for that moment, too.
        """
        if not await self._until(lambda: self.over, within_s):
            return False
        await self._until(lambda: self.ending is not None, min(within_s, COUNTED_WITHIN_S))
        return True

    async def _until(self, known: Callable[[], bool], within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                while not known():
                    self.woken.clear()
                    await self.woken.wait()
        except TimeoutError:
            return False
        return True


class RunWatch:
    """Recent results by run, and the runs that somebody waits for."""

    def __init__(self, bytes_max: int = RESULT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._recent: OrderedDict[RunId, tuple[RunResult, int]] = OrderedDict()
        self._watched: dict[RunId, Watch] = {}

    def __len__(self) -> int:
        return len(self._watched)

    def recent(self, account: str, run: str) -> RunResult | None:
        """The result of a run, if it came lately."""
        found = self._recent.get((account, run))
        return None if found is None else found[0]

    @contextmanager
    def watch(self, account: str, run: str) -> Iterator[Watch]:
        """Take notice of this run until the block ends."""
        key = (account, run)
        watch = self._watched.setdefault(key, Watch())
        watch.watchers += 1
        try:
            yield watch
        finally:
            watch.watchers -= 1
            if not watch.watchers:
                del self._watched[key]

    def came(self, result: RunResult) -> None:
        """A result was published."""
        if result.error is not None and result.error.reason is Reason.ID_CONFLICT:
            return  # of another request under this id: says nothing about the run that has it
        key = (result.account, result.run)
        known = self._recent.pop(key, None)
        if known is not None:
            self._bytes -= known[1]
            if result.charged is None and known[0].charged is not None:
                result.charged = known[0].charged
        size = _ENVELOPE_BYTES + len(bytes(result.result))
        self._recent[key] = (result, size)
        self._bytes += size
        while self._bytes > self._bytes_max:
            self._bytes -= self._recent.popitem(last=False)[1][1]
        if (watch := self._watched.get(key)) is not None:
            watch.result = result
            watch.woken.set()

    def counted(self, batch: Iterable[Counted]) -> None:
        """Events that count; cheap while nobody waits for a run."""
        watched = self._watched
        if not watched:
            return
        for counted in batch:
            event = counted.event
            if isinstance(event, CreditsCharged):
                if not event.final:
                    continue
                status, charged = "charged", event.amount
            elif isinstance(event, CreditsReleased):
                if event.remainder:
                    continue
                status, charged = "released", 0
            elif isinstance(event, ReservationExpired):
                status, charged = "expired", 0
            else:
                continue
            watch = watched.get((event.account, event.reservation))
            if watch is not None and event.balance is not None:
                position = positions.shown(counted.partition, event.seq)
                watch.ending = Ending(status, charged, event.balance, position)
                watch.woken.set()
