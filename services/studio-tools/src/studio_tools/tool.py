"""What a tool is: an id, the shape of its input, one pure function, and an example that works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


class ToolInput(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The base of every input: camelCase on the wire, and a field we do not know is refused."""


class ToolOutput(msgspec.Struct, rename="camel"):
    """The base of every output: camelCase on the wire."""


class InputError(ValueError):
    """The input has the right shape but breaks a rule.  The message is shown to the caller."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")


@dataclass(frozen=True, slots=True)
class Tool:
    """`run` takes an `input_type` and gives a value that encodes as JSON, or raises InputError."""

    id: str
    input_type: type[Any]
    run: Callable[[Any], object]
    example: bytes


Tools = Mapping[str, Tool]


def answer(tool: Tool, payload: bytes) -> bytes:
    """The tool's output as JSON text; InputError when the input is refused."""
    try:
        given = msgspec.json.decode(payload, type=tool.input_type)
    except msgspec.ValidationError as wrong:
        raise InputError(*_explained(str(wrong))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise InputError("input", f"not valid JSON: {wrong}") from None
    except RecursionError:
        raise InputError("input", "nested too deeply") from None
    return msgspec.json.encode(tool.run(given))


def _explained(message: str) -> tuple[str, str]:
    """The decoder's words as (field, rule): ``Expected `int` - at `$.a[0].b``` names ``a[0].b``."""
    rule, _, place = message.partition(" - at `")
    field = place.rstrip("`").removeprefix("$").removeprefix(".")
    return field or "input", rule[:1].lower() + rule[1:].replace("`", "")
