"""Many accounts and ten events for each, a kill, and the same state from a snapshot and from all.

SCRIP_ACCOUNTS says how many; a million takes as long as `make bench` says, and more on a busy box.
"""

import os

import pytest

from tests.benchmarks.million import EVENTS, Size, measure
from tests.benchmarks.world import World

ACCOUNTS = int(os.environ.get("SCRIP_ACCOUNTS", "10000"))
SMALL = {"SCRIP_SNAPSHOT_EVENTS": "10000", "SCRIP_SNAPSHOT_GAP_MS": "1000"}


@pytest.mark.timeout(14_400)
def test_a_long_run_comes_back_as_it_was() -> None:
    size = Size()
    if ACCOUNTS * 10 < EVENTS:
        tail = {"SCRIP_CHECKPOINT_EVENTS": "10000", **SMALL}
        size = Size(ACCOUNTS, ACCOUNTS * 10, ACCOUNTS // 2, calm_s=10, pace=tail)
    with World() as world:
        found = measure(world, "long.", size)  # raises where the two states differ
    for name, figure in found.items():
        print(f"long run: {name} {figure}")
    assert found["hash_equal"]
    assert found["log_accounts"] == size.accounts
    assert found["log_events"] >= size.events + size.tail_events
    assert found["snapshots"] > 0
    assert found["checkpoints_compared"] > 0
    assert 0 < found["restore_tail_events"] < found["log_events"], (
        "from a snapshot, not from the start"
    )
