"""What a command asks, as a short print: the same id must always come with the same print."""

from typing import get_args
from zlib import crc32

import msgspec

from contracts.commands import AnyCommand, Command

_encode = msgspec.json.Encoder().encode
_HEADER = len(Command.__struct_fields__)
_ASKED: dict[type, tuple[tuple[str, str, object], ...]] = {
    kind: tuple(
        (f"{place:x}", field.name, field.default)
        for place, field in enumerate(msgspec.structs.fields(kind))
        if place >= _HEADER
    )
    for kind in get_args(AnyCommand)
}


def digest(command: AnyCommand) -> str:
    """A short print of what is asked: place and CRC-32 of every field that is not its default.

    Two commands with the same id must have the same digest; see `differing`.
    """
    parts = [type(command).__name__]
    for place, name, default in _ASKED[type(command)]:
        if (value := getattr(command, name)) != default:
            parts.append(f"{place}{crc32(_encode(value)):08x}")
    return ".".join(parts)


def differing(command: AnyCommand, first: str) -> tuple[str, ...]:
    """The names of the fields in which a command differs from the digest of the first one."""
    kind, *_ = first.split(".", 1)
    if kind != type(command).__name__:
        return ("type",)
    then, now = ({p[:1]: p[1:] for p in d.split(".")[1:]} for d in (first, digest(command)))
    return tuple(
        name for place, name, _ in _ASKED[type(command)] if then.get(place) != now.get(place)
    )
