"""A check: what was compared, how many, and the first few that differ."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct, field

EXAMPLES_MAX = 5  # enough to begin to look; the count says the rest

_Key = TypeVar("_Key", bound=Hashable)


class Check(Struct, rename="camel"):
    """One line of a verification."""

    name: str
    compared: int = 0
    differences: int = 0
    examples: list[str] = field(default_factory=list)
    note: str = ""

    def differ(self, example: str) -> None:
        """Count a difference; the first few are named."""
        self.differences += 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(example)

    @property
    def line(self) -> str:
        """For people."""
        verdict = "ok" if not self.differences else f"{self.differences} DIFFER"
        found = "".join(f"\n      {example}" for example in self.examples)
        note = f" ({self.note})" if self.note else ""
        return f"{verdict:>10}  {self.name}: {self.compared} compared{note}{found}"


def compare(
    name: str, expected: Mapping[_Key, object], rows: Iterable[tuple[_Key, object]]
) -> Check:
    """Rows of a table against what they must be, by key."""
    check = Check(name)
    seen: set[_Key] = set()
    for key, found in rows:
        check.compared += 1
        seen.add(key)
        if key not in expected:
            check.differ(f"{_named(key)}: {found} is there, no event says so")
        elif expected[key] != found:
            check.differ(f"{_named(key)}: events say {expected[key]}, it says {found}")
    for key in expected:
        if key not in seen:
            check.differ(f"{_named(key)}: missing, events say {expected[key]}")
    return check


def _named(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
