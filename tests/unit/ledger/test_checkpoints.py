"""Checkpoints say the hash of one moment while commands go on, and every replay compares."""

import pytest
from contracts.events import Checkpoint
from ledger.checkpoints import StateDiffersError
from ledger.partition import Partition

from contracts import codec
from tests.unit.domain.kit import CATALOGUE, Story, given
from tests.unit.domain.words import grant, granted, reserve

EVERY = 4


def story() -> Story:
    made = given(granted(100))
    made.partition.checkpoints = type(made.partition.checkpoints)(EVERY)
    return made


def write(made: Story) -> Checkpoint:
    """Let the partition finish the checkpoint under way."""
    record = None
    while record is None:
        record = made.partition.checkpoint(0)
    made._write(record[1], record[0], made.partition.now)
    event = codec.decode_event(record[1])
    assert isinstance(event, Checkpoint)
    return event


def replayed(made: Story) -> Partition:
    again = Partition(0, 1, CATALOGUE, EVERY)
    again.replay(made.log)
    return again


def test_no_checkpoint_before_its_time() -> None:
    made = story().when(reserve("r1", 1))
    assert made.partition.checkpoint(0) is None


def test_a_checkpoint_is_of_the_moment_and_not_of_what_came_after() -> None:
    made = story().when(*(grant(1, f"g{n}", account=f"a{n}") for n in range(3)))
    hashed = made.partition.accounts.state_hash()
    made._check = lambda: None  # type: ignore[method-assign]
    made.when(reserve("r2", 5), grant(9, "g9", account="a2"), grant(1, "g8", account="a8"))
    said = write(made)
    assert said.counted == 4
    assert said.accounts == 4
    assert said.state_hash == hashed
    assert said.state_hash != made.partition.accounts.state_hash()
    again = replayed(made)
    assert again.checkpoints.compared == 1
    assert again.reader.seq == made.partition.reader.seq


def test_a_replay_that_remembers_otherwise_stops() -> None:
    made = story().when(*(grant(1, f"g{n}", account=f"a{n}") for n in range(3)))
    write(made)
    wrong = [
        record
        if b'"g2"' not in record.value
        else type(record)(
            record.offset,
            record.timestamp,
            record.key,
            record.value.replace(b'"priority":50', b'"priority":51'),
        )
        for record in made.log
    ]
    assert wrong != made.log
    with pytest.raises(StateDiffersError, match="behind event 4"):
        Partition(0, 1, CATALOGUE, EVERY).replay(wrong)


def test_a_checkpoint_of_another_layout_is_let_be() -> None:
    made = story().when(*(grant(1, f"g{n}", account=f"a{n}") for n in range(3)))
    event = write(made)
    event.layout, event.state_hash = "older", "0" * 32
    last = made.log[-1]
    made.log[-1] = type(last)(last.offset, last.timestamp, last.key, codec.encode(event))
    assert replayed(made).checkpoints.compared == 0
