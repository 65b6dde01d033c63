"""What a command asks, as a short print: the same id must always come with the same print."""

from typing import get_args
from zlib import crc32

import msgspec

from contracts.commands import AnyCommand, Command

_encode = msgspec.json.Encoder().encode
_values = msgspec.structs.astuple
_HEADER = len(Command.__struct_fields__)
_NAMES = {kind: kind.__struct_encode_fields__[_HEADER:] for kind in get_args(AnyCommand)}
# What a field counts as when nobody gave it; NODEFAULT equals nothing, so it always counts.
_DEFAULTS = {
    kind: tuple(field.default for field in msgspec.structs.fields(kind))[_HEADER:]
    for kind in get_args(AnyCommand)
}
_PLACES = tuple(f".{place:x}" for place in range(_HEADER, 16))  # one digit: see `differing`


def digest(command: AnyCommand) -> str:
    """A short print of what is asked: place and value of every field that is not its default.

    Numbers stand as they are, everything else as its CRC-32. Two commands with the same id must
    have the same digest; see `differing`.
    """
    kind = type(command)
    print_, defaults, place = kind.__name__, _DEFAULTS[kind], -1
    for value in _values(command)[_HEADER:]:  # counted by hand: every command passes here
        place += 1
        default = defaults[place]
        if value is default or value == default:
            continue
        if type(value) is str:
            print_ += f"{_PLACES[place]}{crc32(value.encode()):x}"
        elif type(value) is int:
            print_ += f"{_PLACES[place]}{value}"
        else:
            print_ += f"{_PLACES[place]}{crc32(_encode(value)):x}"
    return print_


def differing(command: AnyCommand, first: str) -> tuple[str, ...]:
    """The names of the fields in which a command differs from the digest of the first one."""
    kind, *_ = first.split(".", 1)
    if kind != type(command).__name__:
        return ("type",)
    then, now = ({p[:1]: p[1:] for p in d.split(".")[1:]} for d in (first, digest(command)))
    return tuple(
        name
        for place, name in enumerate(_NAMES[type(command)], _HEADER)
        if then.get(f"{place:x}") != now.get(f"{place:x}")
    )
