"""Worlds full of faults come to rest without an anomaly, and every mutant is caught."""

import pytest

from tests.simulation.faults import SETS
from tests.simulation.gateway import SimGateway
from tests.simulation.hunt import Caught, hunt, table
from tests.simulation.mutant_readers import (
    FirstSeqTaken,
    SeqOnly,
    StartsBlind,
    TokenOnly,
    with_reader,
)
from tests.simulation.mutants import mutants
from tests.simulation.prices import catalogues
from tests.simulation.scenes import late_copies
from tests.simulation.world import World
from tests.simulation.worlds import many

SEEDS = 5_000
WORKERS = 2
# What must have happened in so many worlds, or they were too quiet to say anything.
HAPPENED = {
    "fenced": 100,
    "landed": 100,  # a batch or a renewal at another offset than expected
    "timed out": 500,
    "claims not exact": 500,
    "batches lost by their leader": 100,
    "producers forgotten": 500,
    "commands_cut": 500,
    "skipped": 200,
    "follow-ups": 2_000,
    "CreditsReceived": 1_000,
    "TransferSettled": 1_000,
    "CommandTooOld": 500,
    "AnswerRepeated": 5_000,
    "CommandRejected": 500,
    "id_conflict": 100,
    "snapshots taken": 5_000,
    "restored": 1_000,
    "snapshots_missing": 200,
    "checkpoints compared": 2_000,
}


def test_worlds_come_to_rest() -> None:
    told = many(0, SEEDS, None, WORKERS)
    shown = "\n".join(f"{name:32} {count}" for name, count in sorted(told.stats.items()))
    print(shown)
    assert told.anomalies == []
    assert told.seeds == SEEDS
    quiet = {what: told.stats[what] for what, least in HAPPENED.items() if told.stats[what] < least}
    assert not quiet, f"too quiet: {quiet}"


def test_a_seed_is_a_world() -> None:
    logs = []
    for _ in range(2):
        world = World(11, SETS["rogue"], catalogues())
        world.run()
        logs.append([record.value for part in world.broker.partitions for record in part.events])
    assert logs[0] == logs[1]
    assert logs[0]


@pytest.fixture(scope="module")
def hunted() -> dict[str, Caught]:
    found = hunt(0, WORKERS)
    print(table(found))
    return {one.name: one for one in found}


@pytest.mark.parametrize("name", [mutant.name for mutant in mutants()])
def test_mutant_is_caught(hunted: dict[str, Caught], name: str) -> None:
    assert hunted[name].said, f"{name}: not caught in {hunted[name].seeds} worlds"


@pytest.mark.parametrize(
    "gateway",
    [
        FirstSeqTaken,
        StartsBlind,
        with_reader(TokenOnly).gateway,
        with_reader(SeqOnly).gateway,
    ],
)
def test_reader_that_leaves_out_a_rule_believes_a_late_copy(gateway: type[SimGateway]) -> None:
    assert late_copies(gateway).startswith("GATEWAY")


def test_reader_believes_no_late_copy() -> None:
    assert late_copies(SimGateway) == ""
