"""How far the intake may commit, and what a finished run leaves behind."""

from contracts.commands import Charge, Limits, Release
from contracts.runs import RunDispatched, RunOutcome
from contracts.units import ID_LENGTH_MAX
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from studio_tools.outcomes import (
    Completed,
    Failed,
    InvalidInput,
    NotAvailable,
    Outcome,
    Reason,
    Usage,
)
from studio_tools.progress import Progress
from studio_tools.recent import Recent
from studio_tools.results import result_of, too_late
from studio_tools.settling import ending_of, step

from contracts import codec


@given(st.permutations(range(6)), st.integers(0, 6))
def test_nothing_unfinished_is_ever_committed(order: list[int], finished: int) -> None:
    progress = Progress()
    for offset in range(100, 106):
        progress.begin(offset)
    done = order[:finished]
    for place in done:
        progress.finish(100 + place)
    first_open = min((place for place in range(6) if place not in done), default=6)
    assert progress.due() == (100 + first_open)
    progress.committed(100 + first_open)
    assert progress.due() is None


def test_a_partition_that_gave_nothing_has_nothing_to_commit() -> None:
    assert Progress().due() is None


def test_recent_results_are_bounded_and_the_oldest_go_first() -> None:
    recent = Recent(bytes_max=10)
    recent.keep("a", b"12345")
    recent.keep("b", b"12345")
    assert recent.get("a") == b"12345"
    recent.keep("c", b"123")
    assert recent.get("a") is None
    recent.keep("c", b"1234567")
    assert (recent.get("b"), recent.get("c")) == (None, b"1234567")


RUN = RunDispatched(
    run="run-1",
    account="acc",
    tool="data-studio-quality",
    reservation="run-1",
    input=Raw(b"{}"),
    limits=Limits(1, 1, 1),
    expires_at=10,
)
USED = Usage(cpu_ms=5, memory_mb=6, duration_ms=7)
FREE: tuple[tuple[Outcome, RunOutcome, str], ...] = (
    (InvalidInput("rows: bad", USED), RunOutcome.INVALID_INPUT, "invalid_input"),
    (NotAvailable("data-studio-quality"), RunOutcome.NOT_AVAILABLE, "not_available"),
    *((Failed(reason, USED), RunOutcome.FAILED, reason.value) for reason in Reason),
)


def test_only_a_completed_run_is_charged_and_by_what_it_used() -> None:
    ending = ending_of(RUN, Completed(b"{}", USED), now=3)
    assert isinstance(ending, Charge)
    assert (ending.id, ending.final, ending.issued_at) == ("run-1:charge", True, 3)
    assert ending.usage is not None
    assert (ending.usage.cpu_ms, ending.usage.memory_mb, ending.usage.duration_ms) == (5, 6, 7)
    for outcome, _, _ in FREE:
        ending = ending_of(RUN, outcome, now=3)
        assert isinstance(ending, Release)
        assert (ending.id, ending.reservation) == ("run-1:release", "run-1")


def test_a_no_has_a_code_and_says_what_to_do() -> None:
    for outcome, told, code in FREE:
        result = result_of(RUN, outcome)
        assert result.outcome is told
        assert bytes(result.result) == b""
        assert codec.decode_run_result(codec.encode(result)).error == result.error
        assert result.error is not None
        assert result.error.code == code
        assert len(result.error.message) > 5
    assert too_late(RUN).charged == 0


def test_a_result_survives_the_wire() -> None:
    told = result_of(RUN, Completed(b'{"a": [1]}', USED))
    back = codec.decode_run_result(codec.encode(told))
    assert bytes(back.result) == b'{"a": [1]}'
    assert back.outcome is RunOutcome.COMPLETED


def test_a_step_of_a_long_run_id_still_fits_an_id() -> None:
    assert step("r", "charge") == "r:charge"
    long = "r" * ID_LENGTH_MAX
    assert len(step(long, "release")) <= ID_LENGTH_MAX
    assert step(long, "release") == step(long, "release") != step(long[:-1] + "s", "release")
