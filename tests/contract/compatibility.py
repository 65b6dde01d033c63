"""The gate: whatever one version writes, every other version reads, by their schemas alone.

A writer is closed (it writes the fields it knows, and no others), a reader is open (it ignores what
it does not know). So of each version that was released and the one in the tree, both ways: all that
the writer's schema describes must be within what the reader's schema accepts.

Two things may grow, since readers are upgraded first: new types of messages, at which an old reader
halts by design, and the values of the named enums in GROWS.

`python -m tests.contract.compatibility 2027-01-31` keeps the schemas of a release, for ever.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any, TypeAlias

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
RELEASED = CONTRACTS / "released"
NAMES = ("commands.schema.json", "events.schema.json")
GROWS = frozenset({"Reason", "RejectReason", "Remedy", "Outcome", "GrantKind", "PurchaseState"})

Schema: TypeAlias = dict[str, Any]


def current(name: str) -> Schema:
    """The schema in the tree."""
    return _read(CONTRACTS / "schemas" / name)


def released(name: str) -> dict[str, Schema]:
    """Every released version of it, by the day of its release."""
    return {folder.name: _read(folder / name) for folder in sorted(RELEASED.iterdir())}


def breaks(older: Schema, newer: Schema) -> list[str]:
    """Why these two versions do not understand each other; empty when they do."""
    forth, back = Comparison(older, newer), Comparison(newer, older, grows=GROWS)
    for name in older["$defs"]:
        if name not in newer["$defs"]:
            forth.faults.append(f"{name} is in somebody's log: it cannot be removed")
            continue
        ref = {"$ref": f"#/$defs/{name}"}
        forth.fits(ref, ref, f"old {name}")
        back.fits(ref, ref, f"new {name}")
    return sorted({*forth.faults, *back.faults})


class Comparison:
    """One writer and one reader."""

    def __init__(self, writer: Schema, reader: Schema, grows: frozenset[str] = frozenset()) -> None:
        self._writer = writer["$defs"]
        self._reader = reader["$defs"]
        self._grows = grows
        self._seen: set[tuple[str, str]] = set()
        self.faults: list[str] = []

    def fits(self, written: Schema, read: Schema, where: str) -> bool:
        """Whether the reader accepts all that the writer may write here; notes why not."""
        before = len(self.faults)
        names = _name(written), _name(read)
        if all(names):
            if names in self._seen:
                return True
            self._seen.add(names)
        written, read = _within(self._writer, written), _within(self._reader, read)
        if "anyOf" in written:
            for one in written["anyOf"]:
                self.fits(one, read, where)
        elif "anyOf" in read:
            self._one_of(written, read["anyOf"], where)
        elif "enum" in read:
            self._values(written, read, where, grown=names[1] in self._grows)
        elif read.get("type", written.get("type")) != written.get("type"):
            self._note(where, f"is {written.get('type')}, and read as {read['type']}")
        else:
            self._parts(written, read, where)
        return len(self.faults) == before

    def _one_of(self, written: Schema, choices: list[Schema], where: str) -> None:
        for choice in choices:
            trial = Comparison({"$defs": self._writer}, {"$defs": self._reader}, self._grows)
            if trial.fits(written, choice, where):
                return
        self._note(where, "may be what no reader of the other version accepts")

    def _values(self, written: Schema, read: Schema, where: str, *, grown: bool) -> None:
        if "enum" not in written:
            self._note(where, "may be anything, and is read as one of a few values")
        elif not grown and (
            more := sorted(set(map(str, written["enum"])) - set(map(str, read["enum"])))
        ):
            self._note(where, f"may be {', '.join(more)}, which the other version does not know")

    def _parts(self, written: Schema, read: Schema, where: str) -> None:
        there = written.get("properties", {})
        for name in read.get("required", ()):
            if name not in written.get("required", ()):
                self._note(f"{where}.{name}", "is required by the reader and not always written")
        for name, part in read.get("properties", {}).items():
            if name in there:
                self.fits(there[name], part, f"{where}.{name}")
        for inside in ("items", "additionalProperties"):
            if isinstance(written.get(inside), dict) and isinstance(read.get(inside), dict):
                self.fits(written[inside], read[inside], f"{where}[]")

    def _note(self, where: str, what: str) -> None:
        self.faults.append(f"{where} {what}")


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "")).removeprefix("#/$defs/")


def _within(defined: Schema, schema: Schema) -> Schema:
    found: Schema = defined[_name(schema)] if "$ref" in schema else schema
    return found


def _read(file: Path) -> Schema:
    found: Schema = json.loads(file.read_text())
    return found


def keep(day: str) -> None:
    """Keep the schemas in the tree as those of a release."""
    folder = RELEASED / day
    folder.mkdir()
    for name in NAMES:
        shutil.copy(CONTRACTS / "schemas" / name, folder / name)


if __name__ == "__main__":
    keep(sys.argv[1])
