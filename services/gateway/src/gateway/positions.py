"""Positions: opaque names of a place in the log, for "show me at least what I just wrote".

A position names the partition and the event's `seq`, so that a retried command gives the same one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from msgspec import Struct


class Place(Struct, frozen=True):
    """The event `seq` of a partition."""

    partition: int
    seq: int


class PositionError(ValueError):
    """This is no position that we gave."""


def shown(partition: int, seq: int) -> str:
    """As callers see it."""
    return urlsafe_b64encode(b"%d:%d" % (partition, seq)).decode()


def place(position: str) -> Place:
    """What a caller gives back; raises PositionError."""
    try:
        partition, seq = urlsafe_b64decode(position.encode()).split(b":")
        found = Place(int(partition), int(seq))
    except (Error, ValueError) as wrong:
        raise PositionError(f"{position!r} is not a position of Scrip") from wrong
    if found.partition < 0 or found.seq < 0:
        raise PositionError(f"{position!r} is not a position of Scrip")
    return found
