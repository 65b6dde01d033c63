"""How much longer a reserve waits while snapshots are written.

The same load twice, in turns: under a ledger that takes no snapshot, and under one that begins the
next as soon as it may. The load goes over so many accounts that every snapshot has much to write.
The figure is the p99 of a reserve beside snapshots over the p99 without, medians of the turns.
"""

import re
import urllib.request
from statistics import median

from tests.benchmarks.figures import Tree
from tests.benchmarks.world import World

ACCOUNTS = 20_000
IN_FLIGHT = 32
NEVER = {"SCRIP_SNAPSHOT_EVENTS": str(1 << 40)}
ALWAYS = {"SCRIP_SNAPSHOT_EVENTS": "1", "SCRIP_SNAPSHOT_GAP_MS": "1"}
_TAKEN = re.compile(r"^scrip_ledger_snapshots\{[^}]*\} (\S+)$", re.MULTILINE)


def taken(metrics: str) -> int:
    """How many snapshots a ledger completed, by its own metrics."""
    with urllib.request.urlopen(metrics, timeout=5) as answer:
        return round(sum(map(float, _TAKEN.findall(answer.read().decode()))))


def measure(world: World, prefix: str, seconds: float, turns: int) -> Tree:
    """p99 with and without, and how many snapshots there were."""
    calm, beside, snapshots = [], [], 0
    for turn in range(turns):
        calm.append(_p99(world, f"{prefix}c{turn}.", seconds, NEVER)[0])
        p99, written = _p99(world, f"{prefix}s{turn}.", seconds, ALWAYS)
        beside.append(p99)
        snapshots += written
    return {
        "snapshot_p99_ratio": round(median(beside) / median(calm), 2),
        "snapshot_p99_ms": median(beside),
        "snapshot_calm_p99_ms": median(calm),
        "snapshot_count": snapshots,
    }


def _p99(world: World, prefix: str, seconds: float, pace: dict[str, str]) -> tuple[float, int]:
    world.topics(prefix)
    with world.serving_ledger(prefix, pace) as ledger:
        asked = (world.bootstrap, prefix, IN_FLIGHT, seconds, "--accounts", ACCOUNTS)
        found = world.measured("pairs", *asked, seconds=seconds)
        written = taken(ledger.metrics)
    world.drop_topics(prefix)
    return float(found["reserve_p99_ms"]), written
