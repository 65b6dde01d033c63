"""A whole log taken over from its snapshot, and again from its first event: the same state.

    python -m tests.benchmarks.restoring BOOTSTRAP PREFIX [--checkpoint-events N]

The very owner that serves, without its group; one partition after the other, in one process. The
floor of the replay is to read the log and look at nothing. Prints one JSON line.
"""

import argparse
import gc
import json
import os
import time

import uvloop
from bus.kafka_log import Cluster, KafkaLog
from bus.topics import partitions_of
from contracts.catalogue import served
from contracts.topics import EVENTS
from ledger.checkpoints import EVERY_EVENTS
from ledger.owner import Owner
from ledger.partition import Partition
from ledger.snapshots import Pace

from tests.benchmarks.cpu import resident_bytes

NEVER = Pace(events=1 << 60)


class Found:
    """What all partitions come to."""

    def __init__(self) -> None:
        self.restore_s = self.replay_s = self.read_s = 0.0
        self.events = self.accounts = self.tail = self.compared = 0
        self.hashes: list[str] = []
        self.equal = True


async def partition(cluster: Cluster, number: int, every: int, found: Found) -> None:
    """One partition, three times."""
    log, catalogue = KafkaLog(cluster, number), served("test")

    def fresh() -> Partition:
        return Partition(number, cluster.partitions, catalogue, every)

    owner = Owner(log, fresh, NEVER)
    start = time.perf_counter()
    await owner.take_over()
    found.restore_s += time.perf_counter() - start
    restored = owner.partition
    await log.close()
    found.tail += restored.reader.seq - restored.restored_from
    if not restored.restored_from:
        raise AssertionError(f"partition {number} was not restored from a snapshot")
    end = restored.reader.offset
    start = time.perf_counter()
    async for records in log.events(0, end):
        found.events += len(records)
    found.read_s += time.perf_counter() - start
    again = fresh()
    start = time.perf_counter()
    async for records in log.events(0, end):
        again.replay(records)
    found.replay_s += time.perf_counter() - start
    found.compared += again.checkpoints.compared
    found.accounts += len(again.accounts)
    hashes = {restored.accounts.state_hash(), again.accounts.state_hash()}
    found.hashes += sorted(hashes)
    found.equal &= len(hashes) == 1 and restored.reader.seq == again.reader.seq


async def run(bootstrap: str, prefix: str, every: int) -> dict[str, object]:
    count = await partitions_of(bootstrap, prefix + EVENTS.name)
    cluster = Cluster(bootstrap, prefix, "test", count)
    await cluster.start()
    found = Found()
    try:
        for number in range(count):
            await partition(cluster, number, every, found)
    finally:
        await cluster.stop()
    return {
        "restore_s": round(found.restore_s, 2),
        "restore_tail_events": found.tail,
        "replay_s": round(found.replay_s, 1),
        "replay_events_per_s": round(found.events / found.replay_s),
        "read_floor_events_per_s": round(found.events / found.read_s),
        "log_events": found.events,
        "log_accounts": found.accounts,
        "checkpoints_compared": found.compared,
        "hash_equal": found.equal,
        "state_hashes": found.hashes,
        "restoring_rss_mb": round(resident_bytes(os.getpid()) / 1e6),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("--checkpoint-events", type=int, default=EVERY_EVENTS)
    asked = parser.parse_args()
    gc.set_threshold(200_000, 50, 1000)  # as the ledger runs
    print(json.dumps(uvloop.run(run(asked.bootstrap, asked.prefix, asked.checkpoint_events))))


if __name__ == "__main__":
    main()
