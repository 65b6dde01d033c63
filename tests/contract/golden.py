"""One example of every message that was ever released, as the bytes that lie in somebody's log.

`python -m tests.contract.golden` writes the examples that are missing into contracts/golden. What
is there is never written again: those bytes exist in logs, and every later version must read them.
"""

from pathlib import Path
from typing import Any, get_args

import msgspec
from contracts.commands import AnyCommand, Controls
from contracts.events import VERSIONS, AnyRecord, PartitionClaimed
from contracts.history import ToolHistory
from contracts.notifications import Notification
from contracts.runs import RunDispatched, RunRequested, RunResult

from contracts import codec

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "golden"
COMMANDS: tuple[type, ...] = get_args(AnyCommand)
EVENTS: tuple[type, ...] = get_args(AnyRecord)
RUNS: tuple[type, ...] = (RunRequested, RunDispatched, RunResult, ToolHistory, Notification)
KINDS = (*COMMANDS, *EVENTS, *RUNS)

NOON = 1_772_366_400_000  # 2026-03-01 12:00 UTC
_TEXTS = {
    "account": "acct-1",
    "owner": "rJ3kQ0bE9xTnVw1c",
    "time_zone": "Asia/Kolkata",
    "tool": "dev-studio-security",
    "price_version": "2026-11-1",
    "currency": "GBP",
    "digest": "Reserve.6e5f1a2b.d5",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "state_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "name": "day",
    "message": "The input has no field `rows`.",
    "code": "invalid_input",
}
_NUMBERS = {"v": 1, "at": NOON, "timestamp": NOON, "issued_at": NOON, "deadline": NOON + 30_000}
_NUMBERS |= {"expires_at": NOON + 300_000, "valid_until": NOON + 600_000, "resets_at": NOON}
_NUMBERS |= {"start": NOON - 43_200_000, "end": NOON + 43_200_000, "effective_from": NOON}
_TRUE_BY_DEFAULT = {"final", "alert_email", "alert_in_app"}  # and thus only seen when false
# Parts of messages that grew after their examples lay here; see test_golden for these fields.
_LATER: dict[type, set[str]] = {Controls: {"concurrency", "caps", "low_balance", "low_percent"}}
_FIRST = b'{"type":"CommandRefused","v":1,"seq":7,"owner":"rJ3kQ0bE9xTnVw1c"}'


def example(kind: type) -> Any:
    """A message of this kind with every field filled, the same every time."""
    made = _struct(kind)
    return msgspec.structs.replace(made, at=4711) if kind is PartitionClaimed else made


def path(kind: type) -> Path:
    """Where the example of the current version lies."""
    return FOLDER / f"{kind.__name__}.v{VERSIONS.get(kind.__name__, 1)}.json"


def write_missing() -> list[Path]:
    """Write what is not there yet; give what was written."""
    FOLDER.mkdir(exist_ok=True)
    missing = [kind for kind in KINDS if not path(kind).exists()]
    for kind in missing:
        path(kind).write_bytes(codec.encode(example(kind)))
    return [path(kind) for kind in missing]


def _struct(kind: type) -> Any:
    fields = msgspec.structs.fields(kind)
    infos = msgspec.inspect.type_info(kind).fields  # type: ignore[attr-defined]
    return kind(
        **{
            field.name: _value(field.name, info.type, place)
            for place, (field, info) in enumerate(zip(fields, infos, strict=True), start=1)
            if field.name not in _LATER.get(kind, ())
        }
    )


def _value(name: str, info: msgspec.inspect.Type, place: int) -> Any:
    match info:
        case msgspec.inspect.UnionType():
            return _value(name, next(t for t in info.types if not _is_none(t)), place)
        case msgspec.inspect.IntType():
            return _NUMBERS.get(name, 10 * place)
        case msgspec.inspect.StrType():
            return _TEXTS.get(name, f"{name.replace('_', '-')}-1")
        case msgspec.inspect.BoolType():
            return name not in _TRUE_BY_DEFAULT
        case msgspec.inspect.EnumType():
            return list(info.cls)[-1]
        case msgspec.inspect.VarTupleType():
            return (_value(name, info.item_type, place),)
        case msgspec.inspect.StructType():
            return _struct(info.cls)
        case msgspec.inspect.RawType():
            return msgspec.Raw(_FIRST if name == "first" else b'{"rows":[1,2]}')
    raise AssertionError(f"{name}: an example for {info}")


def _is_none(info: msgspec.inspect.Type) -> bool:
    return isinstance(info, msgspec.inspect.NoneType)


if __name__ == "__main__":
    for written in write_missing():
        print(f"wrote {written.name}")
