"""What the gateway takes as a run's name, the worker turns into the ids of the run's steps."""

import pytest
from contracts.units import ID_LENGTH_MAX
from studio_tools.settling import step

STEPS = ("charge", "release")


@pytest.mark.parametrize("length", [1, 36, 56, 57, 63, 64])
def test_every_run_that_can_be_named_has_steps_that_can_be_named(length: int) -> None:
    run = "r" * length
    ids = [step(run, name) for name in STEPS]
    assert max(map(len, ids)) <= ID_LENGTH_MAX
    assert [one.rpartition(":")[2] for one in ids] == list(STEPS)
    assert ids == [step(run, name) for name in STEPS], "another execution asks the same"


def test_a_step_shows_its_run_where_there_is_room() -> None:
    assert step("r" * 56, "release") == "r" * 56 + ":release"


def test_long_runs_that_differ_at_the_end_have_different_steps() -> None:
    runs = ["r" * 63 + last for last in "abc"]
    assert len({step(run, name) for run in runs for name in STEPS}) == 6
