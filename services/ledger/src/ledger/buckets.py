"""Accounts at rest, many to a bucket: no table slot and no object for each, and found all the same.

A bucket is one run of bytes, entry after entry: a head of fixed size, the account's id, its packed
state. The bucket of an account never changes, and a snapshot's record is a bucket's very bytes:
a million accounts come back from a snapshot without one of them being decoded.
"""

from collections.abc import Iterable, Iterator
from struct import Struct as Layout
from zlib import crc32

import msgspec
from contracts.units import FOREVER, Ms

from ledger.resting import PRINT_BYTES, Rested

BUCKETS = 1 << 16  # of each partition: 8 accounts in each where a partition has half a million
PRINTS = 1 << (8 * PRINT_BYTES)  # prints are summed up modulo this

_HEAD = Layout(f"<QQI{PRINT_BYTES}sBHI")  # due, stale, version, print, sample, lengths


class Summary(msgspec.Struct, frozen=True, gc=False):
    """A bucket in numbers: accounts, the events they saw, the sum of their prints, what is due."""

    accounts: int = 0
    events: int = 0
    prints: int = 0
    due: Ms = FOREVER


def bucket_of(account: str) -> int:
    """The bucket of an account."""
    return crc32(account.encode()) & (BUCKETS - 1)


def entry(rested: Rested) -> bytes:
    """An account at rest as it stands in its bucket."""
    head = _HEAD.pack(
        rested.due,
        rested.stale,
        rested.version,
        rested.print.to_bytes(PRINT_BYTES, "little"),
        rested.sample,
        len(rested.id),
        len(rested.packed),
    )
    return head + rested.id + rested.packed


def entries(body: bytes) -> Iterator[Rested]:
    """The accounts of a bucket."""
    at, size = 0, _HEAD.size
    while at < len(body):
        due, stale, version, printed, sample, named, packed = _HEAD.unpack_from(body, at)
        state = at + size + named
        at = state + packed
        yield Rested(
            body[state - named : state],
            version,
            due,
            stale,
            int.from_bytes(printed, "little"),
            sample,
            body[state:at],
        )


def summary(body: bytes, more: Iterable[Rested] = ()) -> Summary:
    """A bucket in numbers; `more` are accounts that do not stand in it yet."""
    accounts = events = prints = 0
    due = FOREVER
    for rested in (*entries(body), *more):
        accounts += 1
        events += rested.version
        prints += rested.print
        due = min(due, rested.due)
    return Summary(accounts, events, prints % PRINTS, due)


class Buckets:
    """The accounts of a partition that are at rest."""

    def __init__(self) -> None:
        self._bodies: dict[int, bytes] = {}

    def body(self, bucket: int) -> bytes:
        """A bucket's bytes."""
        return self._bodies.get(bucket, b"")

    def bodies(self) -> Iterable[bytes]:
        """All buckets' bytes."""
        return self._bodies.values()

    def put(self, bucket: int, rested: Rested) -> None:
        """Lay an account to rest that is not there."""
        self._bodies[bucket] = self.body(bucket) + entry(rested)

    def fill(self, bucket: int, body: bytes) -> None:
        """The whole bucket, as a snapshot has it."""
        self._bodies[bucket] = body

    def take(self, bucket: int, account: str) -> Rested | None:
        """Take an account out; None when it is not there."""
        body = self.body(bucket)
        name, at, size = account.encode(), 0, _HEAD.size
        length, end = len(name), len(body)
        while at < end:
            due, stale, version, printed, sample, named, packed = _HEAD.unpack_from(body, at)
            state = at + size + named
            if named == length and body[at + size : state] == name:
                over = state + packed
                self._bodies[bucket] = body[:at] + body[over:]
                found = int.from_bytes(printed, "little")
                return Rested(name, version, due, stale, found, sample, body[state:over])
            at = state + packed
        return None

    def __iter__(self) -> Iterator[Rested]:
        for body in self._bodies.values():
            yield from entries(body)
