"""A finished day of the compliance log gets a manifest and is made read-only.

The manifest says what the file is (first and last sequence and offset, lines, bytes, SHA-256, the
hash before and the last one), depends on nothing but the file, and is written whole or not at all.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from audit_projector.line import Line

_line = msgspec.json.Decoder(Line).decode


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What a sealed file is."""

    file: str
    first_sequence: int
    last_sequence: int
    first_offset: int
    last_offset: int
    lines: int
    bytes: int
    sha256: str
    previous_hash: str
    last_hash: str


def manifest_of(file: Path) -> Path:
    """Where the manifest of a day's file lies."""
    return file.with_suffix(".manifest.json")


def described(file: Path) -> Manifest:
    """The manifest that a file would have; it must not be empty."""
    digest, count, size, first, last = hashlib.sha256(), 0, 0, b"", b""
    with file.open("rb") as opened:
        for raw in opened:
            digest.update(raw)
            count += 1
            size += len(raw)
            first, last = first or raw, raw
    begin, end = _line(first), _line(last)
    return Manifest(
        file=file.name,
        first_sequence=int(begin.sequence),
        last_sequence=int(end.sequence),
        first_offset=begin.offset,
        last_offset=end.offset,
        lines=count,
        bytes=size,
        sha256=digest.hexdigest(),
        previous_hash=begin.prevhash,
        last_hash=end.hash,
    )


def seal(file: Path) -> None:
    """Write the manifest of a finished day, unless it is there, and make the file read-only."""
    target = manifest_of(file)
    if target.exists() or not file.exists():
        return
    draft = target.with_suffix(".draft")
    with draft.open("wb") as opened:
        opened.write(msgspec.json.format(msgspec.json.encode(described(file)), indent=2) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(target)
    file.chmod(0o440)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
