"""Bytes to structs and back: JSON with named fields, tagged by `type`, version `v`.

A reader ignores fields it does not know and halts on a type or a version it does not know:
guessing what an event means is how ledgers begin to lie. Older versions are lifted by `UPCASTS`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from contracts.commands import AnyCommand
from contracts.events import VERSIONS, AnyRecord
from contracts.history import ToolHistory
from contracts.notifications import Notification
from contracts.runs import RunDispatched, RunRequested, RunResult

Upcast: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTS: Mapping[tuple[str, int], Upcast] = {}  # (type, v) -> the same event at v + 1
_NUL = b"\\u0000"  # how JSON writes the one character that no PostgreSQL text can hold


class _Named(msgspec.Struct, gc=False):
    type: str
    v: int = 0


class CodecError(ValueError):
    """These bytes are no message that this version of Scrip understands."""


class UnknownEvent(CodecError):
    """An event of an unknown type or a newer version: stop, upgrade this reader, start again."""


encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
_command: Callable[[bytes], AnyCommand] = msgspec.json.Decoder(AnyCommand).decode
_event: Callable[[bytes], AnyRecord] = msgspec.json.Decoder(AnyRecord).decode
_requested: Callable[[bytes], RunRequested] = msgspec.json.Decoder(RunRequested).decode
_dispatched: Callable[[bytes], RunDispatched] = msgspec.json.Decoder(RunDispatched).decode
_result: Callable[[bytes], RunResult] = msgspec.json.Decoder(RunResult).decode
_history: Callable[[bytes], ToolHistory] = msgspec.json.Decoder(ToolHistory).decode
_notification: Callable[[bytes], Notification] = msgspec.json.Decoder(Notification).decode
_Message = TypeVar("_Message", RunRequested, RunDispatched, RunResult, ToolHistory, Notification)


def decode_command(raw: bytes) -> AnyCommand:
    """A command; raises CodecError saying which field is wrong."""
    if _NUL in raw:
        raise CodecError("not a command: it contains the character U+0000")
    try:
        return _command(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise CodecError(f"not a command: {wrong}") from wrong


def decode_event(raw: bytes, *, upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS) -> AnyRecord:
    """An event at its current version; raises UnknownEvent for what this reader cannot know."""
    try:
        event = _event(raw)
    except msgspec.ValidationError as wrong:
        return _lift(raw, upcasts, wrong)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise UnknownEvent(f"not an event: {wrong}") from wrong
    if event.v != VERSIONS[type(event).__name__]:
        return _lift(raw, upcasts, None)
    return event


def decode_run_requested(raw: bytes) -> RunRequested:
    """A message of `tool-runs.requests`; raises CodecError."""
    return _checked(_requested, raw)


def decode_run_dispatched(raw: bytes) -> RunDispatched:
    """A message of `tool-runs.dispatch`; raises CodecError."""
    return _checked(_dispatched, raw)


def decode_run_result(raw: bytes) -> RunResult:
    """A message of `tool-runs.results`; raises CodecError."""
    return _checked(_result, raw)


def decode_history(raw: bytes) -> ToolHistory:
    """A message of `tools.history`; raises CodecError."""
    return _checked(_history, raw)


def decode_notification(raw: bytes) -> Notification:
    """A message of `notifications`; raises CodecError, also at a kind of a later version."""
    return _checked(_notification, raw)


def _lift(
    raw: bytes, upcasts: Mapping[tuple[str, int], Upcast], why: Exception | None
) -> AnyRecord:
    try:
        named = msgspec.json.decode(raw, type=_Named)
    except msgspec.DecodeError as wrong:
        raise UnknownEvent(f"not an event: {wrong}") from wrong
    found: dict[str, Any] = msgspec.json.decode(raw)
    kind, version = named.type, named.v
    current = VERSIONS.get(kind)
    if current is None or version > current or (version == current and why):
        raise UnknownEvent(f"event {kind!r} version {version}: {why or 'newer than this reader'}")
    while version < current:
        lift = upcasts.get((kind, version))
        if lift is None:
            raise UnknownEvent(f"event {kind!r} version {version} has no way up to {current}")
        found, version = {**lift(found), "v": version + 1}, version + 1
    try:
        return _event(encode(found))
    except msgspec.DecodeError as wrong:
        raise UnknownEvent(f"event {kind!r} lifted to version {current}: {wrong}") from wrong


def _checked(decode: Callable[[bytes], _Message], raw: bytes) -> _Message:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise CodecError(str(wrong)) from wrong
