"""A million accounts and millions of events; then kill -9, and everything must come back.

All commands go through Kafka and are decided by a real ledger, by the batch. Memory is that of the
ledger's process: once when each account was granted, held and charged (`rss_mb`), once at the end,
when it remembers every answer of the day (`rss_full_mb`), and once in its successor.
`restart_s` is from the kill to the first answer of every partition, the group's session of 6 s
included; what stood behind the last snapshot is told beside it. What is found is told as it comes.
"""

import asyncio
import sys
import time
import uuid

import uvloop
from contracts.commands import Reserve
from msgspec import Struct

from tests.benchmarks.bridge import BENCH, Bridge
from tests.benchmarks.cpu import resident_bytes
from tests.benchmarks.figures import Tree
from tests.benchmarks.stalls import taken
from tests.benchmarks.world import PARTITIONS, CellFailed, Ledger, World

ACCOUNTS, LONG_EVENTS = 1_000_000, 10_000_000
EVENTS = 3_200_000  # each account's first three, and some of anyone's: minutes, and not an hour
TAIL_EVENTS = 190_000  # then: fewer than the next snapshot begins behind, in each partition
CALM_S = 150.0  # until the last snapshot is whole
ECHO_S = 15.0
SLOWEST_EVENTS_PER_S = 2_000  # below, something is wrong
ANSWERED_WITHIN_S = 180.0


class Size(Struct, frozen=True):
    """How many of what; `pace` are the ledger's settings where they are not its own."""

    accounts: int = ACCOUNTS
    events: int = EVENTS
    tail_events: int = TAIL_EVENTS
    calm_s: float = CALM_S
    pace: dict[str, str] = {}

    @property
    def every(self) -> tuple[str, ...]:
        """How often the log says the state's hash, where it is not as usual."""
        told = self.pace.get("SCRIP_CHECKPOINT_EVENTS")
        return () if told is None else ("--checkpoint-events", told)


def measure(world: World, prefix: str, size: Size = Size()) -> Tree:  # noqa: B008 - frozen
    """Everything; raises CellFailed."""
    accounts, events = size.accounts, size.events
    world.topics(f"{prefix}echo.")
    with world.echo(f"{prefix}echo."):
        floor = _batches(world, f"{prefix}echo.", accounts, "--seconds", ECHO_S, "--echo")
    world.drop_topics(f"{prefix}echo.")
    world.topics(prefix)
    with world.serving_ledger(prefix, size.pace) as ledger:
        first = _batches(world, prefix, accounts, "--events", 3 * accounts)
        told: Tree = {"accounts": accounts, "rss_mb": _megabytes(ledger)}
        turn = first["next_turn"]
        rest = _batches(world, prefix, accounts, "--events", events - 3 * accounts, "--first", turn)
        told["rss_full_mb"] = _megabytes(ledger)
        time.sleep(size.calm_s)
        snapshots = taken(ledger.metrics)
        turn = rest["next_turn"]
        tail = _batches(world, prefix, accounts, "--events", size.tail_events, "--first", turn)
        told["restart_s"] = uvloop.run(_killed(world, prefix, ledger))
        _say(told)
    found = world.measured(
        "restoring", world.bootstrap, prefix, *size.every, seconds=events / SLOWEST_EVENTS_PER_S
    )
    _say(found)
    if not found["hash_equal"]:
        raise CellFailed(f"restored and replayed differ: {found['state_hashes']}")
    took = first["seconds"] + rest["seconds"]
    written = first["events"] + rest["events"]
    return {
        **told,
        **found,
        "events": written + tail["events"],
        "events_per_s": round(written / took),
        "echo_events_per_s": floor["events_per_s"],
        "snapshots": snapshots,
    }


def _batches(world: World, prefix: str, accounts: int, *asked: object) -> Tree:
    seconds = ECHO_S
    if "--events" in asked:
        seconds += float(str(asked[asked.index("--events") + 1])) / SLOWEST_EVENTS_PER_S
    more = ("--accounts", accounts, *asked)
    return _say(world.measured("batches", world.bootstrap, prefix, *more, seconds=seconds))


def _say(found: Tree) -> Tree:
    print(f"  million {found}", file=sys.stderr, flush=True)
    return found


def _megabytes(ledger: Ledger) -> int:
    return round(resident_bytes(ledger.process.pid) / 1e6)


async def _killed(world: World, prefix: str, ledger: Ledger) -> float:
    """Kill the owner, start another, and ask each partition until it answers."""
    bridge = Bridge(world.bootstrap, prefix)
    await bridge.start()
    try:
        died = time.perf_counter()
        ledger.process.kill()
        successor = world.ledger(prefix, "ledger-again")
        names = [f"acct-{number:012x}" for number in range(100)]
        asked = [
            bridge.ask(Reserve(id=uuid.uuid4().hex, account=name, actor=BENCH, amount=1))
            for name in (
                next(n for n in names if bridge.partition(n) == p) for p in range(PARTITIONS)
            )
        ]
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            answers = set(await asyncio.gather(*asked))
        took = time.perf_counter() - died
        if answers != {"CreditsReserved"}:
            raise CellFailed(f"after the restart a reserve was answered {answers}")
        await asyncio.to_thread(successor.process.stop)
    finally:
        await bridge.stop()
    return round(took, 2)
