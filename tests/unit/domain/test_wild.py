"""Whatever can be sent is answered: no command, however absurd, stops a partition or bloats it."""

import random
from enum import Enum
from typing import Any, get_args

import msgspec
import pytest
from contracts.commands import AnyCommand
from contracts.units import FOREVER, HOUR
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import codec
from tests.unit.domain.words import T0, TOOL, charge, grant, reserve, thaw
from tests.unit.domain.world import World

NUMBERS: tuple[int, ...] = (
    0,
    1,
    3,
    4,
    5,
    6,
    7,
    9,
    20,
    64,
    -1,
    2**31,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63),
    10**30,
    10**12,
    T0,
    T0 + HOUR,
)
NUMBERS += (FOREVER, FOREVER + 1)
TEXTS = ("x", "acct-1", "g1", "r1", "c1", TOOL, "ä" * 64, "\n", "\\", "UTC", "GBP", "localtime")
ABSURD: tuple[Any, ...] = (None, "", "x" * 65, "5", 5.5, True, [], {})


class Wild:
    """Values of the right type and the wrong size; one in fifty is of the wrong type."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._made = 0

    def command(self) -> bytes:
        """A command of some kind, as JSON."""
        kind = self._random.choice(get_args(AnyCommand))
        made = self._struct(msgspec.inspect.type_info(kind))  # type: ignore[arg-type]
        self._made += 1
        if self._random.random() < 0.8:
            made["id"] = f"wild-{self._made}"
        actors = ("admin", "admin", "admin", "courier", "payments", "person")
        made |= {"account": "acct-1", "actor": {"kind": self._random.choice(actors), "id": "x"}}
        return codec.encode({"type": kind.__name__, **made})

    def _struct(self, info: msgspec.inspect.StructType) -> dict[str, Any]:
        return {
            field.encode_name: self._value(field.type)
            for field in info.fields
            if field.required or self._random.random() < 0.2
        }

    def _value(self, info: msgspec.inspect.Type) -> Any:
        if self._random.random() < 0.02:
            return self._random.choice(ABSURD)
        match info:
            case msgspec.inspect.IntType():
                return self._random.choice(NUMBERS)
            case msgspec.inspect.StrType():
                return self._random.choice(TEXTS)
            case msgspec.inspect.BoolType():
                return self._random.random() < 0.5
            case msgspec.inspect.EnumType():
                return self._random.choice(list[Enum](info.cls)).value
            case msgspec.inspect.UnionType():
                return self._value(self._random.choice(info.types))
            case msgspec.inspect.VarTupleType():
                return [self._value(info.item_type) for _ in range(self._random.choice((0, 3, 50)))]
            case msgspec.inspect.StructType():
                return self._struct(info)
        return None


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_whatever_is_sent_is_answered_and_can_be_replayed(seed: int) -> None:
    world, wild = World(), Wild(seed)
    world.ask(grant(100))
    world.ask(reserve("r1", 50))
    world.ask(charge("r1", 5, final=False))
    for _ in range(40):
        raw = wild.command()
        named = msgspec.json.decode(raw)["id"]
        world.ask_raw(raw, "acct-1", named if isinstance(named, str) else "")
    world.check()
    assert max(len(record.value) for record in world.log) < 16 << 10


def test_the_wild_commands_reach_the_rules() -> None:
    """Else the test above would only show that nonsense is rejected."""
    world, wild = World(), Wild(3)
    world.ask(grant(1000))
    for number in range(1_200):
        raw = wild.command()
        named = msgspec.json.decode(raw)["id"]
        world.ask_raw(raw, "acct-1", named if isinstance(named, str) else "")
        found = world.live.accounts.get("acct-1")
        for reason in list(found.freezes.get("", ())) if found else ():
            world.ask(thaw(None, reason, f"thaw-{number}"))  # else nothing is ever held again
    answers = {answer for answer, count in world.live.outcomes.items() if count}
    kinds = {kind for kind, _ in answers}
    assert {"CreditsGranted", "CreditsReserved", "EstimateGiven", "ControlsChanged"} <= kinds
    assert len({reason for kind, reason in answers if kind == "CommandRefused"}) > 8, answers


@pytest.mark.parametrize("field", ["issuedAt", "deadline"])
@pytest.mark.parametrize("absurd", [-(10**30), 10**30, 2**63])
def test_absurd_times_in_the_header_are_answered(field: str, absurd: int) -> None:
    world = World()
    made = msgspec.json.decode(codec.encode(reserve("r1", 5)))
    world.ask_raw(codec.encode({**made, field: absurd}), "acct-1", "r1")
    world.check()
