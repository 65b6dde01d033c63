"""A circuit per operation: it opens after failures in a row, rests, and lets one call try."""

import pytest
from payments.circuit import FAILURES_MAX, REST_S, CircuitOpen, Circuits


def test_it_opens_rests_and_lets_one_try() -> None:
    now = [0.0]
    circuits = Circuits(lambda: now[0])
    for _ in range(FAILURES_MAX):
        circuits.ask("post refunds")
        circuits.failed("post refunds")
    with pytest.raises(CircuitOpen):
        circuits.ask("post refunds")
    circuits.ask("get refunds")  # another operation is not touched
    now[0] = REST_S + 1
    circuits.ask("post refunds")
    with pytest.raises(CircuitOpen):
        circuits.ask("post refunds")  # one at a time
    circuits.succeeded("post refunds")
    circuits.ask("post refunds")


def test_a_success_forgets_the_failures() -> None:
    circuits = Circuits(lambda: 0.0)
    for _ in range(FAILURES_MAX * 3):
        circuits.failed("x")
        circuits.succeeded("x")
    circuits.ask("x")
    assert not circuits.is_open("x")
