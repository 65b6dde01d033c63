"""Designs a data pipeline: checks that steps form a directed acyclic graph, and plans the run.

Gives the order, which steps may run beside each other, the critical path with its minutes, a
Mermaid diagram, and warnings about steps that nobody reads or that must not be repeated.
"""

from typing import Annotated, Literal

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools import graph
from studio_tools.tools.shapes import Name, Word, mermaid_text

STEPS_MAX = 200
NEEDS_MAX = 50

Kind = Literal["source", "transform", "check", "sink"]


class Step(ToolInput, kw_only=True):
    id: Word
    kind: Kind = "transform"
    name: Name | None = None
    needs: Annotated[tuple[Word, ...], Meta(max_length=NEEDS_MAX)] = ()
    minutes: Annotated[int, Meta(ge=0, le=100_000)] = 1
    retries: Annotated[int, Meta(ge=0, le=20)] = 0
    idempotent: bool = True


class DesignInput(ToolInput, kw_only=True):
    name: Name = "pipeline"
    steps: Annotated[list[Step], Meta(min_length=1, max_length=STEPS_MAX)]
    workers: Annotated[int, Meta(ge=1, le=1000)] | None = None


class PlannedStep(ToolOutput, kw_only=True):
    id: str
    kind: Kind
    stage: int
    needs: list[str]
    starts_at_minute: int
    ends_at_minute: int
    slack_minutes: int


class DesignOutput(ToolOutput, kw_only=True):
    name: str
    order: list[str]
    stages: list[list[str]]
    steps: list[PlannedStep]
    critical_path: list[str]
    minutes: int
    minutes_one_by_one: int
    widest_stage: int
    warnings: list[str]
    diagram: str


def run(given: DesignInput) -> DesignOutput:
    steps = _by_id(given)
    leads = graph.reverse({name: list(step.needs) for name, step in steps.items()})
    if circle := graph.cycle(leads):
        raise InputError("steps", f"these need each other: {' -> '.join(circle)}")
    stages = graph.layers(leads)
    planned = _plan(steps, stages, leads)
    return DesignOutput(
        name=given.name,
        order=[step.id for step in planned],
        stages=stages,
        steps=planned,
        critical_path=[step.id for step in planned if step.slack_minutes == 0],
        minutes=max(step.ends_at_minute for step in planned),
        minutes_one_by_one=sum(step.minutes for step in given.steps),
        widest_stage=max(map(len, stages)),
        warnings=_warnings(given, steps, leads, stages),
        diagram=_diagram(given),
    )


def _by_id(given: DesignInput) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for place, step in enumerate(given.steps):
        if step.id in steps:
            raise InputError(f"steps[{place}].id", f"{step.id} is there twice")
        steps[step.id] = step
    for place, step in enumerate(given.steps):
        for index, needed in enumerate(step.needs):
            if needed not in steps:
                raise InputError(f"steps[{place}].needs[{index}]", f"there is no step {needed}")
        if len(set(step.needs)) != len(step.needs):
            raise InputError(f"steps[{place}].needs", "a step is there twice")
        if step.kind == "source" and step.needs:
            raise InputError(f"steps[{place}].needs", "a source needs no other step")
        if step.kind != "source" and not step.needs:
            raise InputError(f"steps[{place}].needs", f"a {step.kind} needs at least one step")
    return steps


def _plan(
    steps: dict[str, Step], stages: list[list[str]], leads: dict[str, list[str]]
) -> list[PlannedStep]:
    starts: dict[str, int] = {}
    stage_of = {name: number for number, names in enumerate(stages) for name in names}
    for name in stage_of:
        starts[name] = max(
            (starts[needed] + steps[needed].minutes for needed in steps[name].needs), default=0
        )
    end = max(starts[name] + step.minutes for name, step in steps.items())
    latest: dict[str, int] = {}
    for name in reversed(stage_of):
        before = min((latest[after] for after in leads[name]), default=end)
        latest[name] = before - steps[name].minutes
    return [
        PlannedStep(
            id=name,
            kind=steps[name].kind,
            stage=stage,
            needs=list(steps[name].needs),
            starts_at_minute=starts[name],
            ends_at_minute=starts[name] + steps[name].minutes,
            slack_minutes=latest[name] - starts[name],
        )
        for name, stage in stage_of.items()
    ]


def _warnings(
    given: DesignInput,
    steps: dict[str, Step],
    leads: dict[str, list[str]],
    stages: list[list[str]],
) -> list[str]:
    found = []
    for name, step in steps.items():
        if step.kind in ("source", "transform") and not leads[name]:
            found.append(f"{name}: nothing reads it")
        if step.retries and not step.idempotent:
            found.append(f"{name}: is retried although it must not run twice")
        if step.kind == "sink" and leads[name]:
            found.append(f"{name}: a sink that other steps read from")
    if not any(step.kind == "check" for step in given.steps):
        found.append("no check: bad rows reach the sinks unseen")
    widest = max(map(len, stages))
    if given.workers is not None and widest > given.workers:
        found.append(f"{widest} steps could run at once, there are {given.workers} workers")
    return found


_SHAPES: dict[Kind, tuple[str, str]] = {
    "source": ("[(", ")]"), "transform": ("[", "]"), "check": ("{", "}"), "sink": ("[/", "/]"),
}  # fmt: skip


def _diagram(given: DesignInput) -> str:
    lines = ["flowchart LR"]
    for step in given.steps:
        left, right = _SHAPES[step.kind]
        lines.append(f'  s_{step.id}{left}"{mermaid_text(step.name or step.id)}"{right}')
    lines += [f"  s_{needed} --> s_{step.id}" for step in given.steps for needed in step.needs]
    return "\n".join(lines)


EXAMPLE = b"""{"name": "orders", "steps": [
  {"id": "orders", "kind": "source", "minutes": 5}, {"id": "people", "kind": "source"},
  {"id": "join", "needs": ["orders", "people"], "minutes": 10, "retries": 2},
  {"id": "valid", "kind": "check", "needs": ["join"]},
  {"id": "warehouse", "kind": "sink", "needs": ["valid"], "minutes": 3}]}"""

TOOL = Tool("data-studio-pipelines", DesignInput, run, EXAMPLE)
