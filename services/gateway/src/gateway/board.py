"""The metrics port: everything this process counts, for Prometheus."""

from bus.outbox import Outbox
from prometheus_client import CollectorRegistry, start_http_server

from gateway.listening import Listener
from gateway.metrics import Metrics
from gateway.waiting import Bridge
from gateway.watching import RunWatch


def show(
    metrics: Metrics,
    bridge: Bridge,
    listener: Listener,
    outbox: Outbox,
    watch: RunWatch,
) -> None:
    """Register what others count."""
    flight = bridge.flight
    for name, text, read in (
        ("scrip_commands_waiting", "Commands that wait for their answer.", lambda: len(bridge)),
        ("scrip_commands_sent_again", "Commands sent again so far.", lambda: bridge.sent_again),
        ("scrip_commands_unknown", "Commands without an answer in time.", lambda: bridge.unknown),
        ("scrip_commands_turned_away", "Commands not sent at all.", lambda: flight.refused),
        ("scrip_partitions_stalled", "Partitions taken for dead.", lambda: sum(flight.stalled)),
        ("scrip_runs_waiting", "Runs that somebody waits for.", lambda: len(watch)),
        (
            "scrip_events_skipped",
            "Events that do not count; must stay 0.",
            lambda: listener.skipped,
        ),
        ("scrip_events_reconnects", "Connections opened again.", lambda: listener.reconnects),
        ("scrip_outbox_records", "Records acknowledged by Kafka.", lambda: outbox.records),
        ("scrip_outbox_batches", "Batches they went in.", lambda: outbox.batches),
        ("scrip_outbox_failures", "Requests to Kafka that failed.", lambda: outbox.failures),
        ("scrip_outbox_waiting", "Records not yet under way.", lambda: outbox.waiting),
    ):
        metrics.gauge(name, text, read)


def serve(metrics: Metrics, host: str, port: int) -> None:
    """Open the port; 0 serves nothing."""
    if port:
        registry = CollectorRegistry()
        registry.register(metrics)
        start_http_server(port, addr=host, registry=registry)
