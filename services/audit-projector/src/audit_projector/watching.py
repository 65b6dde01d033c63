"""The watch over the invariants: read models and compliance log looked at again and again, gently.

A look works for some milliseconds and rests twenty times as long, so that projecting does not feel
it; a whole sweep ends with what it found in `scrip_invariant_violations`, and a violation shows at
once. Whatever fails, the sweep begins again: a look that did not end leaves its timestamp old.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import psycopg
import structlog
from bus.gauges import InvariantGauges
from bus.topics import TopicError
from contracts.invariants import Invariant

from audit_projector import summing
from audit_projector.sampling import Sample
from audit_projector.threads import in_thread
from audit_projector.walking import Walk

SWEEP_EVERY_S = 60.0  # between the end of a sweep and the next; a large log takes longer anyway
RESTS = 20  # times as long as it worked: a twentieth of a core
LINES_AT_ONCE = 200  # about 10 ms
ROUNDS_MAX = 20  # of waiting until log and read models stand at the same place of an account
MEETS_AFTER_S = 0.2
NAMED_MAX = 20  # violations of a sweep that are named in the log; the gauge has the number

_Result = TypeVar("_Result")
log = structlog.get_logger(__name__)


class Watch:
    """Sweeps until cancelled."""

    def __init__(
        self,
        postgres_url: str,
        audit_folder: Path,
        gauges: InvariantGauges,
        *,
        every_s: float = SWEEP_EVERY_S,
        rests: float = RESTS,
    ) -> None:
        self._url = postgres_url
        self._folder = audit_folder
        self._gauges = gauges
        self._every_s = every_s
        self._rests = rests
        self._turn = 0
        self._found: Counter[Invariant] = Counter()
        self._shown: Counter[Invariant] = Counter()

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.sweep()
            except (psycopg.Error, OSError, TopicError) as why:
                log.warning("invariants_not_checked", why=repr(why))
            await asyncio.sleep(self._every_s)

    async def sweep(self) -> None:
        """Look at everything once; raises what the database or the folder raises."""
        self._found = Counter()
        connection = await in_thread(_connected, self._url)
        try:
            await self._sums(connection)
            if walks := self._walks():
                await self._logs(connection, walks)
        finally:
            connection.close()
        self._turn += 1

    async def _sums(self, connection: psycopg.Connection[Any]) -> None:
        after: str | None = ""
        while after is not None:
            after, found = await self._gently(summing.looked, connection, after)
            for invariant, account in found:
                self._violated(invariant, account)
        self._ended(*summing.LOOKED_AT)

    def _walks(self) -> dict[int, Walk]:
        """One for each partition that has a log here."""
        return {
            int(folder.name): Walk(folder)
            for folder in sorted(self._folder.glob("[0-9]*"))
            if any(folder.glob("*.jsonl"))
        }

    async def _logs(self, connection: psycopg.Connection[Any], walks: dict[int, Walk]) -> None:
        count = connection.execute("SELECT count(*) FROM read.balances").fetchone()
        sample = Sample(0 if count is None else int(count[0]), self._turn)
        await self._walked(walks, sample)
        for walk in walks.values():
            if walk.broken:
                self._violated(Invariant.HASH_CHAIN, walk.broken)
            for gap in walk.gaps:
                self._violated(Invariant.SEQUENCE_GAP, gap)
        self._ended(Invariant.HASH_CHAIN, Invariant.SEQUENCE_GAP)
        if any(walk.broken for walk in walks.values()):
            return  # what does not verify is nothing to compare with: its look stays undone
        for _ in range(ROUNDS_MAX):
            offsets = {number: walk.offset for number, walk in walks.items()}
            for differs in await self._gently(sample.compare, connection, offsets):
                self._violated(Invariant.PROJECTION_IS_REPLAY, differs)
            if not sample.waiting:
                break
            await asyncio.sleep(MEETS_AFTER_S)
            await self._walked(walks, sample)
        self._ended(Invariant.PROJECTION_IS_REPLAY)

    async def _walked(self, walks: dict[int, Walk], sample: Sample) -> None:
        """Every walk to the end of its log."""
        for number, walk in walks.items():
            while await self._gently(_step, walk, sample, number):
                pass

    async def _gently(self, look: Callable[..., _Result], *arguments: object) -> _Result:
        began = monotonic()
        result = await in_thread(look, *arguments)
        await asyncio.sleep((monotonic() - began) * self._rests)
        return result

    def _violated(self, invariant: Invariant, what: str) -> None:
        self._found[invariant] += 1
        if self._found[invariant] <= NAMED_MAX:
            log.error("invariant_violated", invariant=invariant.value, what=what)
        if self._found[invariant] > self._shown[invariant]:
            self._shown[invariant] = self._found[invariant]
            self._gauges.rose(invariant, self._found[invariant])

    def _ended(self, *invariants: Invariant) -> None:
        for invariant in invariants:
            self._shown[invariant] = self._found[invariant]
            self._gauges.found(invariant, self._found[invariant])


def _step(walk: Walk, sample: Sample, partition: int) -> int:
    taken = 0
    for line in walk.step(LINES_AT_ONCE):
        sample.take(partition, line)
        taken += 1
    return taken


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, options="-c statement_timeout=10000")
