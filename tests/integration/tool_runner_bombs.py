"""Tools that misbehave, each in one way; a zygote imports them in place of the real ones."""

import ctypes
import errno
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from studio_tools.tool import Tool, ToolInput


class Order(ToolInput, kw_only=True):
    mark: str = ""
    amount: int = 0


def _answers(given: Order) -> dict[str, object]:
    return {"mark": given.mark, "pid": os.getpid()}


def _sleeps(given: Order) -> None:
    time.sleep(given.amount)


def _burns(given: Order) -> int:
    until = time.process_time() + given.amount / 1000
    rounds = 0
    while time.process_time() < until:
        rounds += 1
    return rounds


def _burns_in_c(given: Order) -> bool:
    """One call into C that holds the interpreter: no Python code can interrupt it."""
    return sum(range(10**11)) > given.amount


def _takes_memory(given: Order) -> int:
    block = bytearray(given.amount * 2**20)
    for page in range(0, len(block), 4096):
        block[page] = 1
    return len(block)


def _floods(given: Order) -> str:
    return "x" * given.amount


def _dies(given: Order) -> None:
    os.kill(os.getpid(), given.amount)


def _segfaults(given: Order) -> None:
    ctypes.string_at(given.amount)


def _leaves(given: Order) -> None:
    os._exit(given.amount)


def _raises(given: Order) -> None:
    raise LookupError(given.mark)


def _forks(given: Order) -> list[int]:
    """Children that outlive the run if they can: some even leave its session."""
    pids = []
    for number in range(given.amount):
        pid = os.fork()
        if pid == 0:
            if number % 2:
                os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
            os._exit(0)
        pids.append(pid)
    if given.mark:
        time.sleep(600)
    return pids


def _looks_around(_given: Order) -> dict[str, object]:
    reached = written = "yes"
    file = Path("/tmp/scrip-a-tool-must-not-write-this")
    try:
        file.write_bytes(b"x" * 100)
    except OSError as refused:
        written = errno.errorcode[refused.errno or 0]
        file.unlink(missing_ok=True)  # made, and left empty
    try:
        socket.socket().connect(("127.0.0.1", 9))
    except OSError as refused:
        reached = errno.errorcode[refused.errno or 0]
    return {
        "environment": dict(os.environ),
        "descriptors": sorted(int(fd.name) for fd in Path("/proc/self/fd").iterdir()),
        "uid": os.getuid(),
        "session": os.getsid(0) == os.getpid(),
        "reached": reached,
        "written": written,
    }


def _refuses_on_start(_given: Order) -> None:
    """Never runs: its example does not decode, so the zygote that imports it cannot start."""


def _tool(name: str, run: Callable[[Order], object]) -> Tool:
    return Tool(name, Order, run, b"{}")


_HARMLESS_EXAMPLE = {"answers": _answers, "looks-around": _looks_around}
_BAD = {
    "sleeps": _sleeps,
    "burns": _burns,
    "burns-in-c": _burns_in_c,
    "takes-memory": _takes_memory,
    "floods": _floods,
    "dies": _dies,
    "segfaults": _segfaults,
    "leaves": _leaves,
    "raises": _raises,
    "forks": _forks,
}


class _Warm:
    """A run that does nothing in the zygote's own warm-up and the real thing in a child."""

    def __init__(self, run: Callable[[Order], object]) -> None:
        self._run = run
        self._home = os.getpid()

    def __call__(self, given: Order) -> object:
        return None if os.getpid() == self._home else self._run(given)


def tools() -> dict[str, Tool]:
    return {name: _tool(name, _Warm(run)) for name, run in {**_HARMLESS_EXAMPLE, **_BAD}.items()}


def broken() -> dict[str, Tool]:
    return {"broken": Tool("broken", Order, _refuses_on_start, b'{"unknown": 1}')}
