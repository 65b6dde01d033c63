"""Bytes that are no command are rejected, recorded by hash, and nothing else happens."""

import hashlib
import re

import pytest
from bus.log import Record
from bus.partition import partition_of
from contracts.reasons import Reason, RejectReason
from contracts.units import RECORD_BYTES_MAX
from ledger.partition import Partition

from contracts import codec
from tests.unit.domain.kit import CATALOGUE, Story, given, rejection
from tests.unit.domain.words import (
    ACCOUNT,
    PERSON,
    T0,
    TOOL,
    WORKER,
    grant,
    granted,
    refused,
    rejected,
    reserve,
    reserved,
)

RESERVE = codec.encode(reserve("r1", 5))


def forged(value: str) -> bytes:
    assert RESERVE.count(b'"amount":5') == 1
    return RESERVE.replace(b'"amount":5', f'"amount":{value}'.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"[" * 60_000,
        RESERVE[:-1],
        RESERVE.replace(b"Reserve", b"Steal"),
        RESERVE.replace(b'"r1"', b'""'),
        RESERVE.replace(b'"r1"', b'"' + b"r" * 65 + b'"'),
        RESERVE.replace(b'"r1"', b'"\\ud800"'),
        RESERVE.replace(b'"r1"', b'"\xff"'),
        RESERVE.replace(b'"r1"', b'"a\\u0000b"'),
        RESERVE.replace(b'"service"', b'"god"'),
        forged('"5"'),
        forged('"five"'),
        forged("5.0"),
        forged("5.5"),
        forged("1e3"),
        forged("NaN"),
        forged("true"),
        forged("[5]"),
        forged("9" * 5000),
    ],
    ids=lambda raw: re.sub(r"\W+", "-", raw[:90].decode("ascii", "ignore")) or "nothing",
)
def test_what_does_not_decode_is_rejected_by_its_hash(raw: bytes) -> None:
    story = given(granted(100)).when(raw).then(rejected(reason=RejectReason.UNDECODABLE))
    event = rejection(story)
    assert event.sha256 == hashlib.sha256(raw).hexdigest()
    assert event.command is not None
    assert event.command.offset == 1
    story.when(reserve("r2", 5)).then(reserved("r2", 5))


@pytest.mark.parametrize("amount", [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1])
def test_a_number_that_is_one_but_absurd_is_refused_by_its_rule(amount: int) -> None:
    given(granted(100)).when(forged(str(amount))).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    )


def test_limits_as_text_are_rejected() -> None:
    raw = codec.encode(reserve("r1", tool=TOOL, limits=CATALOGUE.tools[TOOL].limits))
    assert b'"cpuMs":20000' in raw
    given(granted(100)).when(raw.replace(b'"cpuMs":20000', b'"cpuMs":"20000"')).then(
        rejected(reason=RejectReason.UNDECODABLE)
    )


def test_a_command_that_is_too_large_is_rejected_unread() -> None:
    raw = RESERVE[:-1] + b',"x":"' + b"x" * RECORD_BYTES_MAX + b'"}'
    given(granted(100)).when(raw).then(rejected(reason=RejectReason.TOO_LARGE))


def test_a_command_with_a_field_of_a_later_version_is_taken() -> None:
    given(granted(100)).when(RESERVE[:-1] + b',"colour":"red"}').then(reserved("r1", 5))


@pytest.mark.parametrize(
    "key", [b"acct-2", b"", None, b"\xff"], ids=("another", "empty", "none", "no-text")
)
def test_a_command_under_the_key_of_another_account_is_rejected(key: bytes | None) -> None:
    story = given(granted(100))
    story.ask(Record(9, T0, key, RESERVE))  # type: ignore[arg-type]
    story.then(rejected(reason=RejectReason.WRONG_KEY)).stands(available=100)


def test_a_command_in_another_partition_than_its_accounts_is_rejected() -> None:
    home = partition_of(ACCOUNT, 2)
    for number in range(2):
        partition = Partition(number, 2, CATALOGUE)
        partition.replay(())
        raw = codec.encode(grant(100))
        ((_, value),) = partition.decide(Record(0, T0, ACCOUNT.encode(), raw))
        event = codec.decode_event(value)
        assert type(event).__name__ == ("CreditsGranted" if number == home else "CommandRejected")
        assert len(partition.accounts) == (1 if number == home else 0)


def test_a_rejection_is_part_of_the_log_and_of_nobodys_account() -> None:
    story = given(granted(100)).when(b"garbage", b"more", reserve("r1", 5))
    rejections = story.last[:2]
    assert [event.account for event in rejections] == ["", ""]
    assert [event.seq for event in story.last] == [2, 3, 4]
    assert story.account.version == 2


def test_a_tool_worker_may_not_reserve_and_a_person_may_not_grant() -> None:
    given(granted(100)).when(reserve("r1", 5, by=WORKER), grant(5, "new", by=PERSON)).then(
        refused(Reason.NOT_PERMITTED), refused(Reason.NOT_PERMITTED)
    ).stands(available=100)


def test_the_story_kit_itself_can_fail() -> None:
    story = given(granted(100)).when(reserve("r1", 5))
    with pytest.raises(AssertionError):
        story.then(reserved("r1", 6))
    with pytest.raises(AssertionError):
        story.then(refused(Reason.RUN_LIMIT))
    with pytest.raises(AssertionError):
        story.stands(held=6)
    story.account.available += 1
    with pytest.raises(AssertionError):
        story.when(reserve("r2", 1))
    assert isinstance(story, Story)
