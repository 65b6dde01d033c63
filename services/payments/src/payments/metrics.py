"""What payments shows to Prometheus. Times, not ages, where an age would go stale."""

from importlib.metadata import version

from bus.gauges import InvariantGauges
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600)


class Metrics:
    """One registry for the process; labels come from closed lists."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        self.webhooks = Counter(
            "scrip_webhooks", "Webhooks by what became of them.", ("outcome",), registry=own
        )
        self.webhook_seconds = Histogram(
            "scrip_webhook_seconds",
            "From the first byte of a webhook to its answer.",
            buckets=_SECONDS,
            registry=own,
        )
        self.webhook_delay = Histogram(
            "scrip_webhook_delay_seconds",
            "From Stripe's making of an event to the end of its handling.",
            buckets=_SECONDS,
            registry=own,
        )
        self.credited = Histogram(
            "scrip_purchase_credited_seconds",
            "From seeing the money to the counted grant.",
            buckets=_SECONDS,
            registry=own,
        )
        self.inbox_age = Gauge(
            "scrip_inbox_oldest_seconds", "Age of the oldest webhook not handled.", registry=own
        )
        self.outbox_age = Gauge(
            "scrip_payments_outbox_oldest_seconds",
            "Age of the oldest event whose commands are not answered.",
            registry=own,
        )
        self.quarantined = Gauge(
            "scrip_payments_quarantined", "Waiting for a person.", ("what",), registry=own
        )
        self.refused = Counter(
            "scrip_payments_refused",
            "Commands of ours that the ledger refused; must stay 0.",
            ("command", "reason"),
            registry=own,
        )
        self.resent = Counter(
            "scrip_payments_commands_resent", "Commands sent again.", registry=own
        )
        self.invariants = InvariantGauges(own)
        self._states()

    def _states(self) -> None:
        own = self.registry
        self.reconciled = Gauge(
            "scrip_reconciliation",
            "What the last reconciliation found.",
            ("what", "state"),
            registry=own,
        )
        self.reconciled_at = Gauge(
            "scrip_reconciliation_timestamp_seconds",
            "When the last whole reconciliation ended.",
            registry=own,
        )
        self.circuits = Gauge(
            "scrip_stripe_circuit_open",
            "1 while an operation of Stripe is not tried.",
            ("operation",),
            registry=own,
        )
        build = Gauge("scrip_build_info", "Always 1.", ("service", "version"), registry=own)
        build.labels("payments", version("scrip-payments")).set(1)

    def serve(self, host: str, port: int) -> None:
        """Answer GET /metrics; port 0 serves nowhere."""
        if port:
            start_http_server(port, host, self.registry)
