"""Tracks where data comes from and where it goes, from stated edges and from SQL statements.

For the assets in focus it says what is upstream (where the figures come from) and downstream (what
a change would break), each with its distance.  A cycle is reported, not refused: it is a finding.
"""

import re
from typing import Annotated

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools import graph
from studio_tools.tools.shapes import Line, Name, mermaid_text

EDGES_MAX = 2000
STATEMENTS_MAX = 100
FOCUS_MAX = 20

_NAME = r"[\"`\[]?([A-Za-z_][\w$]*(?:[\"`\]]?\.[\"`\[]?[A-Za-z_][\w$]*){0,2})[\"`\]]?"
_WRITES = re.compile(
    r"\b(?:insert\s+(?:into|overwrite(?:\s+table)?)|merge\s+into|update"
    r"|create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:materialized\s+)?(?:table|view)"
    r"(?:\s+if\s+not\s+exists)?)\s+" + _NAME,
    re.IGNORECASE,
)
_READS = re.compile(r"\b(?:from|join|using)\s+" + _NAME, re.IGNORECASE)
_WITH = re.compile(r"(?:\bwith(?:\s+recursive)?|,)\s*" + _NAME + r"\s+as\s*\(", re.IGNORECASE)
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


class Edge(ToolInput, kw_only=True):
    source: Name
    target: Name
    via: Line = ""


class Statement(ToolInput, kw_only=True):
    sql: Annotated[str, Meta(min_length=1, max_length=20_000)]
    name: Name | None = None


class LineageInput(ToolInput, kw_only=True):
    edges: Annotated[tuple[Edge, ...], Meta(max_length=EDGES_MAX)] = ()
    statements: Annotated[tuple[Statement, ...], Meta(max_length=STATEMENTS_MAX)] = ()
    focus: Annotated[tuple[Name, ...], Meta(max_length=FOCUS_MAX)] = ()


class Reached(ToolOutput, kw_only=True):
    asset: str
    steps: int


class Focus(ToolOutput, kw_only=True):
    asset: str
    upstream: list[Reached]
    downstream: list[Reached]


class FoundEdge(ToolOutput, kw_only=True):
    source: str
    target: str
    via: str


class LineageOutput(ToolOutput, kw_only=True):
    assets: int
    edges: list[FoundEdge]
    sources: list[str]
    ends: list[str]
    focus: list[Focus]
    cycle: list[str]
    statements_without_lineage: list[str]
    diagram: str


def run(given: LineageInput) -> LineageOutput:
    if not given.edges and not given.statements:
        raise InputError("edges", "give edges or statements")
    edges = [FoundEdge(source=e.source, target=e.target, via=e.via) for e in given.edges]
    silent = []
    for place, statement in enumerate(given.statements):
        name = statement.name or f"statements[{place}]"
        found = read_statement(statement.sql, name)
        edges += found
        if not found:
            silent.append(name)
    leads = graph.of_edges((edge.source, edge.target) for edge in edges)
    back = graph.reverse(leads)
    for place, asset in enumerate(given.focus):
        if asset not in leads:
            raise InputError(f"focus[{place}]", f"there is no asset {asset}")
    return LineageOutput(
        assets=len(leads),
        edges=edges,
        sources=[name for name in leads if not back[name]],
        ends=[name for name in leads if not leads[name]],
        focus=[
            Focus(
                asset=name,
                upstream=_reached(graph.reach(back, name)),
                downstream=_reached(graph.reach(leads, name)),
            )
            for name in given.focus
        ],
        cycle=graph.cycle(leads),
        statements_without_lineage=silent,
        diagram=_diagram(leads),
    )


def read_statement(sql: str, via: str) -> list[FoundEdge]:
    """What one statement writes, from what it reads.  Names inside WITH are steps, not assets."""
    text = _NOISE.sub(" ", sql)
    targets = _names(_WRITES, text)
    steps = set(_names(_WITH, text))
    sources = [name for name in _names(_READS, text) if name not in steps]
    return [
        FoundEdge(source=source, target=target, via=via)
        for target in targets
        for source in sources
        if source != target
    ]


def _names(pattern: re.Pattern[str], text: str) -> list[str]:
    found = (re.sub(r"[\"`\[\]]", "", match).lower() for match in pattern.findall(text))
    return list(
        dict.fromkeys(name for name in found if name not in ("select", "lateral", "unnest"))
    )


def _reached(steps: dict[str, int]) -> list[Reached]:
    return [Reached(asset=name, steps=count) for name, count in steps.items()]


def _diagram(leads: dict[str, list[str]]) -> str:
    number = {name: f"a{place}" for place, name in enumerate(leads)}
    lines = ["flowchart LR"]
    lines += [f'  {number[name]}["{mermaid_text(name)}"]' for name in leads]
    lines += [f"  {number[a]} --> {number[b]}" for a, targets in leads.items() for b in targets]
    return "\n".join(lines)


EXAMPLE = b"""{"edges": [{"source": "crm.people", "target": "raw.people", "via": "nightly copy"}],
 "statements": [{"sql": "insert into mart.sales select * from raw.orders o join raw.people p"}],
 "focus": ["raw.people"]}"""

TOOL = Tool("data-studio-lineage", LineageInput, run, EXAMPLE)
