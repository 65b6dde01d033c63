"""The gauges of the invariants: the same two in every service that looks at some."""

from time import time

from contracts.invariants import Invariant
from prometheus_client import CollectorRegistry, Gauge


class InvariantGauges:
    """The two gauges of the family, for the invariants that one service looks at."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._violations = Gauge(
            "scrip_invariant_violations",
            "Violations that the last whole look found; must be 0.",
            ("invariant",),
            registry=registry,
        )
        self._checked_at = Gauge(
            "scrip_invariant_last_check_timestamp_seconds",
            "When the last whole look ended; absent until there was one.",
            ("invariant",),
            registry=registry,
        )

    def found(self, invariant: Invariant, violations: int) -> None:
        """A look ended."""
        self._violations.labels(invariant.value).set(violations)
        self._checked_at.labels(invariant.value).set(time())

    def rose(self, invariant: Invariant, violations: int) -> None:
        """A look that has not ended found more than the last one."""
        self._violations.labels(invariant.value).set(violations)
