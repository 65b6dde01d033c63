"""A circuit per operation: after several failures in a row nobody waits for the next one.

Only faults of the other side open it; what a buyer or a card did wrong never does. After a rest
one call may try; its success closes the circuit.
"""

from collections.abc import Callable

FAILURES_MAX = 5  # in a row; with their retries that is a quarter of a minute of silence
REST_S = 5.0  # long enough for the other side to breathe, short enough for a buyer to try again


class CircuitOpen(RuntimeError):
    """Stripe did not answer lately; this was not even tried."""


class Circuits:
    """The circuits of all operations, by name. `clock` gives seconds that only go forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}

    def ask(self, operation: str) -> None:
        """Raise CircuitOpen while this operation rests; one call gets through after that."""
        if self._failed.get(operation, 0) < FAILURES_MAX:
            return
        if self._clock() < self._rests_until[operation]:
            raise CircuitOpen(operation)
        self._rests_until[operation] = self._clock() + REST_S  # others rest while one tries

    def succeeded(self, operation: str) -> None:
        """It works."""
        self._failed[operation] = 0

    def failed(self, operation: str) -> None:
        """The other side failed."""
        self._failed[operation] = self._failed.get(operation, 0) + 1
        self._rests_until[operation] = self._clock() + REST_S

    def is_open(self, operation: str) -> bool:
        """Whether a call would be refused now."""
        return self._failed.get(operation, 0) >= FAILURES_MAX

    @property
    def operations(self) -> list[str]:
        """Every operation that was ever tried."""
        return sorted(self._failed)
