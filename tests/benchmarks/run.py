"""All figures of speed and memory, each beside its floor, on this machine, now.

    python -m tests.benchmarks.run [--quick] [--long] [--only pipeline,http,...]

Starts its own engine and services (`tests.benchmarks.world`) and prints a table. 15 s a cell and
the median of 3; `--quick` takes 3 s, once, and is for a look only. A full run writes
`.local/bench/latest.json`; `--only` replaces its sections there; `--quick` writes `quick.json`.
`--long` makes the million accounts write ten million events, and not three: an hour.

Pipeline and echo cells take turns, so that noise of the machine hits both. Each repetition has
fresh topics, one ledger process and one echo process for all of its cells: no process outlives
five cells, so memory stays bounded and every repetition starts alike. Both are there all the time;
the one that is not asked only polls. The log of the last repetition is what replay and projector
read, made longer where it is too short. The broker is warm before the first cell.

Exit 0 when everything was measured (reached or missed), 1 when a section failed.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.benchmarks import figures, http, million, projecting, stalls, takeover
from tests.benchmarks.figures import HTTP, PIPELINE, Tree, medians
from tests.benchmarks.world import World, results_folder

SECONDS, REPETITIONS = 15.0, 3
QUICK_SECONDS = 3.0
LOG_EVENTS = 1_000_000  # at least, for replay and projector
QUICK_LOG_EVENTS = 100_000
FILL_IN_FLIGHT, FILL_S = 2_000, 10.0
WARM_UP_IN_FLIGHT, WARM_UP_S = 256, 3.0
BATCH_ACCOUNTS = 5_000  # all of them in use
QUICK_ACCOUNTS = 50_000


class Bench:
    """One run of the benchmarks: how long a cell takes, and what was found so far."""

    def __init__(self, world: World, *, quick: bool, long: bool) -> None:
        self._world = world
        self._quick = quick
        self._long = long
        self._seconds = QUICK_SECONDS if quick else SECONDS
        self._repetitions = 1 if quick else REPETITIONS
        self._log: str | None = None  # the prefix whose events replay and projector read
        self.found: Tree = {}

    def pipeline(self) -> None:
        """Reserve and charge over Kafka, in turns with the echo."""
        kept: dict[str, dict[str, list[Tree]]] = {
            "pipeline": {cell: [] for cell in PIPELINE},
            "echo": {cell: [] for cell in PIPELINE},
        }
        for repetition in range(self._repetitions):
            prefix, echo = f"p{repetition}.", f"e{repetition}."
            self._begin_log(prefix)
            self._world.topics(echo)
            with self._world.serving_ledger(prefix) as ledger, self._world.echo(echo) as copier:
                beside = self._world.watch(ledger=ledger.process.pid)
                below = self._world.watch(echo=copier.pid)
                for cell in PIPELINE:
                    kept["pipeline"][cell].append(self._pairs(prefix, cell, beside))
                    kept["echo"][cell].append(self._pairs(echo, cell, below, "--echo"))
            self._world.drop_topics(echo)
        for group, cells in kept.items():
            self.found[group] = {cell: medians(each) for cell, each in cells.items()}

    def http(self) -> None:
        """Pairs over HTTP."""
        self.found["http"] = self._over_http("pairs", "h")

    def run(self) -> None:
        """Runs of the tool that does nothing."""
        self.found["run"] = self._over_http("runs", "r")

    def replay(self) -> None:
        """A ledger's restore."""
        found = self._world.measured("replaying", self._world.bootstrap, self._full(), seconds=300)
        self.found.update(self._say(found))

    def projector(self) -> None:
        """The read models' catch-up."""
        log = self._full()
        self.found.update(self._say(projecting.measure(self._world, log, "projector")))
        alone = projecting.measure(self._world, log, "projector_alone", "--only", "read-models")
        self.found.update(self._say(alone))

    def takeover(self) -> None:
        """A dead owner's successor."""
        kills = 1 if self._quick else REPETITIONS
        self.found.update(self._say(takeover.measure(self._world, "t.", kills)))

    def memory(self) -> None:
        """An account at rest."""
        self.found.update(self._say(self._world.measured("resting", seconds=120)))

    def decide(self) -> None:
        """A command with every limit on, without Kafka."""
        self.found.update(self._say(self._world.measured("deciding", seconds=120)))

    def batch(self) -> None:
        """Commands 2,000 at a time, and the same past the echo."""
        asked = ("--accounts", BATCH_ACCOUNTS, "--seconds", self._seconds)
        for prefix, name, serving, more in (
            ("be.", "batch_echo_commands_per_s", self._world.echo, ("--echo",)),
            ("b.", "batch_commands_per_s", self._world.serving_ledger, ()),
        ):
            self._world.topics(prefix)
            with serving(prefix):
                told = self._world.measured(
                    "batches", self._world.bootstrap, prefix, *asked, *more, seconds=self._seconds
                )
            self._world.drop_topics(prefix)
            self.found[name] = self._say(told)["commands_per_s"]

    def snapshot(self) -> None:
        """A reserve beside a snapshot."""
        found = stalls.measure(self._world, "n.", self._seconds, self._repetitions)
        self.found.update(self._say(found))

    def million(self) -> None:
        """A million accounts, each in use, kill -9."""
        size = million.Size(events=million.LONG_EVENTS if self._long else million.EVENTS)
        if self._quick:
            size = million.Size(QUICK_ACCOUNTS, 10 * QUICK_ACCOUNTS)
        self.found["million"] = million.measure(self._world, "m.", size)

    def warm_up(self) -> None:
        """Let the broker compile itself before anything is measured."""
        prefix = "w."
        self._world.topics(prefix)
        with self._world.echo(prefix):
            asked = (self._world.bootstrap, prefix, WARM_UP_IN_FLIGHT, WARM_UP_S, "--echo")
            self._world.measured("pairs", *asked, seconds=WARM_UP_S)
        self._world.drop_topics(prefix)

    def _over_http(self, what: str, letter: str) -> Tree:
        kept: dict[str, list[Tree]] = {cell: [] for cell in HTTP}
        for repetition in range(self._repetitions):
            prefix = f"{letter}{repetition}."
            with http.road(self._world, prefix, worker=what == "runs") as road:
                self._see_flush(prefix)
                for cell in HTTP:
                    found = road.cell(what, int(cell), self._seconds)
                    kept[cell].append(self._say(found, f"{prefix}{cell}"))
            self._world.drop_topics(prefix)
        return {cell: medians(each) for cell, each in kept.items()}

    def _pairs(self, prefix: str, cell: str, *more: str) -> Tree:
        hot = ("--hot",) if cell.startswith("hot") else ()
        asked = (prefix, cell.removeprefix("hot"), self._seconds, *hot, *more)
        found = self._world.measured("pairs", self._world.bootstrap, *asked, seconds=self._seconds)
        return self._say(found, f"{prefix}{cell}")

    def _begin_log(self, prefix: str) -> None:
        if self._log is not None:
            self._world.drop_topics(self._log)
        self._world.topics(prefix)
        self._see_flush(prefix)
        self._log = prefix

    def _see_flush(self, prefix: str) -> None:
        flushed = self._world.flushed(prefix)
        self.found["fsync"] = len(flushed) == 2 and set(flushed.values()) == {"1"}
        self.found["flush_messages"] = flushed

    def _full(self) -> str:
        """The prefix of a log that is long enough."""
        if self._log is None:
            self._begin_log("full.")
        prefix = self._log or ""
        wanted = QUICK_LOG_EVENTS if self._quick else LOG_EVENTS
        while projecting.events_in(self._world.bootstrap, prefix) < wanted:
            with self._world.serving_ledger(prefix):
                asked = (self._world.bootstrap, prefix, FILL_IN_FLIGHT, FILL_S)
                self._world.measured("pairs", *asked, seconds=FILL_S)
        return prefix

    @staticmethod
    def _say(found: Tree, name: str = "") -> Tree:
        print(f"  {name:<12}{msgspec.json.encode(found).decode()}", file=sys.stderr, flush=True)
        return found


