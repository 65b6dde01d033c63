"""Builds a data catalogue from sample rows: types, keys, personal data, and likely relations.

Sample values of a column that looks personal are never shown.  A relation is proposed when the
values of one column are all found in another dataset's key.
"""

import re
from typing import Annotated, Literal

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.cells import Cell, Kind, Row, columns, common_kind, kind, missing
from studio_tools.tools.shapes import Line, Name

DATASETS_MAX = 30
ROWS_MAX = 2000
SAMPLES_MAX = 3
PERSONAL_SHARE = 0.6  # of the values that are there: fewer may be chance
RELATION_VALUES_MIN = 2  # distinct values; one shared value says nothing

Class = Literal["email", "phone", "card", "ipAddress", "name", "address", "birth", "secret", "none"]

_VALUES: tuple[tuple[Class, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[A-Za-z]{2,24}")),
    ("ipAddress", re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")),
    ("card", re.compile(r"(?:\d[ -]?){12,18}\d")),
    ("phone", re.compile(r"(?:\+|00)\d[\d ()-]{6,18}\d")),
)
_HEADINGS: tuple[tuple[Class, re.Pattern[str]], ...] = (
    ("email", re.compile(r"e_?mail")),
    ("phone", re.compile(r"phone|mobile|fax")),
    ("name", re.compile(r"^(?:first|last|full|given|family|sur|middle)_?name$|^surname$")),
    ("address", re.compile(r"address|street|post_?code|zip")),
    ("birth", re.compile(r"birth|^dob$")),
    ("secret", re.compile(r"password|passwd|secret|token|api_?key")),
)


class Dataset(ToolInput, kw_only=True):
    name: Name
    description: Line = ""
    owner: Name | None = None
    rows: Annotated[list[Row], Meta(min_length=1, max_length=ROWS_MAX)]


class CatalogInput(ToolInput, kw_only=True):
    datasets: Annotated[list[Dataset], Meta(min_length=1, max_length=DATASETS_MAX)]


class Column(ToolOutput, kw_only=True):
    name: str
    type: Kind
    nullable: bool
    distinct: int
    unique: bool
    personal: Class
    samples: list[str]


class Entry(ToolOutput, kw_only=True):
    name: str
    description: str
    owner: str | None
    rows: int
    columns: list[Column]
    keys: list[str]
    personal_columns: list[str]
    missing: list[str]  # what a steward should still fill in


class Relation(ToolOutput, kw_only=True):
    source: str
    source_column: str
    target: str
    target_column: str


class CatalogOutput(ToolOutput, kw_only=True):
    datasets: list[Entry]
    relations: list[Relation]
    columns: int
    personal_columns: int


def run(given: CatalogInput) -> CatalogOutput:
    names: set[str] = set()
    for place, dataset in enumerate(given.datasets):
        if dataset.name in names:
            raise InputError(f"datasets[{place}].name", f"{dataset.name} is there twice")
        names.add(dataset.name)
        if not columns(dataset.rows):
            raise InputError(f"datasets[{place}].rows", "no row has a column")
    entries = [_entry(dataset) for dataset in given.datasets]
    return CatalogOutput(
        datasets=entries,
        relations=_relations(given.datasets, entries),
        columns=sum(len(entry.columns) for entry in entries),
        personal_columns=sum(len(entry.personal_columns) for entry in entries),
    )


def _entry(dataset: Dataset) -> Entry:
    found = [_column(name, dataset.rows) for name in columns(dataset.rows)]
    gaps = [
        gap
        for gap, absent in (("description", not dataset.description), ("owner", not dataset.owner))
        if absent
    ]
    return Entry(
        name=dataset.name,
        description=dataset.description,
        owner=dataset.owner,
        rows=len(dataset.rows),
        columns=found,
        keys=[column.name for column in found if column.unique],
        personal_columns=[column.name for column in found if column.personal != "none"],
        missing=gaps,
    )


def _column(name: str, rows: list[Row]) -> Column:
    there = [cell for row in rows if not missing(cell := row.get(name))]
    texts = list(dict.fromkeys(str(cell) for cell in there))
    personal = _personal(name, there)
    return Column(
        name=name,
        type=common_kind({kind(cell) for cell in there}),
        nullable=len(there) < len(rows),
        distinct=len(texts),
        unique=len(texts) == len(rows) > 1,
        personal=personal,
        samples=texts[:SAMPLES_MAX] if personal == "none" else [],
    )


def _personal(name: str, there: list[Cell]) -> Class:
    heading = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    for meant, pattern in _HEADINGS:
        if pattern.search(heading):
            return meant
    texts = [str(cell).strip() for cell in there if not isinstance(cell, bool | float)]
    for meant, pattern in _VALUES:
        hits = sum(
            pattern.fullmatch(text) is not None and (meant != "card" or luhn(text))
            for text in texts
        )
        if texts and hits >= PERSONAL_SHARE * len(there):
            return meant
    return "none"


def luhn(text: str) -> bool:
    """Whether the digits in `text` carry a valid card check digit."""
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _relations(datasets: list[Dataset], entries: list[Entry]) -> list[Relation]:
    keys = {
        (entry.name, key): {str(row.get(key)) for row in dataset.rows}
        for dataset, entry in zip(datasets, entries, strict=True)
        for key in entry.keys
    }
    found = []
    for dataset, entry in zip(datasets, entries, strict=True):
        for column in entry.columns:
            if column.type in ("boolean", "number") or column.distinct < RELATION_VALUES_MIN:
                continue
            cells = {str(c) for row in dataset.rows if not missing(c := row.get(column.name))}
            found += [
                Relation(
                    source=entry.name, source_column=column.name, target=name, target_column=key
                )
                for (name, key), values in keys.items()
                if name != entry.name and cells <= values and _alike(column.name, name, key)
            ]
    return found


def _alike(column: str, dataset: str, key: str) -> bool:
    """Values alone prove little (1, 2, 3 is in every table): the names must agree as well."""
    heading, singular = _plain(column), _plain(dataset).rstrip("s")
    return heading in (singular, singular + _plain(key)) or heading == _plain(key) != "id"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


EXAMPLE = b"""{"datasets": [
  {"name": "people", "owner": "crm", "rows": [
    {"id": 1, "email": "ada@example.org", "joined": "2024-01-05"},
    {"id": 2, "email": "bob@example.org", "joined": "2024-02-11"}]},
  {"name": "orders", "rows": [
    {"id": "A1", "personId": 1, "total": 12.5}, {"id": "A2", "personId": 2, "total": 3}]}]}"""

TOOL = Tool("data-studio-catalog", CatalogInput, run, EXAMPLE)
