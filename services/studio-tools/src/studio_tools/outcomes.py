"""What a run of a tool comes to: one of four outcomes, with what the operating system measured.

Only `Completed` is paid for.  Nothing a person types can end in anything but one of these.
"""

from enum import StrEnum

import msgspec


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """What one run may take at most.  A run that takes more is ended, and has failed."""

    cpu_ms: int
    memory_mb: int
    output_kb: int
    timeout_ms: int


class Usage(msgspec.Struct, frozen=True, array_like=True):
    """What one run took, rounded up to whole units and never 0 for a run that was started.

    `memory_mb` is the most that was resident at once, above what the bare interpreter takes.
    """

    cpu_ms: int = 0
    memory_mb: int = 0
    duration_ms: int = 0


class Reason(StrEnum):
    """Why a run failed."""

    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CPU_LIMIT = "cpu_limit"
    OUTPUT_TOO_LARGE = "output_too_large"
    CRASHED = "crashed"


class Completed(msgspec.Struct, frozen=True, tag="completed"):
    """The tool did its work; `output` is one JSON value, as text in UTF-8."""

    output: bytes
    usage: Usage


class InvalidInput(msgspec.Struct, frozen=True, tag="invalid_input"):
    """The input breaks the tool's rules; `message` names the field.  Costs nothing."""

    message: str
    usage: Usage = Usage()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The run was ended by a limit, or broke.  `detail` is for the operator, not the caller."""

    reason: Reason
    usage: Usage
    detail: str = ""


class NotAvailable(msgspec.Struct, frozen=True, tag="not_available"):
    """The catalogue has the tool, this service does not run it yet.  Costs nothing."""

    tool: str
    usage: Usage = Usage()


Outcome = Completed | InvalidInput | Failed | NotAvailable
