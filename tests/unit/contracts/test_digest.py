"""The same question has the same print; another one a different print that tells what differs."""

from typing import get_args

import msgspec
import pytest
from contracts.commands import (
    Actor,
    ActorKind,
    AnyCommand,
    Command,
    Controls,
    Limits,
    Reserve,
    SetControls,
)
from contracts.digest import differing, digest
from msgspec.structs import replace

from contracts import codec
from tests.contract.golden import COMMANDS, example

SERVICE = Actor(ActorKind.SERVICE, "studio")
RESERVE = Reserve(id="r1", account="a", actor=SERVICE, tool="t", limits=Limits(1, 2, 3))


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_the_print_survives_the_wire(kind: type[AnyCommand]) -> None:
    command = example(kind)
    again = codec.decode_command(codec.encode(command))
    assert digest(again) == digest(command)
    assert differing(again, digest(command)) == ()


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_field_that_is_asked_shows_in_the_print_by_its_name(kind: type[AnyCommand]) -> None:
    command = example(kind)
    header = Command.__struct_fields__
    asked = [field for field in msgspec.structs.fields(kind) if field.name not in header]
    for field in asked:
        value = getattr(command, field.name)
        other = replace(command, **{field.name: _other(value)})
        assert digest(other) != digest(command), field.name
        assert differing(other, digest(command)) == (field.encode_name,)


def test_who_asks_when_and_until_when_is_not_part_of_the_question() -> None:
    later = replace(RESERVE, actor=Actor(ActorKind.ADMIN, "x"), issued_at=5, deadline=9)
    assert digest(later) == digest(RESERVE)


def test_another_kind_differs_by_its_type() -> None:
    controls = SetControls(id="r1", account="a", actor=SERVICE, controls=Controls())
    assert differing(controls, digest(RESERVE)) == ("type",)


def test_a_field_that_is_gone_or_new_differs_too() -> None:
    bare = replace(RESERVE, tool=None, limits=None, amount=5)
    assert differing(bare, digest(RESERVE)) == ("tool", "amount", "limits")
    assert differing(RESERVE, digest(bare)) == ("tool", "amount", "limits")


def test_a_place_is_one_hexadecimal_digit() -> None:
    """`differing` reads it so: a command of more than sixteen fields needs another print."""
    assert max(len(kind.__struct_fields__) for kind in get_args(AnyCommand)) <= 16


def test_the_print_of_a_release_without_fields_is_its_kind() -> None:
    assert digest(replace(RESERVE, tool=None, limits=None)) == "Reserve"


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case Limits():
            return replace(value, cpu_ms=value.cpu_ms + 1)
        case Controls():
            return replace(value, day_limit=999)
        case _ if hasattr(value, "__members__") or type(value).__module__.startswith("contracts"):
            return _another_of(value)
        case _:
            return f"{value}-other"


def _another_of(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        first = value.__struct_fields__[0]
        return replace(value, **{first: getattr(value, first) + 1})
    return next(member for member in type(value) if member is not value)  # type: ignore[attr-defined]
