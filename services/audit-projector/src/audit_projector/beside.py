"""The compliance log in a process of its own, beside the read models.

Two cores then do what one could not, and neither waits for the other. It steps back when both want
the processor (`NICENESS`): people wait for balances, nobody for the log. It tells what it did on
its stdout, one JSON array a line, for the metrics of the process that started it; when its stdin
ends, that process is gone and it ends, too.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog
import uvloop

from audit_projector import auditlog
from audit_projector.metrics import Board
from audit_projector.project import Halted
from audit_projector.settings import Settings, from_environment
from audit_projector.tuning import tune

log = structlog.get_logger(__name__)

NICENESS = 15
AGAIN_AFTER_S = 1.0
_END_WITHIN_S = 8.0  # the batch in flight and its sync; then it is killed, which loses nothing
_HALTED = 1
_LINE_BYTES_MAX = 1 << 16


async def keep_beside(board: Board) -> None:
    """Run that process and show what it tells; start it again whenever it dies unasked.

    Raises Halted when it says that it cannot go on.
    """
    while True:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "audit_projector.beside",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES_MAX,
        )
        try:
            await _shown(child, board)
            code = await child.wait()
        finally:
            await _end(child)
        if code == _HALTED:
            raise Halted(f"{auditlog.NAME} stopped; its own log says why")
        log.warning("audit_log_died", code=code, again_in_s=AGAIN_AFTER_S)
        await asyncio.sleep(AGAIN_AFTER_S)


async def _shown(child: asyncio.subprocess.Process, board: Board) -> None:
    if child.stdout is None:
        raise AssertionError("the pipe was asked for")
    calls: dict[str, Callable[..., None]] = {
        "applied": board.applied,
        "stands": board.stands,
        "left": board.left,
        "halt": board.halt,
    }
    async for told in child.stdout:
        name, *arguments = msgspec.json.decode(told)
        if name == "left":
            arguments[1] = {int(number): count for number, count in arguments[1].items()}
        calls[name](*arguments)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.stdin is not None:
        child.stdin.close()
    try:
        async with asyncio.timeout(_END_WITHIN_S):
            await child.wait()
    except TimeoutError:
        log.warning("audit_log_killed", pid=child.pid)
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


class Telling:
    """A board that tells another process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def applied(self, projection: str, records: int, seconds: float) -> None:
        """A batch is stored."""
        self._tell("applied", projection, records, seconds)

    def stands(
        self, projection: str, partition: int, offset: int, at_ms: int, skipped: int
    ) -> None:
        """Where a projection stands after a batch."""
        self._tell("stands", projection, partition, offset, at_ms, skipped)

    def left(self, projection: str, records: dict[int, int]) -> None:
        """How many records of each partition an idle projection has still to apply."""
        self._tell("left", projection, records)

    def halt(self, projection: str) -> None:
        """A projection stands still for good."""
        self._tell("halt", projection)

    def _tell(self, *call: object) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more: our stdin has ended as well
            os.write(self._descriptor, msgspec.json.encode(call) + b"\n")


async def _keep_until_alone(settings: Settings, board: Board) -> int:
    keeping = asyncio.create_task(auditlog.keep(settings, board))
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), keeping.cancel)
    try:
        await keeping
    except asyncio.CancelledError:
        return 0
    except Halted as why:
        log.error("projection_halted", why=str(why))  # noqa: TRY400 - the message says it all
        return _HALTED
    return 0


def main() -> None:
    """The process itself: told everything by its environment, ended by the end of its stdin."""
    told = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # logs go where people look
    os.nice(NICENESS)
    tune()
    sys.exit(uvloop.run(_keep_until_alone(from_environment(), Telling(told))))


if __name__ == "__main__":
    main()
