"""Lines: valid against the published schema, hashed as documented, every change noticed."""

import hashlib
import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import rfc8785
from audit_projector import line as lines
from audit_projector.line import GENESIS, BadLine, checked, placed, source_of, written

from contracts import codec
from tests.unit.audit_projector.world import World, kinds

SCHEMA = Path(__file__).parents[3] / "contracts" / "schemas" / "audit-line.json"


def chained(world: World) -> list[bytes]:
    source, previous, found = source_of("test", "ledger.events", 0), GENESIS, []
    token, seq = "", 0
    for sequence, taken in enumerate(world.taken(), start=1):
        if type(taken.event).__name__ == "PartitionClaimed":
            token = taken.event.owner
        seq += taken.counts
        raw, previous = written(taken, token, seq, previous, placed(sequence, source))
        found.append(raw)
    return found


@pytest.fixture(scope="module")
def world() -> World:
    return World(5).go_on(1_000)


@pytest.fixture(scope="module")
def log(world: World) -> list[bytes]:
    return chained(world)


def test_the_world_tells_of_everything_that_the_ledger_does_now(world: World) -> None:
    assert kinds(world) >= {
        "AccountFrozen",
        "AccountThawed",
        "AnswerRepeated",
        "CommandRefused",
        "CommandRejected",
        "ControlsChanged",
        "CreditsCharged",
        "CreditsGranted",
        "CreditsReceived",
        "CreditsRefunded",
        "CreditsReleased",
        "CreditsReserved",
        "CreditsRevoked",
        "CreditsSent",
        "EstimateGiven",
        "GrantExpired",
        "PartitionClaimed",
        "PlanChanged",
        "ReservationExpired",
        "TransferSettled",
    }


def test_every_line_is_valid_against_the_published_schema(log: list[bytes]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for raw in log:
        validator.validate(json.loads(raw))


def test_the_schema_can_refuse(log: list[bytes]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    line = json.loads(log[3])

    assert not validator.is_valid({**line, "hash": "short"})
    assert not validator.is_valid({k: v for k, v in line.items() if k != "sequence"})
    assert not validator.is_valid({**line, "extra": 1})


def test_another_program_finds_the_same_hashes(log: list[bytes]) -> None:
    previous = bytes(32)
    for number, raw in enumerate(log, start=1):
        line = json.loads(raw)
        told = line.pop("hash")
        body = b"scrip.audit.line\x00\x01" + previous + rfc8785.dumps(line)

        assert line["sequence"] == str(number)
        assert line["prevhash"] == previous.hex()
        assert told == hashlib.sha256(body).hexdigest()
        assert raw == rfc8785.dumps({**line, "hash": told}) + b"\n"
        previous = bytes.fromhex(told)


def test_the_lines_are_enough_to_write_the_topic_again(world: World, log: list[bytes]) -> None:
    again = [codec.encode(codec.decode_event(lines.checked(raw[:-1])[0].data)) for raw in log]

    for (_, first), second in zip(world.log, again, strict=True):
        ours, theirs = json.loads(second), json.loads(first)
        assert ours == theirs
        if theirs["type"] != "AnswerRepeated":  # quotes another event, whose order is canonical now
            assert second == first


def test_every_single_byte_matters(log: list[bytes]) -> None:
    raw = log[5][:-1]
    previous = checked(log[4][:-1])[1]
    assert checked(raw, previous)
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(BadLine):
            checked(changed, previous)


def test_a_line_of_another_place_does_not_follow(log: list[bytes]) -> None:
    with pytest.raises(BadLine, match="does not follow"):
        checked(log[6][:-1], checked(log[4][:-1])[1])


def test_a_claim_and_a_stray_event_say_where_the_reader_stood(log: list[bytes]) -> None:
    decoded = [json.loads(raw) for raw in log]
    strays = [x for x in decoded if x["type"] == "scrip.audit.RecordSkipped"]
    claims = [x for x in decoded if x["type"] == "scrip.ledger.PartitionClaimed"]

    assert strays
    assert all(x["data"]["owner"] != x["readertoken"] for x in strays)
    assert all(x["data"]["owner"] == x["readertoken"] for x in claims)
