"""Bytes that lie in a log are read by every later version, and written the same by this one."""

import json
from typing import Any

import msgspec
import pytest
from contracts.caps import Cap, CapOf, CapWindow
from contracts.codec import CodecError, UnknownEvent
from contracts.commands import SetControls
from contracts.events import VERSIONS, AnswerRepeated, CreditsGranted, PartitionClaimed
from contracts.history import ToolHistory
from contracts.notifications import Notification
from contracts.runs import RunDispatched, RunRequested, RunResult

from contracts import codec
from tests.contract.golden import COMMANDS, EVENTS, FOLDER, KINDS, example, path, write_missing

DECODERS: dict[type, Any] = {
    **dict.fromkeys(COMMANDS, codec.decode_command),
    **dict.fromkeys(EVENTS, codec.decode_event),
    RunRequested: codec.decode_run_requested,
    RunDispatched: codec.decode_run_dispatched,
    RunResult: codec.decode_run_result,
    ToolHistory: codec.decode_history,
    Notification: codec.decode_notification,
}
_any_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
_any_event = pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)


def golden(kind: type) -> bytes:
    return path(kind).read_bytes()


@_any_kind
def test_golden_bytes_decode_to_what_they_say_and_encode_to_the_same(kind: type) -> None:
    decoded, expected = DECODERS[kind](golden(kind)), example(kind)
    assert type(decoded) is kind
    assert codec.encode(decoded) == golden(kind)
    there = json.loads(golden(kind)).keys()
    for field in msgspec.structs.fields(kind):
        if field.encode_name in there:
            assert _plain(getattr(decoded, field.name)) == _plain(getattr(expected, field.name))
        else:
            assert getattr(decoded, field.name) == field.default, "added later, so it has a default"


def test_every_released_message_has_its_golden_bytes() -> None:
    assert not write_missing(), "new examples were written: look at them and commit them"
    known = {kind.__name__ for kind in KINDS}
    for file in FOLDER.iterdir():
        kind, version, suffix = file.name.split(".")
        assert suffix == "json"
        assert kind in known, f"{kind} is in somebody's log: it cannot be removed"
        assert int(version.removeprefix("v")) <= VERSIONS.get(kind, 1)


@_any_kind
def test_unknown_fields_are_ignored(kind: type) -> None:
    more = golden(kind)[:-1] + b',"addedLater":{"deep":[1,null,"x"]}}'
    assert codec.encode(DECODERS[kind](more)) == golden(kind)


@_any_event
def test_a_newer_version_halts_the_reader(kind: type) -> None:
    newer = golden(kind).replace(b'"v":1', b'"v":2', 1)
    with pytest.raises(UnknownEvent, match=f"'{kind.__name__}' version 2"):
        codec.decode_event(newer)


def test_an_unknown_type_halts_the_reader() -> None:
    raw = golden(CreditsGranted).replace(b"CreditsGranted", b"CreditsConjured", 1)
    with pytest.raises(UnknownEvent, match="CreditsConjured"):
        codec.decode_event(raw)


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\xff", b"[]", b"5", b"null", b"{}", b'{"type":5}', b'{"type":"\xff"}', b'{"v":1}'),
        *(b'{"type":"CreditsGranted","v":"one"}', b'{"type":"CreditsGranted","v":1}'),
    ],
    ids=repr,
)
def test_whatever_is_no_event_halts_the_reader(raw: bytes) -> None:
    with pytest.raises(UnknownEvent):
        codec.decode_event(raw)


def test_limits_of_keys_members_and_tools_are_written_like_this_for_ever() -> None:
    raw = (
        b'{"type":"SetControls","id":"id-1","account":"acct-1","actor":{"kind":"person","id":"ada"},'
        b'"controls":{"dayLimit":5,"concurrency":2,"caps":[{"of":"key","id":"k1","limit":70,'
        b'"window":"ever"},{"of":"member","id":"m1","limit":40,"window":"month"},'
        b'{"of":"tool","id":"t1","limit":10,"window":"day"}]}}'
    )
    command = codec.decode_command(raw)
    assert isinstance(command, SetControls)
    assert command.controls.caps[1] == Cap(CapOf.MEMBER, "m1", 40, CapWindow.MONTH)
    assert codec.encode(command) == raw


def test_low_credits_are_written_like_this_for_ever() -> None:
    raw = (
        b'{"type":"SetControls","id":"id-1","account":"acct-1","actor":{"kind":"person","id":"ada"},'
        b'"controls":{"lowBalance":20,"lowPercent":10}}'
    )
    command = codec.decode_command(raw)
    assert isinstance(command, SetControls)
    assert (command.controls.low_balance, command.controls.low_percent) == (20, 10)
    assert codec.encode(command) == raw


def test_an_old_version_is_lifted_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if grants had once said `credits`, then `amount` in whole pounds."""
    old = json.loads(golden(CreditsGranted))
    monkeypatch.setitem(VERSIONS, "CreditsGranted", 3)
    old["credits"] = old.pop("amount")
    upcasts: dict[tuple[str, int], codec.Upcast] = {
        ("CreditsGranted", 1): lambda event: {**event, "amount": event["credits"]},
        ("CreditsGranted", 2): lambda event: {**event, "amount": event["amount"] * 100},
    }
    lifted = codec.decode_event(json.dumps(old).encode(), upcasts=upcasts)
    assert isinstance(lifted, CreditsGranted)
    assert (lifted.v, lifted.amount) == (3, old["credits"] * 100)


def test_an_event_with_raw_json_inside_is_lifted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    old, first = golden(AnswerRepeated), example(AnswerRepeated).first
    monkeypatch.setitem(VERSIONS, "AnswerRepeated", 2)
    lifted = codec.decode_event(old, upcasts={("AnswerRepeated", 1): lambda event: event})
    assert isinstance(lifted, AnswerRepeated)
    assert bytes(lifted.first) == bytes(first)


def test_an_old_version_without_a_way_up_halts_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    old = golden(CreditsGranted)
    monkeypatch.setitem(VERSIONS, "CreditsGranted", 2)
    with pytest.raises(UnknownEvent, match="no way up to 2"):
        codec.decode_event(old)


def test_a_lift_that_leaves_a_wrong_event_halts_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    old = golden(CreditsGranted)
    monkeypatch.setitem(VERSIONS, "CreditsGranted", 2)
    with pytest.raises(UnknownEvent, match="lifted"):
        codec.decode_event(
            old,
            upcasts={("CreditsGranted", 1): lambda event: {**event, "amount": "much"}},
        )


def test_a_command_or_run_message_that_is_none_says_which_field_is_wrong() -> None:
    raw = golden(RunRequested).replace(b'"acct-1"', b"5", 1)
    with pytest.raises(CodecError, match=r"\$\.account"):
        codec.decode_run_requested(raw)


def test_a_claim_begins_with_its_type() -> None:
    """Fresh readers find claims by these first bytes, without decoding all else."""
    assert golden(PartitionClaimed).startswith(b'{"type":"PartitionClaimed"')


def _plain(value: Any) -> Any:
    return codec.encode(value)
