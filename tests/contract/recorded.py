"""Logs that were recorded once, and what they came to: no later version may remember otherwise.

`python -m tests.contract.recorded DAY` records what the ledger of today writes in a few simulated
worlds, and for two accounts that live through every rule, beside what is there; `... again` writes
down anew what the recorded logs come to, for a change that is meant: raise `_EVOLUTION` in
ledger.resting with it, and say why in the log.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from bus.log import Record
from contracts.catalogue import bundled
from ledger.partition import Partition

from tests.contract.lived import lived
from tests.simulation.faults import SETS
from tests.simulation.prices import catalogues
from tests.simulation.world import PARTITIONS, World

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "recorded"
SEEDS = (3, 9, 11)
DERIVED = ("trail",)  # a checksum of charges, which are told themselves


class Recorded(msgspec.Struct):
    """A partition's log and the digest of the state that it comes to."""

    partition: int
    partitions: int
    digest: str
    events: list[str]


def replayed(log: Recorded) -> Partition:
    """The state that a recorded log comes to."""
    partition = Partition(log.partition, log.partitions, bundled())
    partition.replay(
        Record(offset, 0, b"", value.encode()) for offset, value in enumerate(log.events)
    )
    return partition


def digest(partition: Partition) -> str:
    """A hash of all that is remembered, by name, without what is as if nothing had happened.

    So a field may be added without a trace, and nothing else may change.
    """
    told = [_told(account) for account in partition.accounts.all()]
    whole = json.dumps([told, partition.reader.seq, partition.reader.commands_from], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _told(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = [f for f in msgspec.structs.fields(value) if f.name not in DERIVED]
        there = {field.name: getattr(value, field.name) for field in fields}
        return {
            field.name: _told(there[field.name])
            for field in fields
            if there[field.name] != field.default and there[field.name] not in ({}, [], ())
        }
    if isinstance(value, dict):
        return [[key, _told(one)] for key, one in value.items()]  # the order is remembered too
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def record(day: str) -> None:
    """Record what the ledger of today writes."""
    for seed in SEEDS:
        world = World(seed, SETS["std"], catalogues())
        world.run()
        for part in world.broker.partitions:
            events = [one.value.decode() for one in part.events]
            log = Recorded(part.number, PARTITIONS, "", events)
            _write(FOLDER / f"{day}-{seed}-{part.number}.json", log)
    _write(FOLDER / f"{day}-lived-0.json", Recorded(0, 1, "", lived()))


def _write(file: Path, log: Recorded) -> None:
    log.digest = digest(replayed(log))
    FOLDER.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(log), indent=1) + b"\n")


def read(file: Path) -> Recorded:
    """A recorded log."""
    return msgspec.json.decode(file.read_bytes(), type=Recorded)


if __name__ == "__main__":
    if sys.argv[1] == "again":
        for known in FOLDER.iterdir():
            _write(known, read(known))
    else:
        record(sys.argv[1])
