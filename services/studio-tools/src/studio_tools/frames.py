"""The words between a runner and its zygote, and how they are cut from a byte stream.

Each frame is four bytes of length, most significant first, then one MessagePack value.
Both ends are ours and of one version; a frame that does not decode is a bug and raises.
"""

from collections.abc import Iterator

import msgspec

from studio_tools.outcomes import Limits, Outcome

LENGTH_BYTES = 4
FRAME_BYTES_MAX = 64 * 2**20  # far above any output limit: only a bug can reach it


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Run `tool` on `payload` (JSON text); answered by exactly one `Ended` with the same slot."""

    slot: int
    tool: str
    payload: bytes
    limits: Limits


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Kill the run in this slot, if it still runs.  Its `Ended` still comes."""

    slot: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The first frame of a zygote: which tools it has, and how well a run is shut in."""

    tools: tuple[str, ...]
    baseline_kb: int
    own_user: bool
    own_network: bool


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    slot: int
    outcome: Outcome


ToZygote = Start | Cancel
FromZygote = Ready | Ended


class FrameTooLargeError(Exception):
    """A frame says it is longer than FRAME_BYTES_MAX: the stream is out of step."""


def pack(message: ToZygote | FromZygote) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def frame_length(header: bytes | bytearray) -> int:
    length = int.from_bytes(header[:LENGTH_BYTES], "big")
    if length > FRAME_BYTES_MAX:
        raise FrameTooLargeError
    return length


def cut(buffer: bytearray) -> Iterator[bytes]:
    """Take every whole frame off the front of `buffer`; what is not whole yet stays."""
    while len(buffer) >= LENGTH_BYTES:
        end = LENGTH_BYTES + frame_length(buffer)
        if len(buffer) < end:
            return
        body = bytes(buffer[LENGTH_BYTES:end])
        del buffer[:end]
        yield body
