"""One partition's chain of lines in files per day: appended, synced, repaired when opened, sealed.

The folder of a partition holds `2026-01-31.jsonl` files; a day that is over has a manifest beside
it and is read-only. Days are those of the broker's timestamps and never go back. After a crash the
unsynced end may be anything: opening cuts the newest file back to the last line that verifies, puts
what was cut aside, and goes on behind it. Damage that is longer than any write is no crash: then
opening refuses.
"""

import os
from pathlib import Path

import msgspec
import structlog
from bus.reader import Position
from contracts.events import PartitionClaimed
from contracts.units import DAY, Ms

from audit_projector import line as lines
from audit_projector import seal
from audit_projector.intake import Taken

log = structlog.get_logger(__name__)

WRITE_BYTES_MAX = 8 << 20  # written and synced at once; what a crash can tear
_TAIL_BYTES = 2 * WRITE_BYTES_MAX  # how far back opening looks for the last whole line


class ChainBroken(RuntimeError):
    """The log was changed or lost bytes: `scrip verify` says where; restore it from a copy."""


class _Counted(msgspec.Struct):
    owner: str
    seq: int


_counted = msgspec.json.Decoder(_Counted).decode


class Chain:
    """The end of one partition's log, to append to."""

    def __init__(self, folder: Path, source: bytes) -> None:
        self._folder = folder
        self._source = source
        self._file: int | None = None
        self._day = ""
        self._hash = lines.GENESIS
        self.sequence = 0
        self.position = Position()

    def open(self) -> None:
        """Find the end, repair it, seal what a crash left unsealed; raises ChainBroken."""
        self._folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(self._folder.parent)
        days = sorted(self._folder.glob("*.jsonl"))
        while days:
            newest = days.pop()
            if (end := _repaired(newest)) is not None:
                self._stand_behind(end)
                self._day = newest.stem
                break
            newest.unlink()
        for day in days:
            seal.seal(day)
        if self._day and not seal.manifest_of(self._folder / f"{self._day}.jsonl").exists():
            self._file = _opened(self._folder / f"{self._day}.jsonl")

    def close(self) -> None:
        """Close the file; everything appended is synced already."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def append(self, records: list[Taken]) -> None:
        """Write records, in order, and sync them."""
        pending: list[bytes] = []
        size = 0
        token, seq = self.position.token, self.position.seq
        for taken in records:
            if (day := _day_of(taken.timestamp)) > self._day:
                self._write(pending)
                pending, size = [], 0
                self._turn_to(day)
            token, seq = _behind(taken, token, seq)
            self.sequence += 1
            place = lines.placed(self.sequence, self._source)
            raw, self._hash = lines.written(taken, token, seq, self._hash, place)
            if size + len(raw) > WRITE_BYTES_MAX:
                self._write(pending)
                pending, size = [], 0
            pending.append(raw)
            size += len(raw)
        self._write(pending)
        self.position = Position(records[-1].offset + 1, token, seq)

    def _write(self, pending: list[bytes]) -> None:
        if not pending:
            return
        if self._file is None:
            self._file = _opened(self._folder / f"{self._day}.jsonl")
        left = memoryview(b"".join(pending))
        while left:
            left = left[os.write(self._file, left) :]
        os.fdatasync(self._file)

    def _turn_to(self, day: str) -> None:
        self.close()
        if self._day:
            seal.seal(self._folder / f"{self._day}.jsonl")
        self._day = day

    def _stand_behind(self, raw: bytes) -> None:
        line, self._hash = lines.checked(raw)
        self.sequence = int(line.sequence)
        if line.readertoken is not None and line.readerseq is not None:
            token, seq = line.readertoken, int(line.readerseq)
        else:
            counted = _counted(line.data)
            token, seq = counted.owner, counted.seq
        self.position = Position(line.offset + 1, token, seq)


def _behind(taken: Taken, token: str, seq: int) -> tuple[str, int]:
    """The newest claim's token and the last counted `seq` behind a record."""
    if taken.counts and not isinstance(taken.event, PartitionClaimed):
        return taken.event.owner, taken.event.seq
    return (taken.event.owner if isinstance(taken.event, PartitionClaimed) else token), seq


def _repaired(file: Path) -> bytes | None:
    """Cut the file behind its last line that verifies and return that line; None if none does."""
    start = max(0, file.stat().st_size - _TAIL_BYTES)
    with file.open("rb") as opened:
        opened.seek(start)
        tail = opened.read()
    good = 0 if start == 0 else tail.find(b"\n") + 1  # behind the last line that verifies
    last, previous = None, None
    while (end := tail.find(b"\n", good)) >= 0:
        try:
            _, previous = lines.checked(tail[good:end], previous)
        except lines.BadLine:
            break
        last, good = tail[good:end], end + 1
    if len(tail) - good > WRITE_BYTES_MAX or (last is None and start):
        raise ChainBroken(
            f"{file}: what stands behind byte {start + good} does not verify and is longer than"
            " any unfinished write: run `scrip verify`, restore the file from a copy"
        )
    if good < len(tail):
        if seal.manifest_of(file).exists():
            raise ChainBroken(f"{file} was sealed and does not verify: restore it from a copy")
        _cut(file, start + good, tail[good:])
    return last


def _cut(file: Path, size: int, torn: bytes) -> None:
    aside = file.with_name(f"{file.stem}.torn-{size}")
    aside.write_bytes(torn)
    log.warning("audit_log_tail_cut", file=str(file), at=size, bytes=len(torn), kept=aside.name)
    with file.open("r+b") as opened:
        opened.truncate(size)
        os.fsync(opened.fileno())


def _opened(file: Path) -> int:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    _sync_folder(file.parent)
    return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _day_of(at: Ms) -> str:
    return lines.rfc3339(at - at % DAY)[:10].decode()
