"""The form of a tool: what a person typed as input and limits, with what is wrong at each field."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from secrets import token_hex

import msgspec
from contracts.catalogue import Tool
from contracts.runs import INPUT_BYTES_MAX
from msgspec import Raw, Struct

from gateway.bodies import AskedLimits, RunBody
from gateway.pages.limitsform import Fault

NUMBER_LENGTH_MAX = 12
KEY_LENGTH_MAX = 64
_LIMITS = ("cpu_ms", "memory_mb", "duration_ms")
_object = msgspec.json.Decoder(dict[str, Raw]).decode


class Typed(Struct, frozen=True, kw_only=True):
    """The form's fields as they stand in it. `key` names the run."""

    input: str
    cpu_ms: str = ""
    memory_mb: str = ""
    duration_ms: str = ""
    key: str


def blank(tool: Tool) -> Typed:
    """The form as it is first seen: an example of the input where there is one."""
    return Typed(input=_examples().get(tool.id, "{}"), key=new_key())


def typed(form: Mapping[str, str]) -> Typed:
    """What was sent; text only, nothing believed yet."""
    return Typed(
        input=form.get("input", ""),
        cpu_ms=_short(form, "cpu_ms"),
        memory_mb=_short(form, "memory_mb"),
        duration_ms=_short(form, "duration_ms"),
        key=form.get("key", "")[:KEY_LENGTH_MAX],
    )


def limits(form: Typed, tool: Tool) -> tuple[AskedLimits | None, list[Fault]]:
    """The limits that were asked for; None: the tool's own."""
    faults: list[Fault] = []
    own = tool.limits
    asked = [
        _number(name, raw, most, faults)
        for name, raw, most in zip(
            _LIMITS,
            (form.cpu_ms, form.memory_mb, form.duration_ms),
            (own.cpu_ms, own.memory_mb, own.duration_ms),
            strict=True,
        )
    ]
    return (
        AskedLimits(cpu_ms=asked[0], memory_mb=asked[1], duration_ms=asked[2])
        if any(asked)
        else None
    ), faults


def parsed(form: Typed, tool: Tool) -> tuple[RunBody, list[Fault]]:
    """The run that was meant, and what is wrong with it."""
    asked, faults = limits(form, tool)
    raw = form.input.encode(errors="replace")
    if len(raw) > INPUT_BYTES_MAX:
        says = f"The input may have {INPUT_BYTES_MAX:,} bytes; this has {len(raw):,}."
        faults.insert(0, Fault("input", says))
    else:
        try:
            _object(raw)
        except msgspec.ValidationError:
            faults.insert(0, Fault("input", "The input is an object: { … }."))
        except msgspec.DecodeError as why:
            faults.insert(0, Fault("input", f"This is not JSON: {_where(str(why), raw)}."))
    return RunBody(input=Raw(raw), requested_limits=asked), faults


def new_key() -> str:
    """A name for a run that nobody has used."""
    return f"run-{token_hex(10)}"


def _where(why: str, raw: bytes) -> str:
    """What the decoder says, with a line instead of a byte."""
    told = why.removeprefix("JSON is malformed: ")
    words, _, place = told.rpartition("(byte ")
    if not place.rstrip(")").isdigit():
        return told
    line = raw[: int(place.rstrip(")"))].count(b"\n") + 1
    return f"{words.strip()}, in line {line}"


def _number(field: str, raw: str, most: int, faults: list[Fault]) -> int | None:
    if not raw:
        return None
    digits = raw.replace(",", "")
    if not (digits.isascii() and digits.isdigit()):
        faults.append(Fault(field, "Enter a whole number in digits, or nothing."))
    elif not 1 <= int(digits) <= most:
        faults.append(Fault(field, f"Enter 1 to {most:,}."))
    else:
        return int(digits)
    return None


def _short(form: Mapping[str, str], field: str) -> str:
    return form.get(field, "").strip()[:NUMBER_LENGTH_MAX]


@cache
def _examples() -> dict[str, str]:
    raw = files("gateway.pages").joinpath("examples.json").read_bytes()
    found = msgspec.json.decode(raw, type=dict[str, Raw])
    return {tool: _pretty(bytes(example)) for tool, example in found.items()}


def _pretty(example: bytes) -> str:
    return msgspec.json.format(example, indent=2).decode()
