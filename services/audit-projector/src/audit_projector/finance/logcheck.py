"""The compliance log against the events: every record has its line, every line its record.

The line of each record is worked out anew, from the first on, with its hash; a file that says
anything else, in any byte, differs. The first difference of a chain is named, the rest of that
chain is not looked at: nothing behind a broken link proves anything.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from audit_projector import line as lines
from audit_projector import seal
from audit_projector.finance.comparing import Check
from audit_projector.intake import Taken


class ChainCheck:
    """One partition's chain, compared record by record."""

    def __init__(self, folder: Path, topic: str, partition: int, check: Check) -> None:
        self._check = check
        self._place = f"/{topic}/{partition}"
        self._folder = folder
        self._files = sorted(folder.glob("*.jsonl"))
        self._lines = _numbered(self._files)
        self._source = b""
        self._hash = lines.GENESIS
        self._token, self._seq, self._sequence = "", 0, 0
        self.broken = False
        self.next_offset = 0

    def take(self, record: Taken, *, required: bool) -> None:
        """Compare a record with its line; one that is not `required` yet may be missing."""
        if self.broken:
            return
        where, raw = next(self._lines, ("", b""))
        if not raw:
            if required:
                self._differ(f"{self._folder}: the log ends before offset {record.offset}")
            self.broken = True
            return
        event = record.event
        counted = record.counts
        if counted or type(event).__name__ == "PartitionClaimed":
            self._token = event.owner
            self._seq += counted
        self._sequence += 1
        wanted, digest = lines.written(
            record, self._token, self._seq, self._hash, lines.placed(self._sequence, self._of(raw))
        )
        if wanted != raw:
            self._differ(f"{where}: {self._why(raw, record)}")
            return
        self._hash = digest
        self._check.compared += 1
        self.next_offset = record.offset + 1

    def end(self, *, whole: bool) -> None:
        """Behind the last record: nothing may follow when the log is known `whole`; seals hold."""
        if not self.broken and whole and (extra := next(self._lines, None)) is not None:
            self._differ(f"{extra[0]}: a line that no event says")
        for file, later in pairwise([*self._files, None]):
            if file is not None:
                self._sealed(file, last=later is None)

    def _sealed(self, file: Path, *, last: bool) -> None:
        manifest = seal.manifest_of(file)
        if not manifest.exists():
            if not last:
                self._differ(f"{file}: a finished day without a manifest")
            return
        try:
            said = msgspec.json.decode(manifest.read_bytes(), type=seal.Manifest)
            agrees = said == seal.described(file)
        except (msgspec.DecodeError, UnicodeDecodeError):
            agrees = False
        if not agrees:
            self._differ(f"{file}: is not what its manifest says")

    def _of(self, raw: bytes) -> bytes:
        """The chain's source; its environment is what the first line says."""
        if not self._source:
            try:
                found = msgspec.json.decode(raw, type=lines.Line).source
            except (msgspec.DecodeError, UnicodeDecodeError):
                found = ""
            if not found.endswith(self._place):
                found = self._place
            self._source = msgspec.json.encode(found)
        return self._source

    def _why(self, raw: bytes, record: Taken) -> str:
        try:
            line, _ = lines.checked(raw.removesuffix(b"\n"), self._hash)
        except lines.BadLine as wrong:
            return str(wrong)
        return f"verifies by itself, but is not the record at offset {record.offset} ({line.id})"

    def _differ(self, example: str) -> None:
        self.broken = True
        self._check.differ(example)


def _numbered(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        with file.open("rb") as opened:
            for number, raw in enumerate(opened, start=1):
                if not raw.endswith(b"\n"):
                    return  # being written, or torn by a crash: not a line
                yield f"{file}:{number}", raw
