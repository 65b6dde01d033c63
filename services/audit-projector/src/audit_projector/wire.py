"""PostgreSQL's binary COPY format: rows as bytes, made without asking a library per value.

A row is the count of its columns, then each value as its length and its bytes, big-endian; null is
the length -1. A file is HEADER, rows, TRAILER.
"""

from struct import Struct

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

_int32 = Struct(">i").pack
_count = Struct(">h").pack
_bigint = Struct(">iq").pack
_integer = Struct(">ii").pack
_LENGTHS = tuple(_int32(length) for length in range(1024))


def row(*values: bytes) -> bytes:
    """A row of values that are encoded already."""
    return _count(len(values)) + b"".join(values)


def bigint(value: int | None) -> bytes:
    """A bigint."""
    return NULL if value is None else _bigint(8, value)


def integer(value: int) -> bytes:
    """An integer of 4 bytes."""
    return _integer(4, value)


def text(value: str | None) -> bytes:
    """A text; it must not contain the character NUL, which PostgreSQL cannot store."""
    if value is None:
        return NULL
    raw = value.encode()
    length = len(raw)
    return (_LENGTHS[length] if length < 1024 else _int32(length)) + raw


def jsonb(value: bytes | None) -> bytes:
    """A jsonb from the bytes of a JSON document."""
    return NULL if value is None else _int32(len(value) + 1) + b"\x01" + value


def jsonb_start(length: int) -> bytes:
    """What stands before the rest of a JSON object of `length` bytes, its brace included."""
    return _int32(length + 1) + b"\x01{"


def copied(rows: list[bytes]) -> bytes:
    """All rows as one COPY file."""
    return b"".join((HEADER, *rows, TRAILER))
