"""The journal: every object as it was last put, a line each, so that a restart forgets nothing.

A line that a crash tore off is left out. It is rewritten with one line an object at each start.
"""

from pathlib import Path

import msgspec

from stripe_double.records import AnyObject, Event, Kept
from stripe_double.shelf import AnyKept, Shelf

_decode = msgspec.json.Decoder(AnyObject | Event | Kept).decode


class Journal:
    """One file, open for appending."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("ab")

    def write(self, thing: AnyKept) -> None:
        """Keep it; in the hands of the operating system when this returns."""
        self._file.write(msgspec.json.encode(thing) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def resumed(shelf: Shelf, file: Path) -> Journal:
    """Put back what the file holds, write it anew, and follow from here on."""
    events: dict[str, Event] = {}
    for line in _lines(file):
        match line:
            case Event():
                events[line.id] = line
            case Kept():
                shelf.keys[line.id] = line
            case _:
                shelf.objects[line.id] = line
    shelf.events.extend(events.values())
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    journal = Journal(fresh)
    for thing in (*shelf.objects.values(), *shelf.events, *shelf.keys.values()):
        journal.write(thing)
    fresh.replace(file)
    shelf.wrote = journal.write
    return journal


def _lines(file: Path) -> list[AnyKept]:
    if not file.exists():
        return []
    found: list[AnyKept] = []
    for line in file.read_bytes().split(b"\n"):
        try:
            found.append(_decode(line))
        except msgspec.DecodeError:
            continue
    return found
