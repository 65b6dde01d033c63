"""Nothing that a test or a demo started outlives it, not even after SIGKILL.

A small process reads the names of our children from a pipe. When we end, however we end, the
pipe closes and it kills what is left. Unlike the kernel's parent-death signal this does not
depend on which thread started the child, and it works on every Unix.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec

from engine import pidfiles


class Guard:
    """Kills the process groups given to `watch` when this process is gone. Close it at the end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the guard acts when we are gone
        )

    def watch(self, record: pidfiles.Record) -> None:
        """Remember a process that leads its own group."""
        self._tell(record)

    def discard(self, folder: Path) -> None:
        """Delete this folder when the processes are gone."""
        self._tell(str(folder.resolve()))

    def close(self) -> None:
        """Kill what is left now and end the guard."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(timeout=10)

    def _tell(self, line: pidfiles.Record | str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(line) + b"\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> None:
    """Read until the pipe closes, then kill what still lives and delete what was to go."""
    decode = msgspec.json.Decoder(pidfiles.Record | str).decode
    told = [decode(line) for line in sys.stdin.buffer if line.endswith(b"\n")]
    for one in reversed(told):
        if isinstance(one, pidfiles.Record) and pidfiles.is_alive(one):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
    for one in told:
        if isinstance(one, str):
            shutil.rmtree(one, ignore_errors=True)


if __name__ == "__main__":
    main()
