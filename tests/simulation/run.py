"""Run many worlds: `python -m tests.simulation.run --seeds 5000 [--workers 2] [--set std]`.

Prints seeds per second, what happened in those worlds, and every anomaly with the seed that shows
it again (`--trace SEED`). Exit code 1 if there was one. `--mutants` leaves out one step of the
protocol after the other and prints how soon each is caught.
"""

import argparse
import sys
import time

from tests.simulation.auditor import Anomaly
from tests.simulation.faults import SETS
from tests.simulation.hunt import hunt, table
from tests.simulation.prices import catalogues
from tests.simulation.world import World
from tests.simulation.worlds import many, variant


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=5000)
    asked.add_argument("--start", type=int, default=0)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--set", choices=sorted(SETS))
    asked.add_argument("--mutants", action="store_true", help="show that each mutant is caught")
    asked.add_argument("--trace", type=int, help="print one world step by step")
    args = asked.parse_args()
    if args.trace is not None:
        return trace(args.trace, args.set)
    if args.mutants:
        found = hunt(args.start, args.workers)
        print(table(found))
        return any(not one.said for one in found)
    begun = time.perf_counter()
    total = many(args.start, args.seeds, args.set, args.workers)
    seconds = time.perf_counter() - begun
    print(f"{total.seeds} worlds in {seconds:.1f} s: {total.seeds / seconds:.0f} seeds/s")
    for name, count in sorted(total.stats.items()):
        print(f"  {name:32} {count:9d}  {count / total.seeds:8.2f} a world")
    for seed, what in total.anomalies:
        print(f"ANOMALY seed {seed} {variant(seed, args.set)}: {what}")
    print(f"{len(total.anomalies)} anomalies")
    return 1 if total.anomalies else 0


def trace(seed: int, only: str | None) -> int:
    """One world, step by step."""
    name, fence = variant(seed, only)
    world = World(seed, SETS[name], catalogues(), fence=fence)
    world.trace = []
    verdict = "at rest"
    try:
        world.run()
    except Anomaly as wrong:
        verdict = f"ANOMALY {wrong}"
    print(*world.trace, sep="\n")
    for part in world.broker.partitions:
        for record in part.events:
            at = record.timestamp % 10_000_000
            print(f"p{part.number} {record.offset:3d} {at} {record.value.decode()}")
    print(verdict)
    return verdict != "at rest"


if __name__ == "__main__":
    sys.exit(main())
