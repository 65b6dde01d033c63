"""The worker's figures for Prometheus: base units, and no label that is not from a closed list."""

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from studio_tools.outcomes import Failed, Outcome

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_MEGABYTES = (1, 4, 16, 64, 128, 256, 512, 1024)
OTHER = "other"  # a tool that is not in the catalogue: its name is not ours to use as a label


class Metrics:
    """One registry per process, made in main and handed down."""

    def __init__(self, registry: CollectorRegistry, tools: Collection[str]) -> None:
        self._tools = frozenset(tools)
        self.runs = Counter("scrip_tool_runs", "Runs ended", ["tool", "outcome"], registry=registry)
        self.run_seconds = Histogram(
            "scrip_tool_run_seconds", "Wall clock", ["tool"], buckets=_SECONDS, registry=registry
        )
        self.cpu_seconds = Counter(
            "scrip_tool_run_cpu_seconds", "CPU time used", ["tool"], registry=registry
        )
        self.memory = Histogram(
            "scrip_tool_run_memory_bytes",
            "Most memory resident at once, above the bare interpreter",
            buckets=[each * 2**20 for each in _MEGABYTES],
            registry=registry,
        )
        self.waited = Histogram(
            "scrip_tool_run_wait_seconds",
            "From being read to being started",
            buckets=_SECONDS,
            registry=registry,
        )
        self.settle_seconds = Histogram(
            "scrip_tool_settle_seconds",
            "From the end of a run to the ledger's counted event",
            buckets=_SECONDS,
            registry=registry,
        )
        self.settled = Counter(
            "scrip_tool_settled", "How reservations ended", ["how"], registry=registry
        )
        self.resent = Counter(
            "scrip_tool_commands_resent", "Commands sent again", registry=registry
        )
        self.broken = Counter(
            "scrip_tool_runs_given_up", "Runs whose handling broke: a bug", registry=registry
        )
        self.undecodable = Counter(
            "scrip_tool_dispatch_undecodable", "Records that are no run", registry=registry
        )
        self.in_flight = Gauge(
            "scrip_tool_runs_in_flight", "Runs read and not settled", registry=registry
        )
        self.zygote_restarts = Gauge(
            "scrip_tool_zygote_restarts", "Zygotes that died", registry=registry
        )
        self.skipped = Gauge(
            "scrip_reader_skipped_events", "Events that did not count: must stay 0",
            registry=registry,
        )  # fmt: skip
        self.last_taken = Gauge(
            "scrip_tool_dispatch_last_timestamp_seconds",
            "Record time of the newest run read",
            registry=registry,
        )

    def taken(self, timestamp_ms: int) -> None:
        self.last_taken.set(timestamp_ms / 1000)

    def ended(self, tool: str, outcome: Outcome) -> None:
        name = tool if tool in self._tools else OTHER
        how = (
            outcome.reason.value if isinstance(outcome, Failed) else type(outcome).__name__.lower()
        )
        self.runs.labels(name, how).inc()
        if outcome.usage.duration_ms:
            self.run_seconds.labels(name).observe(outcome.usage.duration_ms / 1000)
            self.cpu_seconds.labels(name).inc(outcome.usage.cpu_ms / 1000)
            self.memory.observe(outcome.usage.memory_mb * 2**20)
