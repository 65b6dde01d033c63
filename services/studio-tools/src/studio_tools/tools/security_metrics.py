"""Works out security figures from incidents and vulnerabilities, as of a given moment.

Times to detect, contain and resolve as mean, median and 90th percentile in minutes; how many were
resolved within the agreed hours; how old open vulnerabilities are.  Never reads a clock.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.shapes import Name, percent

INCIDENTS_MAX = 2000
VULNERABILITIES_MAX = 2000

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
Instant = Annotated[datetime, Meta(tz=True)]
Hours = Annotated[int, Meta(ge=1, le=100_000)]


class Incident(ToolInput, kw_only=True):
    id: Name
    severity: Severity
    occurred_at: Instant
    detected_at: Instant
    contained_at: Instant | None = None
    resolved_at: Instant | None = None


class Vulnerability(ToolInput, kw_only=True):
    id: Name
    severity: Severity
    found_at: Instant
    fixed_at: Instant | None = None


class Agreed(ToolInput, kw_only=True):
    """Hours within which an incident must be resolved and a vulnerability fixed."""

    critical: Hours = 24
    high: Hours = 72
    medium: Hours = 720
    low: Hours = 2160


Steps: TypeAlias = tuple[tuple[str, datetime | None], ...]


class MetricsInput(ToolInput, kw_only=True):
    as_of: Instant
    incidents: Annotated[tuple[Incident, ...], Meta(max_length=INCIDENTS_MAX)] = ()
    vulnerabilities: Annotated[tuple[Vulnerability, ...], Meta(max_length=VULNERABILITIES_MAX)] = ()
    agreed: Agreed = msgspec.field(default_factory=Agreed)


class Spread(ToolOutput, kw_only=True):
    """Minutes.  None when there is nothing to measure."""

    count: int
    mean: float | None
    median: float | None
    p90: float | None


class Compliance(ToolOutput, kw_only=True):
    closed_in_time: int
    closed_late: int
    open_in_time: int
    open_overdue: int
    percent: float


class MetricsOutput(ToolOutput, kw_only=True):
    time_to_detect: Spread
    time_to_contain: Spread
    time_to_resolve: Spread
    incidents_by_severity: dict[Severity, int]
    incidents: Compliance
    vulnerabilities: Compliance
    time_to_fix: Spread
    open_vulnerability_age: Spread
    overdue: list[str]


def run(given: MetricsInput) -> MetricsOutput:
    _check(given)
    incidents, flaws = given.incidents, given.vulnerabilities
    opened = [(i.id, i.severity, i.detected_at, i.resolved_at) for i in incidents]
    found = [(v.id, v.severity, v.found_at, v.fixed_at) for v in flaws]
    incident_compliance, late_incidents = _compliance(opened, given)
    flaw_compliance, late_flaws = _compliance(found, given)
    return MetricsOutput(
        time_to_detect=_spread([_minutes(i.occurred_at, i.detected_at) for i in incidents]),
        time_to_contain=_spread(
            [_minutes(i.detected_at, i.contained_at) for i in incidents if i.contained_at]
        ),
        time_to_resolve=_spread(
            [_minutes(i.detected_at, i.resolved_at) for i in incidents if i.resolved_at]
        ),
        incidents_by_severity={s: sum(i.severity == s for i in incidents) for s in SEVERITIES},
        incidents=incident_compliance,
        vulnerabilities=flaw_compliance,
        time_to_fix=_spread([_minutes(v.found_at, v.fixed_at) for v in flaws if v.fixed_at]),
        open_vulnerability_age=_spread(
            [_minutes(v.found_at, given.as_of) for v in flaws if v.fixed_at is None]
        ),
        overdue=late_incidents + late_flaws,
    )


def _check(given: MetricsInput) -> None:
    for place, incident in enumerate(given.incidents):
        steps: Steps = (
            ("occurredAt", incident.occurred_at),
            ("detectedAt", incident.detected_at),
            ("containedAt", incident.contained_at),
            ("resolvedAt", incident.resolved_at),
        )
        _check_order(f"incidents[{place}]", steps, given.as_of)
    for place, flaw in enumerate(given.vulnerabilities):
        steps = (("foundAt", flaw.found_at), ("fixedAt", flaw.fixed_at))
        _check_order(f"vulnerabilities[{place}]", steps, given.as_of)


def _check_order(at: str, steps: Steps, as_of: datetime) -> None:
    before, since = steps[0][0], steps[0][1]
    for name, moment in steps:
        if moment is None:
            continue
        if since is not None and moment < since:
            raise InputError(f"{at}.{name}", f"is before {before}")
        if moment > as_of:
            raise InputError(f"{at}.{name}", "is after asOf")
        before, since = name, moment


Case = tuple[str, Severity, datetime, datetime | None]


def _compliance(cases: list[Case], given: MetricsInput) -> tuple[Compliance, list[str]]:
    closed = {True: 0, False: 0}
    still_open = {True: 0, False: 0}
    overdue = []
    for name, severity, start, end in cases:
        allowed = getattr(given.agreed, severity) * 60
        in_time = _minutes(start, end or given.as_of) <= allowed
        (still_open if end is None else closed)[in_time] += 1
        if end is None and not in_time:
            overdue.append(name)
    figures = Compliance(
        closed_in_time=closed[True],
        closed_late=closed[False],
        open_in_time=still_open[True],
        open_overdue=still_open[False],
        percent=percent(closed[True] + still_open[True], len(cases)),
    )
    return figures, overdue


def _minutes(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 60


def _spread(minutes: list[float]) -> Spread:
    if not minutes:
        return Spread(count=0, mean=None, median=None, p90=None)
    ordered = sorted(minutes)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    nearest = ordered[-(-9 * len(ordered) // 10) - 1]  # nearest rank: a figure that was measured
    return Spread(
        count=len(ordered),
        mean=round(sum(ordered) / len(ordered), 1),
        median=round(median, 1),
        p90=round(nearest, 1),
    )


EXAMPLE = b"""{"asOf": "2025-03-01T00:00:00Z", "incidents": [
  {"id": "I1", "severity": "high", "occurredAt": "2025-02-01T10:00:00Z",
   "detectedAt": "2025-02-01T10:30:00Z", "containedAt": "2025-02-01T12:00:00Z",
   "resolvedAt": "2025-02-02T10:30:00Z"}],
 "vulnerabilities": [{"id": "V1", "severity": "critical", "foundAt": "2025-02-20T00:00:00Z"}]}"""

TOOL = Tool("cyber-studio-metrics", MetricsInput, run, EXAMPLE)
