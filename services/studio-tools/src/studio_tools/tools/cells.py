"""What a single value in a table is: its kind, and whether it is missing.

Text counts as what it says ("12" is an integer), because rows mostly come from CSV files.
"""

import re
from typing import Literal, TypeAlias

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = dict[str, Cell]
Kind = Literal["integer", "number", "boolean", "date", "datetime", "text"]

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}\.\d{0,18}|\.\d{1,18}|\d{1,18})(?:[eE][+-]?\d{1,3})?")
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_DATETIME = re.compile(
    _DATE.pattern + r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
)
_BOOLEANS = frozenset(("true", "false", "yes", "no"))


def missing(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def kind(cell: Cell) -> Kind:
    """The narrowest kind of a cell that is not missing."""
    if isinstance(cell, bool):
        return "boolean"
    if isinstance(cell, int):
        return "integer"
    if isinstance(cell, float):
        return "integer" if cell.is_integer() else "number"
    text = str(cell).strip()
    if _INTEGER.fullmatch(text):
        return "integer"
    if _NUMBER.fullmatch(text):
        return "number"
    if _DATE.fullmatch(text):
        return "date"
    if _DATETIME.fullmatch(text):
        return "datetime"
    return "boolean" if text.lower() in _BOOLEANS else "text"


def fits(cell: Cell, wanted: Kind) -> bool:
    """Whether a cell can be read as `wanted`; every cell can be read as text."""
    found = kind(cell)
    if wanted in ("text", found):
        return True
    return (found, wanted) in (("integer", "number"), ("date", "datetime"))


def number(cell: Cell) -> float | None:
    """The cell as a number, None when it is not one."""
    if missing(cell) or isinstance(cell, bool) or kind(cell) not in ("integer", "number"):
        return None
    return float(str(cell))


def common_kind(kinds: set[Kind]) -> Kind:
    """The narrowest kind that holds all of `kinds`; text for none."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"integer", "number"}:
        return "number"
    if kinds == {"date", "datetime"}:
        return "datetime"
    return "text"


def columns(rows: list[Row]) -> list[str]:
    """Every column of any row, in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))
