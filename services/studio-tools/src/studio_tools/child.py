"""One run, from the fork to the exit: `become` never returns.

The answer goes down the pipe as one byte that says what it is and then its text; the exit code says
whether to believe it.  A tool that breaks tells the operator where, and the caller nothing.
"""

import gc
import os
from types import TracebackType
from typing import NoReturn

from studio_tools.frames import Start
from studio_tools.sandbox import OUT_FD, Sandbox, shut_in
from studio_tools.tool import InputError, Tool, answer

COMPLETED = b"C"
INVALID = b"I"
BROKEN = b"B"

EXIT_ANSWERED = 0
EXIT_BROKEN = 90
EXIT_OUT_OF_MEMORY = 91
MESSAGE_CHARACTERS_MAX = 500  # a message is read by people; the input may be quoted in it
_CHUNK_BYTES = 64 * 1024


def become(tool: Tool, start: Start, sandbox: Sandbox, out_fd: int, *, may_fork: bool) -> NoReturn:
    """Turn this freshly forked process into the run.  Ends the process, whatever happens."""
    code = EXIT_BROKEN
    try:
        parent = os.getppid()
        shut_in(sandbox, start.limits, out_fd, parent, may_fork=may_fork)
        code = _run(tool, start.payload)
    except MemoryError:
        code = EXIT_OUT_OF_MEMORY
    except BaseException as broken:  # noqa: BLE001 - reported; nothing may return to the zygote
        code = _report(broken)
    finally:
        os._exit(code)


def _run(tool: Tool, payload: bytes) -> int:
    gc.enable()
    try:
        kind, text = COMPLETED, answer(tool, payload)
    except InputError as wrong:
        kind, text = INVALID, str(wrong)[:MESSAGE_CHARACTERS_MAX].encode("utf-8", "replace")
    _write(kind)
    _write(text)
    return EXIT_ANSWERED


def _report(broken: BaseException) -> int:
    where = _innermost(broken.__traceback__)
    try:
        _write(BROKEN)
        _write(f"{type(broken).__name__} at {where}".encode())
    except (OSError, MemoryError):
        return EXIT_OUT_OF_MEMORY if isinstance(broken, MemoryError) else EXIT_BROKEN
    return EXIT_BROKEN


def _innermost(trace: TracebackType | None) -> str:
    """File and line without the exception's text: that could quote what the caller typed."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _write(text: bytes) -> None:
    view = memoryview(text)
    while view:
        view = view[os.write(OUT_FD, view[:_CHUNK_BYTES]) :]
