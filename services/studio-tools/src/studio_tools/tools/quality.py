"""Measures the quality of rows: each rule's pass rate with the rows that break it, and a profile.

Rules speak about values that are there; only `required` minds what is missing.  The score is the
share of checks that passed, each rule weighing the same.
"""

import re
from collections import Counter
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.cells import Cell, Kind, Row, columns, common_kind, fits, missing, number
from studio_tools.tools.cells import kind as kind_of
from studio_tools.tools.shapes import Name, percent

ROWS_MAX = 5000
RULES_MAX = 100
EXAMPLES_MAX = 5  # rows shown per rule: enough to find the cause
TOP_VALUES = 3


class _Rule(
    msgspec.Struct,
    rename="camel",
    forbid_unknown_fields=True,
    tag_field="rule",
):
    pass


class Required(_Rule, tag="required", kw_only=True):
    column: Name


class Unique(_Rule, tag="unique", kw_only=True):
    columns: Annotated[list[Name], Meta(min_length=1, max_length=10)]


class Range(_Rule, tag="range", kw_only=True):
    column: Name
    minimum: float | None = None
    maximum: float | None = None


class Pattern(_Rule, tag="pattern", kw_only=True):
    column: Name
    regex: Annotated[str, Meta(min_length=1, max_length=300)]


class Type(_Rule, tag="type", kw_only=True):
    column: Name
    type: Kind


class Allowed(_Rule, tag="allowed", kw_only=True):
    column: Name
    choices: Annotated[list[str | int | float | bool], Meta(min_length=1, max_length=500)]


Rule: TypeAlias = Required | Unique | Range | Pattern | Type | Allowed


class QualityInput(ToolInput, kw_only=True):
    rows: Annotated[list[Row], Meta(min_length=1, max_length=ROWS_MAX)]
    rules: Annotated[tuple[Rule, ...], Meta(max_length=RULES_MAX)] = ()
    pass_percent: Annotated[float, Meta(ge=0, le=100)] = 100.0


class Checked(ToolOutput, kw_only=True):
    rule: str
    columns: list[str]
    checked: int
    failed: int
    percent: float
    passed: bool
    rows: list[int]  # the first rows that break it, counted from 0


class Profile(ToolOutput, kw_only=True):
    column: str
    type: Kind
    missing: int
    complete_percent: float
    distinct: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    shortest: int | None
    longest: int | None
    most_frequent: list[tuple[str, int]]


class QualityOutput(ToolOutput, kw_only=True):
    rows: int
    score: float
    passed: bool
    rules: list[Checked]
    columns: list[Profile]


def run(given: QualityInput) -> QualityOutput:
    known = columns(given.rows)
    checked = [_check(place, rule, given, known) for place, rule in enumerate(given.rules)]
    score = round(sum(each.percent for each in checked) / len(checked), 1) if checked else 100.0
    return QualityOutput(
        rows=len(given.rows),
        score=score,
        passed=all(each.passed for each in checked),
        rules=checked,
        columns=[_profile(name, [row.get(name) for row in given.rows]) for name in known],
    )


def _check(place: int, rule: Rule, given: QualityInput, known: list[str]) -> Checked:
    at = f"rules[{place}]"
    for name in _columns(rule):
        if name not in known:
            raise InputError(at, f"no row has a column {name}")
    checked, bad = _broken(at, rule, given.rows)
    rate = percent(checked - len(bad), checked)
    return Checked(
        rule=type(rule).__name__.lower(),
        columns=_columns(rule),
        checked=checked,
        failed=len(bad),
        percent=rate,
        passed=100 * (checked - len(bad)) >= given.pass_percent * checked,
        rows=bad[:EXAMPLES_MAX],
    )


def _columns(rule: Rule) -> list[str]:
    return rule.columns if isinstance(rule, Unique) else [rule.column]


def _broken(at: str, rule: Rule, rows: list[Row]) -> tuple[int, list[int]]:
    """How many rows were checked, and which of them break the rule."""
    if isinstance(rule, Unique):
        return _repeated(rule, rows)
    cells = [(place, row.get(rule.column)) for place, row in enumerate(rows)]
    if isinstance(rule, Required):
        return len(rows), [place for place, cell in cells if missing(cell)]
    there = [(place, cell) for place, cell in cells if not missing(cell)]
    match rule:
        case Range():
            if rule.minimum is None and rule.maximum is None:
                raise InputError(f"{at}.minimum", "give minimum, maximum or both")
            bad = [place for place, cell in there if not _within(cell, rule)]
        case Pattern():
            regex = _compiled(at, rule.regex)
            bad = [place for place, cell in there if not regex.fullmatch(_text(cell))]
        case Type():
            bad = [place for place, cell in there if not fits(cell, rule.type)]
        case Allowed():
            allowed = {_text(choice) for choice in rule.choices}
            bad = [place for place, cell in there if _text(cell) not in allowed]
    return len(there), bad


def _repeated(rule: Unique, rows: list[Row]) -> tuple[int, list[int]]:
    seen: set[tuple[str, ...]] = set()
    bad = []
    checked = 0
    for place, row in enumerate(rows):
        cells = [row.get(name) for name in rule.columns]
        if all(missing(cell) for cell in cells):
            continue
        checked += 1
        key = tuple(_text(cell) for cell in cells)
        if key in seen:
            bad.append(place)
        seen.add(key)
    return checked, bad


def _within(cell: Cell, rule: Range) -> bool:
    found = number(cell)
    if found is None:
        return False
    return (rule.minimum is None or found >= rule.minimum) and (
        rule.maximum is None or found <= rule.maximum
    )


def _compiled(at: str, regex: str) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except (re.error, OverflowError, RecursionError) as wrong:
        raise InputError(f"{at}.regex", f"not a regular expression: {wrong}") from None


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


def _profile(name: str, cells: list[Cell]) -> Profile:
    there = [cell for cell in cells if not missing(cell)]
    numbers = [found for cell in there if (found := number(cell)) is not None]
    texts = [_text(cell) for cell in there]
    lengths = [len(text) for text in texts]
    counts = Counter(texts)
    return Profile(
        column=name,
        type=common_kind({kind_of(cell) for cell in there}),
        missing=len(cells) - len(there),
        complete_percent=percent(len(there), len(cells)),
        distinct=len(counts),
        minimum=min(numbers, default=None),
        maximum=max(numbers, default=None),
        mean=round(sum(numbers) / len(numbers), 6) if numbers else None,
        shortest=min(lengths, default=None),
        longest=max(lengths, default=None),
        most_frequent=counts.most_common(TOP_VALUES),
    )


EXAMPLE = b"""{"rows": [
  {"id": 1, "email": "ada@example.org", "age": 36}, {"id": 2, "email": "", "age": 41},
  {"id": 2, "email": "not an address", "age": 417}],
 "rules": [{"rule": "unique", "columns": ["id"]}, {"rule": "required", "column": "email"},
  {"rule": "pattern", "column": "email", "regex": "[^@ ]+@[^@ ]+"},
  {"rule": "range", "column": "age", "minimum": 0, "maximum": 130},
  {"rule": "type", "column": "age", "type": "integer"},
  {"rule": "allowed", "column": "id", "choices": [1, 2, 3]}]}"""

TOOL = Tool("data-studio-quality", QualityInput, run, EXAMPLE)