# What can be measured, in this order.
SECTIONS: Mapping[str, Callable[[Bench], None]] = {
    "memory": Bench.memory,
    "pipeline": Bench.pipeline,
    "replay": Bench.replay,
    "projector": Bench.projector,
    "http": Bench.http,
    "run": Bench.run,
    "takeover": Bench.takeover,
    "decide": Bench.decide,
    "batch": Bench.batch,
    "snapshot": Bench.snapshot,
    "million": Bench.million,
}


def measure(asked: Sequence[str], *, quick: bool, long: bool) -> tuple[Tree, dict[str, str]]:
    """All figures asked for, and why some are missing."""
    failed: dict[str, str] = {}
    run = datetime.now(UTC).isoformat(timespec="seconds")
    with World() as world:
        bench = Bench(world, quick=quick, long=long)
        if set(asked) - {"memory", "decide"} or not asked:
            bench.warm_up()
        for name, section in SECTIONS.items():
            if asked and name not in asked:
                continue
            print(f"{name} ...", file=sys.stderr, flush=True)
            started = time.monotonic()
            try:
                section(bench)
            except Exception as why:  # noqa: BLE001 - one section less, told at the end
                failed[name] = f"{type(why).__name__}: {why}"
                print(f"{name} failed: {failed[name]}", file=sys.stderr)
                continue
            took = round(time.monotonic() - started)
            bench.found.setdefault("sections", {})[name] = {"run": run, "took_s": took}
    return bench.found, failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 s a cell, once")
    parser.add_argument("--long", action="store_true", help="ten million events in `million`")
    parser.add_argument("--only", default="", help="of the sections, with commas")
    given = parser.parse_args()
    only = [name for name in given.only.split(",") if name]
    if unknown := set(only) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    tree, failed = measure(only, quick=given.quick, long=given.long)
    file = results_folder() / ("quick.json" if given.quick else "latest.json")
    if only and file.exists():
        tree = _merged(msgspec.json.decode(file.read_bytes()), tree)
    figures.derived(tree)
    tree["machine"] = _machine(quick=given.quick)
    tree["targets"] = figures.verdicts(tree)
    tree["failed"] = failed
    file.write_bytes(msgspec.json.format(msgspec.json.encode(tree), indent=2) + b"\n")
    _print(tree, file, quick=given.quick)
    sys.exit(1 if failed else 0)


def _merged(before: Tree, now: Tree) -> Tree:
    measured = {**before.get("sections", {}), **now.get("sections", {})}
    return {**before, **now, "sections": measured}


def _machine(*, quick: bool) -> Tree:
    cell = QUICK_SECONDS if quick else SECONDS
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cell_s": cell,
        "repetitions": 1 if quick else REPETITIONS,
    }


def _print(tree: Tree, file: Path, *, quick: bool) -> None:
    figures.table(tree, print)
    flushed = tree.get("flush_messages", {})
    shown = ", ".join(f"{topic} {value}" for topic, value in flushed.items()) or "not asked"
    print(f"\nflush.messages as the broker has it: {shown}; fsync {tree.get('fsync')}")
    for name, why in tree["failed"].items():
        print(f"FAILED {name}: {why}")
    if quick:
        print("A quick look: 3 s a cell, once. Not for the record.")
    print(file)


if __name__ == "__main__":
    main()
