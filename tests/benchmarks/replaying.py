"""Replay of a whole log from Kafka, one partition after the other, in one process.

    python -m tests.benchmarks.replaying BOOTSTRAP PREFIX

The very code that a ledger runs when it takes over: KafkaLog.events into Partition.replay, with
the ledger's own garbage collector settings. Prints one JSON line; the state hash is timed apart.
"""

import argparse
import gc
import json
import time

import uvloop
from bus.kafka_log import Cluster, KafkaLog
from bus.topics import partitions_of
from contracts.catalogue import served
from contracts.topics import EVENTS
from ledger.partition import Partition


async def replay(bootstrap: str, prefix: str) -> dict[str, object]:
    """Events per second, and seconds to hash the state."""
    count = await partitions_of(bootstrap, prefix + EVENTS.name)
    cluster = Cluster(bootstrap, prefix, "test", count)
    catalogue = served("test")
    events = accounts = 0
    took = hashing = 0.0
    hashes = []
    for number in range(count):
        log, partition = KafkaLog(cluster, number), Partition(number, count, catalogue)
        end = await log.end()
        start = time.perf_counter()
        async for records in log.events(0, end):
            partition.replay(records)
        replayed = time.perf_counter()
        hashes.append(partition.accounts.state_hash())
        hashing += time.perf_counter() - replayed
        took += replayed - start
        if partition.reader.skipped:
            raise AssertionError(f"{partition.reader.skipped} events of {number} do not count")
        events += partition.reader.seq
        accounts += len(partition.accounts)
        await log.close()
    return {
        "replay_events_per_s": round(events / took),
        "replay_events": events,
        "replay_accounts": accounts,
        "replay_seconds": round(took, 2),
        "state_hash_seconds": round(hashing, 2),
        "state_hashes": hashes,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    asked = parser.parse_args()
    gc.set_threshold(200_000, 50, 1000)  # as the ledger runs
    print(json.dumps(uvloop.run(replay(asked.bootstrap, asked.prefix))))


if __name__ == "__main__":
    main()
