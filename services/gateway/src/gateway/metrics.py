"""What the gateway counts, cheaply enough for the hot path: plain dicts, read when scraped."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from importlib.metadata import version

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Duration:
    """A histogram of seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def took(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus wants them."""
        found, above = [], 0
        for bound, number in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            above += number
            found.append((bound, float(above)))
        return found


class Counter:
    """A number for each combination of label values, all of which come from closed lists."""

    def __init__(self, name: str, help_text: str, *labels: str) -> None:
        self.name = name
        self.help_text = help_text
        self.labels = labels
        self._numbers: dict[tuple[str, ...], int] = {}

    def add(self, *values: str) -> None:
        """Count one."""
        self._numbers[values] = self._numbers.get(values, 0) + 1

    def family(self) -> Metric:
        """As Prometheus wants it."""
        family = CounterMetricFamily(self.name, self.help_text, labels=self.labels)
        for values, number in list(self._numbers.items()):
            family.add_metric(values, number)
        return family


class Metrics(Collector):
    """All metrics of this process; `gauges` are read from their owners when scraped."""

    def __init__(self) -> None:
        self.requests = Counter("scrip_http_requests", "Requests answered.", "route", "status")
        self.refusals = Counter("scrip_refusals", "Commands that the ledger refused.", "reason")
        self.replays = Counter("scrip_replays", "Answers that were given before.")
        self.shed = Counter("scrip_http_shed", "Requests turned away at once.", "why")
        self.runs = Counter("scrip_runs", "Runs answered.", "outcome")
        self.run_requests = Counter(
            "scrip_run_requests", "Messages of tool-runs.requests handled.", "outcome"
        )
        self.notifications = Counter(
            "scrip_notifications",
            "Notifications taken: kept, passed (there already, or nobody's), unwanted, unknown.",
            "outcome",
        )
        self.notification_mails = Counter(
            "scrip_notification_mails",
            "Mails of notifications: sent, later (tried again), failed, unknown (never again).",
            "outcome",
        )
        self.live_ended = Counter("scrip_live_ended", "Live pages that ended.", "why")
        self.live_delay = Duration()
        self.in_flight = 0
        self._durations: dict[str, Duration] = {}
        self._gauges: list[tuple[str, str, Callable[[], float]]] = []

    def duration(self, route: str) -> Duration:
        """The histogram of a route."""
        return self._durations.setdefault(route, Duration())

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A number that somebody else keeps."""
        self._gauges.append((name, help_text, read))

    def collect(self) -> Iterator[Metric]:
        """Everything, now."""
        counters = (self.requests, self.refusals, self.replays, self.shed, self.runs)
        told = (self.notifications, self.notification_mails)
        for counter in (*counters, self.run_requests, *told, self.live_ended):
            yield counter.family()
        seconds = HistogramMetricFamily(
            "scrip_http_request_seconds", "From request to reply.", labels=("route",)
        )
        for route, duration in list(self._durations.items()):
            seconds.add_metric((route,), duration.buckets(), duration.total)
        yield seconds
        delay = HistogramMetricFamily(
            "scrip_live_delay_seconds", "From the broker's time of an event to a live page."
        )
        delay.add_metric((), self.live_delay.buckets(), self.live_delay.total)
        yield delay
        yield GaugeMetricFamily("scrip_http_in_flight", "Requests under way.", value=self.in_flight)
        for name, help_text, read in self._gauges:
            yield GaugeMetricFamily(name, help_text, value=read())
        info = GaugeMetricFamily("scrip_build_info", "Always 1.", labels=("service", "version"))
        info.add_metric(("gateway", version("scrip-gateway")), 1)
        yield info
