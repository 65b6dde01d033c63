"""What the notifier shows to Prometheus: base units, and labels from closed lists only."""

from contracts.notifications import NotificationKind
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server


class Metrics:
    """One registry per process."""

    def __init__(self, port: int = 0) -> None:
        registry = self.registry = CollectorRegistry()
        self.written = Counter(
            "scrip_notifications_written",
            "Notifications that Kafka acknowledged; after a crash some twice, under the same id.",
            ("kind",),
            registry=registry,
        )
        self.undelivered = Counter(
            "scrip_notifications_undelivered",
            "Attempts that Kafka did not acknowledge; each was tried again.",
            registry=registry,
        )
        self.unknown_gifts = Counter(
            "scrip_notifications_unknown_gifts",
            "Gifts that ended and whose sender is not remembered; must stay 0.",
            registry=registry,
        )
        self.positioned = Counter(
            "scrip_notifier_positioned",
            "Times that a partition was taken up, at a start or when another left.",
            registry=registry,
        )
        self.skipped = Counter(
            "scrip_notifier_skipped_events",
            "Records read that do not count; must stay 0.",
            registry=registry,
        )
        self.read_at = Gauge(
            "scrip_notifier_last_event_timestamp_seconds",
            "Time of the newest event read.",
            registry=registry,
        )
        for kind in NotificationKind:
            self.written.labels(kind.value)
        if port:
            start_http_server(port, addr="127.0.0.1", registry=registry)
