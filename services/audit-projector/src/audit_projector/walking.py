"""One partition's compliance log, read again from its first line, some lines at a time.

Each line must be canonical, hold its own hash, follow the line before it, and count on by one:
lines, offsets, and the `seq` of what counts. A walk stops where it is broken: nothing behind a
broken link proves anything.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from audit_projector import line as lines


class _Counted(msgspec.Struct):
    seq: int


_counted = msgspec.json.Decoder(_Counted).decode


class Walk:
    """Where a walk stands, and what it found broken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.offset = 0  # of the next record
        self.broken = ""  # a line that is not what was written, and where
        self.gaps: list[str] = []  # numbers that do not follow each other
        self._hash = lines.GENESIS
        self._sequence = self._seq = 0
        self._day = ""
        self._place = 0  # behind the last line of that day's file

    def step(self, most: int) -> Iterator[lines.Line]:
        """The next lines that verify, at most so many; none when it stands at the end."""
        for file in sorted(self.folder.glob("*.jsonl")):
            if file.stem < self._day or self.broken or most <= 0:
                continue
            if file.stem > self._day:
                self._day, self._place = file.stem, 0
            with file.open("rb") as opened:
                opened.seek(self._place)
                for raw in opened:
                    if not raw.endswith(b"\n") or most <= 0:
                        break  # being written, or enough for now
                    most -= 1
                    self._place += len(raw)
                    line = self._checked(file, raw)
                    if line is None:
                        return
                    yield line

    def _checked(self, file: Path, raw: bytes) -> lines.Line | None:
        try:
            line, self._hash = lines.checked(raw[:-1], self._hash)
        except lines.BadLine as wrong:
            self.broken = f"{file} before byte {self._place}: {wrong}"
            return None
        self._sequence += 1
        counted = line.readertoken is None
        seq = _counted(line.data).seq if counted else int(line.readerseq or 0)
        wanted = self._seq + counted
        if (int(line.sequence), line.offset, seq) != (self._sequence, self.offset, wanted):
            self.gaps.append(f"{file} before byte {self._place}: {line.sequence}, {seq}")
        self._sequence, self.offset, self._seq = int(line.sequence), line.offset + 1, seq
        return line
