"""How a bucket lies in `ledger.snapshots`: what was known of it in front, its very bytes behind.

    b <bucket> <part>    a bucket; in parts where it is too large for one record
    s <number>           a sample that accounts at rest are deflated against
    marker               what all of it stands for, written last
    claim                an owner was here: from now on the broker refuses the one before

Every value but the claim's is sealed: a checksum, and its `writer`, the offset of its owner's claim
here. What an owner wrote after the claim of a later one does not count, whatever the broker
let through; nor does what is damaged, or was never written by an owner of this topic.

Records of one `lineage` belong together: it begins with an owner that read the whole log, and goes
on through all who restored from what it wrote. Samples are numbered within it.
"""

from collections.abc import Mapping
from hashlib import blake2b
from struct import Struct as Layout
from zlib import crc32

import msgspec
from bus.log import KeyValue

from ledger.buckets import Summary
from ledger.resting import PRINT_BYTES

CLAIM = b"claim"
MARKER = b"marker"
PART_BYTES = 512 << 10  # of one record; a batch of two still fits

_BUCKET, _SAMPLE = b"b", b"s"
# lineage, upto, parts, samples, accounts, events, due, prints
_FRONT = Layout(f"<QQHBIQQ{PRINT_BYTES}s")
_SEAL = Layout("<IQ")  # checksum of all else, writer
_LINEAGE = 8  # bytes
_BUCKET_KEY = 5


class Shelf(msgspec.Struct, frozen=True, gc=False):
    """A bucket in a snapshot. `upto` is the offset behind the last event that it has seen.

    Its accounts may rest against any of so many `samples`.
    """

    lineage: int
    upto: int
    summary: Summary
    body: bytes
    samples: int = 0


class Shelves(msgspec.Struct, frozen=True):
    """All of one lineage: buckets by number, and samples in order."""

    buckets: dict[int, Shelf]
    samples: list[bytes]


def lineage_of(token: str) -> int:
    """The number of a lineage that begins under this claim."""
    return int.from_bytes(blake2b(token.encode(), digest_size=_LINEAGE).digest(), "little") or 1


def records_of(bucket: int, shelf: Shelf) -> list[KeyValue]:
    """The records of one bucket."""
    found, body = shelf.summary, shelf.body
    parts = max(1, -(-len(body) // PART_BYTES))
    front = _FRONT.pack(
        shelf.lineage,
        shelf.upto,
        parts,
        shelf.samples,
        found.accounts,
        found.events,
        found.due,
        found.prints.to_bytes(PRINT_BYTES, "little"),
    )
    return [
        (_key(bucket, part), front + body[part * PART_BYTES : (part + 1) * PART_BYTES])
        for part in range(parts)
    ]


def sample_record(lineage: int, number: int, sample: bytes) -> KeyValue:
    """The record of a sample."""
    return _SAMPLE + number.to_bytes(1), lineage.to_bytes(_LINEAGE, "little") + sample


def sealed(record: KeyValue, writer: int) -> KeyValue:
    """The record as this owner writes it."""
    key, value = record
    return key, _SEAL.pack(_checksum(key, value, writer), writer) + value


def opened(key: bytes, value: bytes) -> tuple[int, bytes] | None:
    """The writer of a record and what it says; None when nobody wrote it like this."""
    if len(value) < _SEAL.size:
        return None
    checksum, writer = _SEAL.unpack_from(value)
    inside = value[_SEAL.size :]
    return (writer, inside) if checksum == _checksum(key, inside, writer) else None


def buckets_in(records: Mapping[bytes, bytes]) -> set[int]:
    """The buckets that there are records of, whoever wrote them."""
    return {int.from_bytes(key[1:3]) for key in records if _is_bucket(key)}


def shelves_of(records: dict[bytes, bytes], lineage: int, samples: int) -> Shelves | None:
    """What the newest records of each key say together; None unless all are of this lineage.

    At least so many `samples` are there, and as many as any bucket knows: one newer than the
    marker may outlive the sample that was written before it. The records are used up, since they
    are half of memory.
    """
    mine = lineage.to_bytes(_LINEAGE, "little")
    buckets: dict[int, Shelf] = {}
    numbered: dict[int, bytes] = {}
    for key in sorted(records):
        value = records.get(key, b"")
        if key[:1] == _SAMPLE and len(key) == len(_SAMPLE) + 1:
            if value[:_LINEAGE] == mine:
                numbered[key[1]] = value[_LINEAGE:]
        elif _is_bucket(key) and key[3:] == b"\0\0":
            bucket = int.from_bytes(key[1:3])
            shelf = _shelf(records, bucket)
            if shelf is None or shelf.lineage != lineage:
                return None
            buckets[bucket] = shelf
            samples = max(samples, shelf.samples)
    if sorted(numbered) != list(range(1, len(numbered) + 1)) or len(numbered) < samples:
        return None
    return Shelves(buckets, [numbered[n] for n in sorted(numbered)])


def _shelf(records: dict[bytes, bytes], bucket: int) -> Shelf | None:
    first, size = records.pop(_key(bucket, 0)), _FRONT.size
    lineage, upto, parts, samples, accounts, events, due, prints = _FRONT.unpack_from(first)
    pieces = [first[size:]]
    for part in range(1, parts):
        more = records.pop(_key(bucket, part), b"")
        if more[:size] != first[:size]:
            return None
        pieces.append(more[size:])
    body = pieces[0] if parts == 1 else b"".join(pieces)
    found = Summary(accounts, events, int.from_bytes(prints, "little"), due)
    return Shelf(lineage, upto, found, body, samples)


def _checksum(key: bytes, value: bytes, writer: int) -> int:
    return crc32(value, crc32(key, crc32(writer.to_bytes(8, "little"))))


def _is_bucket(key: bytes) -> bool:
    return key[:1] == _BUCKET and len(key) == _BUCKET_KEY


def _key(bucket: int, part: int) -> bytes:
    return _BUCKET + bucket.to_bytes(2) + part.to_bytes(2)
