"""The reader rule: an event counts if it names the newest claim and its seq is the next one."""

import pytest
from bus.reader import LogDivergedError, Position, Reader
from contracts.events import AnyRecord, CommandRef, GrantExpired, PartitionClaimed


def claim(owner: str, at: int, seq: int = 0, commands_from: int = 0) -> PartitionClaimed:
    return PartitionClaimed(1, owner, at, seq, commands_from, 2)


def event(owner: str, seq: int, command: int | None = None) -> GrantExpired:
    ref = None if command is None else CommandRef("c", command, 0)
    return GrantExpired(v=1, owner=owner, seq=seq, command=ref, grant="g", amount=1)


def counted(reader: Reader, *records: AnyRecord) -> list[int]:
    """The offsets of those that count."""
    start = reader.offset
    return [at for at, record in enumerate(records, start) if reader.counts(at, record)]


def test_the_owners_events_count_in_their_order() -> None:
    reader = Reader()
    assert counted(reader, claim("a", 0), event("a", 1), event("a", 2)) == [1, 2]
    assert reader.position == Position(offset=3, token="a", seq=2, commands_from=0)
    assert reader.skipped == 0


def test_nothing_counts_before_the_first_claim() -> None:
    reader = Reader()
    assert counted(reader, event("a", 1), event("", 2)) == []
    assert reader.skipped == 2


def test_the_right_token_alone_does_not_count() -> None:
    """A batch of the same owner was lost: what comes after it must not count."""
    reader = Reader()
    assert counted(reader, claim("a", 0), event("a", 1), event("a", 3), event("a", 4)) == [1]
    assert (reader.seq, reader.skipped) == (1, 2)


def test_the_right_seq_alone_does_not_count() -> None:
    """A late batch of the owner before, whose numbers happen to fit."""
    reader = Reader()
    records = (claim("a", 0), event("a", 1), claim("b", 2, seq=1), event("a", 2), event("b", 2))
    assert counted(reader, *records) == [1, 4]
    assert reader.skipped == 1


def test_a_repeated_batch_counts_once() -> None:
    reader = Reader()
    assert counted(reader, claim("a", 0), event("a", 1), event("a", 1), event("a", 2)) == [1, 3]


def test_a_claim_that_is_not_exact_silences_the_old_owner_and_says_nothing() -> None:
    reader = Reader()
    elsewhere = claim("b", at=1, seq=0, commands_from=99)  # lands at 2: a batch was before it
    records = (claim("a", 0, commands_from=5), event("a", 1), elsewhere, event("a", 2))
    assert counted(reader, *records) == [1]
    assert reader.position == Position(offset=4, token="b", seq=1, commands_from=5)
    assert counted(reader, event("b", 2), claim("c", 5, seq=2), event("c", 3)) == [4, 6]


def test_an_exact_claim_that_counts_otherwise_stops_the_reader() -> None:
    reader = Reader()
    with pytest.raises(LogDivergedError, match="rebuild from offset 0"):
        counted(reader, claim("a", 0), event("a", 1), claim("b", 2, seq=5))


def test_commands_from_is_behind_the_highest_command_that_counts() -> None:
    reader = Reader()
    records = (claim("a", 0, commands_from=3), event("a", 1, command=7), event("a", 2, command=7))
    counted(reader, *records, event("x", 3, command=50))
    assert reader.commands_from == 8


def test_an_exact_claim_may_go_back_to_earlier_commands() -> None:
    """The commands topic was cut: its new owner says where it goes on."""
    reader = Reader()
    counted(reader, claim("a", 0), event("a", 1, command=9), claim("b", 2, 1, commands_from=4))
    assert reader.commands_from == 4


def test_a_fresh_reader_starts_at_an_exact_claim_and_knows_its_seq() -> None:
    reader = Reader.from_claim(70, claim("b", 70, seq=41, commands_from=9))
    assert reader.position == Position(71, "b", 41, 9)
    assert counted(reader, event("b", 43), event("b", 42)) == [72]


def test_a_fresh_reader_never_starts_at_a_claim_that_is_not_exact() -> None:
    with pytest.raises(ValueError, match="exact"):
        Reader.from_claim(71, claim("b", 70, seq=41))


def test_a_reader_goes_on_where_its_results_stopped() -> None:
    whole, first = Reader(), Reader()
    records = (
        claim("a", 0),
        event("a", 1, 1),
        event("a", 2, 2),
        claim("b", 3, 2),
        event("b", 3, 3),
    )
    counted(whole, *records)
    counted(first, *records[:2])
    second = Reader(first.position)
    assert counted(second, *records[2:]) == [2, 4]
    assert second.position == whole.position
