"""A snapshot that is read back says what was written, or why it is left alone."""

import msgspec
from bus.log import KeyValue, Record
from bus.reader import Position
from ledger.buckets import Summary
from ledger.partition import Partition
from ledger.resting import layout
from ledger.shelves import (
    CLAIM,
    MARKER,
    PART_BYTES,
    Shelf,
    opened,
    records_of,
    sample_record,
    sealed,
)
from ledger.snapshots import Found, Marker

from tests.unit.domain.kit import CATALOGUE

LINEAGE = 77
BODY = Summary(accounts=0, events=0)


def marker(offset: int = 10, samples: int = 0, layout_: str = "") -> KeyValue:
    made = Marker(
        layout=layout_ or layout(),
        lineage=LINEAGE,
        partitions=1,
        at=Position(offset, "token", 5, 3),
        now=1,
        events=0,
        samples=samples,
        newest=None,
    )
    return MARKER, msgspec.json.encode(made)


def bucket(number: int = 7, upto: int = 9, lineage: int = LINEAGE, body: bytes = b"") -> KeyValue:
    return records_of(number, Shelf(lineage, upto, BODY, body))[0]


def read(*written: tuple[int, KeyValue]) -> Found:
    """Records by their writer, one behind the other; a claim is written as itself."""
    found = Found()
    for offset, (writer, record) in enumerate(written):
        key, value = record if record[0] == CLAIM else sealed(record, writer)
        found.read([Record(offset, 0, key, value)])
    return found


def why_not(found: Found, end: int = 100) -> str:
    return found.fill(Partition(0, 1, CATALOGUE), end)


CLAIMED = (0, (CLAIM, b""))


def test_what_an_owner_wrote_is_taken() -> None:
    assert why_not(read(CLAIMED, (0, bucket()), (0, marker()))) == ""


def test_a_bucket_that_outlived_the_sample_before_it_is_not_taken() -> None:
    newer = records_of(7, Shelf(LINEAGE, 9, BODY, b"", samples=1))[0]
    assert "some of its records" in why_not(read(CLAIMED, (0, newer), (0, marker())))
    sample = sample_record(LINEAGE, 1, b"like this")
    assert why_not(read(CLAIMED, (0, sample), (0, newer), (0, marker()))) == ""


def test_nothing_there_is_said_so() -> None:
    assert why_not(read(CLAIMED)) == "there is none"


def test_a_snapshot_ahead_of_the_log_is_left_alone() -> None:
    """Its marker, or any of its buckets: the log was cut, or is another one."""
    assert "ahead of the log" in why_not(read(CLAIMED, (0, marker(offset=11))), end=10)
    assert "ahead of the log" in why_not(
        read(CLAIMED, (0, bucket(upto=12)), (0, marker(offset=9))), end=10
    )
    assert why_not(read(CLAIMED, (0, bucket(upto=10)), (0, marker(offset=9))), end=10) == ""


def test_what_a_stale_owner_wrote_is_left_out() -> None:
    found = read(CLAIMED, (0, (CLAIM, b"")), (1, bucket()), (0, marker()))
    assert found.left_out == 1
    assert why_not(found) == "there is none"


def test_a_stale_record_does_not_take_the_place_of_a_right_one() -> None:
    found = read(CLAIMED, CLAIMED, (1, bucket(upto=9)), (1, marker()), (0, bucket(upto=99)))
    assert found.left_out == 1
    assert why_not(found, end=50) == ""


def test_a_writer_that_never_claimed_is_left_out() -> None:
    assert read(CLAIMED, (500, marker())).left_out == 1


def test_another_layout_is_left_alone() -> None:
    assert "layout" in why_not(read(CLAIMED, (0, marker(layout_="older"))))


def test_buckets_of_another_lineage_are_left_alone() -> None:
    found = read(CLAIMED, (0, bucket(lineage=5)), (0, marker()))
    assert "of another one" in why_not(found)


def test_a_missing_sample_is_noticed() -> None:
    assert "of another one" in why_not(read(CLAIMED, (0, bucket()), (0, marker(samples=1))))


def test_a_bucket_in_parts_needs_all_of_them() -> None:
    parts = records_of(7, Shelf(LINEAGE, 9, BODY, bytes(2 * PART_BYTES + 1)))
    assert len(parts) == 3
    whole = [(0, part) for part in parts]
    assert why_not(read(CLAIMED, *whole, (0, marker()))) == ""
    assert "of another one" in why_not(read(CLAIMED, *whole[:2], (0, marker())))


def test_every_byte_of_a_record_is_sealed() -> None:
    key, value = sealed(bucket(body=b"body"), 3)
    assert opened(key, value) == (3, bucket(body=b"body")[1])
    for at in range(len(value)):
        wrong = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
        assert opened(key, wrong) is None
    assert opened(b"other", value) is None
