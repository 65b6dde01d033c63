"""Many worlds at once, in several processes, and what they came to."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import ledger.owner
from msgspec import Struct, field

from tests.simulation.auditor import Anomaly
from tests.simulation.faults import SETS
from tests.simulation.prices import catalogues
from tests.simulation.workers import Kit
from tests.simulation.world import World

AT_ONCE = 100  # seeds that a process takes at a time


class Told(Struct):
    """What some seeds came to."""

    seeds: int = 0
    anomalies: list[tuple[int, str]] = field(default_factory=list)
    stats: Counter[str] = field(default_factory=Counter)


def variant(seed: int, only: str | None = None) -> tuple[str, bool]:
    """The fault set of a seed, and whether the broker fences."""
    names = [only] if only else list(SETS)
    return names[seed % len(names)], seed // len(names) % 2 == 0


class Silent:
    """Stands for the owner's log: counts what it would tell."""

    def __init__(self) -> None:
        self.warnings: Counter[str] = Counter()

    def warning(self, event: str, **_: object) -> None:
        self.warnings[event] += 1

    def info(self, event: str, *, why: str, **_: object) -> None:
        self.warnings[f"{event}: {' '.join(why.split()[:5])}"] += 1


def some(
    start: int,
    count: int,
    only: str | None = None,
    kit: Kit = Kit(),  # noqa: B008 - frozen
    most: int = 10,
    weights: dict[str, int] | None = None,
) -> Told:
    """Run seeds; stop at `most` anomalies."""
    told = Told()
    prices = catalogues()
    loud, silent = ledger.owner.log, Silent()
    ledger.owner.log = silent
    try:
        for seed in range(start, start + count):
            name, fence = variant(seed, only)
            world = World(seed, weights or SETS[name], prices, fence=fence, kit=kit)
            try:
                world.run()
            except Anomaly as wrong:
                told.anomalies.append((seed, str(wrong)))
            except Exception as wrong:  # noqa: BLE001 - the real code halted: that is an anomaly
                told.anomalies.append((seed, f"HALTED {type(wrong).__name__}: {wrong}"))
            finally:
                for slot in world.slots:
                    world.close(slot)
            told.seeds += 1
            told.stats.update(world.stats)
            told.stats["steps"] += world.steps
            if len(told.anomalies) >= most:
                break
    finally:
        ledger.owner.log = loud
    told.stats.update(silent.warnings)
    return told


def many(start: int, seeds: int, only: str | None, workers: int) -> Told:
    """Run seeds in several processes."""
    total = Told()
    tasks = [(at, min(AT_ONCE, start + seeds - at)) for at in range(start, start + seeds, AT_ONCE)]
    if workers == 1:
        parts = (some(at, count, only) for at, count in tasks)
        return _sum(total, parts)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(some, at, count, only) for at, count in tasks]
        return _sum(total, (future.result() for future in futures))


def _sum(total: Told, parts: Iterable[Told]) -> Told:
    for told in parts:
        total.seeds += told.seeds
        total.anomalies += told.anomalies
        total.stats.update(told.stats)
    return total
