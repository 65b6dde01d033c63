"""What the projections show to Prometheus. Timestamps, not ages: an age goes stale, a time not."""

from time import time
from typing import Protocol

from bus.gauges import InvariantGauges
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Board(Protocol):
    """What a projection tells whoever watches it."""

    def applied(self, projection: str, records: int, seconds: float) -> None:
        """A batch is stored."""

    def stands(
        self, projection: str, partition: int, offset: int, at_ms: int, skipped: int
    ) -> None:
        """Where a projection stands after a batch."""

    def left(self, projection: str, records: dict[int, int]) -> None:
        """How many records of each partition an idle projection has still to apply."""

    def halt(self, projection: str) -> None:
        """A projection stands still for good."""


class Metrics:
    """One registry for both projections, the read models and the compliance log."""

    def __init__(self, port: int = 0) -> None:
        registry = self.registry = CollectorRegistry()
        by = ("projection", "partition")
        self._position = Gauge(
            "scrip_projection_position",
            "Offset of the next record to apply.",
            by,
            registry=registry,
        )
        self._applied_at = Gauge(
            "scrip_projection_last_applied_timestamp_seconds",
            "Broker time of the last record applied.",
            by,
            registry=registry,
        )
        self._lag = Gauge(
            "scrip_consumer_lag_messages", "Records not applied yet.", by, registry=registry
        )
        self._current_at = Gauge(
            "scrip_projection_current_timestamp_seconds",
            "When this projection last knew that it had applied everything.",
            ("projection",),
            registry=registry,
        )
        self._skipped = Counter(
            "scrip_projection_skipped_events",
            "Records read that do not count; must stay 0.",
            by,
            registry=registry,
        )
        self._records = Counter(
            "scrip_projection_records", "Records applied.", ("projection",), registry=registry
        )
        self._seconds = Histogram(
            "scrip_projection_commit_seconds",
            "Time to store one batch.",
            ("projection",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._halted = Gauge(
            "scrip_projection_halted",
            "1 when a projection met what it cannot read and stands still.",
            ("projection",),
            registry=registry,
        )
        self.invariants = InvariantGauges(registry)
        if port:
            start_http_server(port, addr="127.0.0.1", registry=registry)

    def applied(self, projection: str, records: int, seconds: float) -> None:
        """A batch is stored."""
        self._records.labels(projection).inc(records)
        self._seconds.labels(projection).observe(seconds)

    def stands(
        self, projection: str, partition: int, offset: int, at_ms: int, skipped: int
    ) -> None:
        """Where a projection stands after a batch."""
        labels = projection, str(partition)
        self._position.labels(*labels).set(offset)
        self._applied_at.labels(*labels).set(at_ms / 1000)
        self._skipped.labels(*labels).inc(skipped)

    def left(self, projection: str, records: dict[int, int]) -> None:
        """How many records of each partition an idle projection has still to apply."""
        for partition, count in records.items():
            self._lag.labels(projection, str(partition)).set(count)
        if not any(records.values()):
            self._current_at.labels(projection).set(time())

    def halt(self, projection: str) -> None:
        """A projection stands still for good."""
        self._halted.labels(projection).set(1)
