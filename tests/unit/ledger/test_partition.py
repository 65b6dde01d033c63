"""A partition that decided and one that replayed are equal, whatever the log contains besides."""

import pytest
from bus.log import Record
from contracts.catalogue import bundled
from contracts.commands import AnyCommand
from contracts.events import CommandRef, GrantExpired, PartitionClaimed, ReservationExpired
from contracts.units import HOUR, MINUTE, SECOND
from ledger.partition import Partition, PartitionCountError

from contracts import codec
from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    ACCOUNT,
    T0,
    expire,
    grant,
    granted,
    reserve,
)

CATALOGUE = bundled()


def record(command: AnyCommand, offset: int) -> Record:
    return Record(offset, T0, command.account.encode(), codec.encode(command))


def claim(owner: str, at: int, seq: int = 0, commands_from: int = 0, partitions: int = 1) -> bytes:
    return codec.encode(PartitionClaimed(1, owner, at, seq, commands_from, partitions))


def test_a_log_written_for_another_number_of_partitions_is_refused() -> None:
    partition = Partition(0, 2, CATALOGUE)
    with pytest.raises(PartitionCountError, match="create the topics as they were"):
        partition.replay([Record(0, T0, b"", claim("a", 0, partitions=48))])


def test_events_that_do_not_count_change_nothing() -> None:
    story = given(granted(100))
    stray = GrantExpired(
        v=1, seq=2, owner="somebody-else", account=ACCOUNT, at=T0, grant="g1", amount=100
    )
    before = story.partition.accounts.state_hash()
    story.partition.replay([Record(len(story.log), T0, ACCOUNT.encode(), codec.encode(stray))])
    assert story.partition.accounts.state_hash() == before
    assert story.partition.reader.skipped == 1


def test_seq_is_gapless_in_the_partition_and_version_in_the_account() -> None:
    story = given().when(
        *(grant(5, f"g{n}", account=f"acct-{n % 3}") for n in range(9)), b"rubbish"
    )
    assert [event.seq for event in story.last] == list(range(1, 11))
    for number in range(3):
        own = [event for event in story.last if event.account == f"acct-{number}"]
        assert [event.version for event in own] == [1, 2, 3]


def test_events_of_one_command_share_its_reference_and_only_the_last_is_the_answer() -> None:
    story = given(granted(100)).when(reserve("r1", 60)).when(reserve("r2", 40), at=T0 + HOUR)
    first, last = story.last
    assert isinstance(first, ReservationExpired), "what was due is settled first"
    assert first.command == last.command
    assert (first.answer, last.answer) == (False, True)
    assert first.command is not None
    assert first.command.id == "r2"


def test_the_next_command_is_behind_the_last_one_decided_rejected_ones_included() -> None:
    story = given(granted(100)).when(reserve("r1", 5), b"rubbish")
    decided = story.partition.reader.commands_from
    assert decided == 3
    assert story.partition.claim("next", 9).commands_from == decided
    assert story.replayed().reader.commands_from == decided


def test_provenance_names_the_commands_that_count_for_the_cut_check() -> None:
    story = given().when(grant(5), b"rubbish", reserve("r1", 5))
    refs = story.replayed().provenance
    assert [(ref.id, ref.offset, ref.timestamp) for ref in refs] == [
        ("g1", 0, T0),
        ("", 1, T0),
        ("r1", 2, T0),
    ]
    story.partition.start_deciding()
    assert not story.partition.provenance


def test_an_exact_claim_that_goes_back_forgets_the_commands_behind_it() -> None:
    story = given().when(grant(5), reserve("r1", 5), reserve("r2", 5))
    again = story.replayed()
    at = len(story.log)
    again.replay([Record(at, T0, b"", claim("b", at, seq=3, commands_from=1))])
    assert [ref.id for ref in again.provenance] == ["g1"]
    at += 1
    again.replay([Record(at, T0, b"", claim("c", at + 5, seq=0, commands_from=0))])
    assert [ref.id for ref in again.provenance] == ["g1"], "a claim elsewhere says nothing"


def test_time_is_the_newest_seen_also_after_a_replay() -> None:
    story = given().when(grant(5), at=T0 + MINUTE)
    again = story.replayed()
    assert again.now == T0 + MINUTE
    again.start_deciding()
    ((_, value),) = again.decide(record(reserve("r1", 1), 9))
    event = codec.decode_event(value)
    assert event.at == T0 + MINUTE
    assert event.command == CommandRef("r1", 9, T0, event.command.digest)  # type: ignore[union-attr]


def test_what_was_decided_is_counted_by_answer_and_reason() -> None:
    story = given().when(grant(5), reserve("r1", 6), reserve("r2", 6), reserve("r2", 6), b"rubbish")
    assert story.partition.outcomes == {
        ("CreditsGranted", ""): 1,
        ("CommandRefused", "insufficient_credits"): 2,
        ("AnswerRepeated", ""): 1,
        ("CommandRejected", "undecodable"): 1,
    }


def test_dues_name_the_account_when_something_ends() -> None:
    story = given(granted(100)).when(reserve("r1", 5, lifetime_ms=MINUTE))
    for partition in (story.partition, story.replayed()):
        assert partition.due(T0 + MINUTE - 1, 10) == []
        assert partition.due(T0 + MINUTE, 10) == [ACCOUNT]


def test_dues_name_the_account_again_for_what_ends_later() -> None:
    story = given(granted(100)).when(
        reserve("r1", 5, lifetime_ms=MINUTE), reserve("r2", 5, lifetime_ms=2 * MINUTE)
    )
    assert story.partition.due(T0 + MINUTE, 10) == [ACCOUNT]
    story.when(expire(reservation="r1"), at=T0 + MINUTE + SECOND)
    assert story.partition.due(T0 + 2 * MINUTE, 10) == [ACCOUNT]
