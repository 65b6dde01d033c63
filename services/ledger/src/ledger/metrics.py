"""What the ledger shows to Prometheus: read from the owners when asked, nothing on the hot path."""

from collections.abc import Iterator

from bus.kafka_log import Cluster
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ledger.seat import Seat


class Board:
    """One registry over whichever seat the process holds now. Port 0 serves nothing."""

    def __init__(self, port: int) -> None:
        self._seat: Seat | None = None
        self._cluster: Cluster | None = None
        self.registry = CollectorRegistry()
        self.registry.register(self)
        if port:
            start_http_server(port, addr="127.0.0.1", registry=self.registry)

    def watch(self, seat: Seat, cluster: Cluster) -> None:
        """From now on show this seat."""
        self._seat, self._cluster = seat, cluster

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        owners = {} if self._seat is None else self._seat.owners
        outcomes = CounterMetricFamily(
            "scrip_commands",
            "Commands decided since the partition was taken over, by answer and reason.",
            labels=("partition", "outcome", "reason"),
        )
        gauges = {
            name: GaugeMetricFamily(name, text, labels=("partition",))
            for name, text in (
                ("scrip_partition_serving", "1 once the partition is claimed and decided here."),
                ("scrip_partition_halted", "1 when a rule raised: this partition stands still."),
                ("scrip_ledger_accounts", "Accounts in memory."),
                ("scrip_ledger_sequence", "The newest sequence number."),
                ("scrip_ledger_batches", "Batches acknowledged since the takeover."),
                ("scrip_ledger_events", "Events acknowledged since the takeover."),
                ("scrip_ledger_claims", "Claims appended since the takeover began."),
                ("scrip_ledger_fenced_events", "Events read that do not count; must stay 0."),
                ("scrip_ledger_snapshots", "Snapshots completed since the takeover."),
                ("scrip_ledger_restored_sequence", "Where the snapshot stood; 0: all was read."),
                ("scrip_ledger_checkpoints", "Checkpoints written since the takeover."),
                ("scrip_ledger_last_event_timestamp_seconds", "Broker time of the newest event."),
            )
        }
        for number, owner in owners.items():
            label, partition = [str(number)], owner.partition
            halted = self._seat is not None and number in self._seat.halted
            gauges["scrip_partition_serving"].add_metric(label, float(owner.serving))
            gauges["scrip_partition_halted"].add_metric(label, float(halted))
            gauges["scrip_ledger_accounts"].add_metric(label, len(partition.accounts))
            gauges["scrip_ledger_sequence"].add_metric(label, partition.reader.seq)
            gauges["scrip_ledger_batches"].add_metric(label, owner.batches)
            gauges["scrip_ledger_events"].add_metric(label, owner.events)
            gauges["scrip_ledger_claims"].add_metric(label, owner.claims)
            gauges["scrip_ledger_fenced_events"].add_metric(label, partition.reader.skipped)
            gauges["scrip_ledger_snapshots"].add_metric(label, owner.snapshots.taken)
            gauges["scrip_ledger_restored_sequence"].add_metric(label, partition.restored_from)
            gauges["scrip_ledger_checkpoints"].add_metric(label, partition.checkpoints.taken)
            gauges["scrip_ledger_last_event_timestamp_seconds"].add_metric(
                label, partition.now / 1000
            )
            for (outcome, reason), count in list(partition.outcomes.items()):
                outcomes.add_metric([*label, outcome, reason], count)
        yield outcomes
        yield from gauges.values()
