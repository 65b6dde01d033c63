"""One process of ours: started with its log in a file, awaited, paused, killed or stopped.

Only this very process is ever signalled; a stranger who got its pid later is safe. The engine,
the demo and the tests run everything through this class.
"""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine import pidfiles
from engine.errors import EngineError, NotReady
from engine.guard import Guard
from engine.users import Account, identity

STOP_SECONDS = 10.0  # the time every service has to end by itself
READY_SECONDS = 30.0  # ten times the slowest start seen on a busy two-core machine
POLL_SECONDS = 0.02  # short against the fastest start, long against the cost of a look
TAIL_LINES = 20  # of the log, in an error message: enough for one Java stack's head
LOG_BYTES_MAX = 16 << 20  # a longer log is moved aside at the next start

Probe = Callable[[], bool]


class Process:
    """A program, its log and its pid file; `env` is laid over our own environment."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        pid_file: Path | None = None,
        port: int = 0,
        cwd: Path | None = None,
        account: Account | None = None,
        guard: Guard | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.env = dict(env or {})
        self.log = log
        self.port = port
        self.stop_signal = stop_signal
        self._pid_file = pid_file
        self._cwd = cwd
        self._account = account
        self._guard = guard
        self._child: subprocess.Popen[bytes] | None = None
        self._record: pidfiles.Record | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start it; EngineError if it runs already."""
        if self.alive:
            raise EngineError(f"{self.name} runs already with pid {self.pid}; stop it first")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(
                self.argv,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop things in order
                **identity(self._account),
            )
        pid = self._child.pid
        if self._pid_file is None:
            self._record = pidfiles.Record(pid=pid, born=pidfiles.birth(pid) or "dead")
        else:
            self._record = pidfiles.write(self._pid_file, pid, self.port)
        if self._guard is not None:
            self._guard.watch(self._record)

    def adopt(self) -> bool:
        """Take over the process that the pid file names, if it is alive."""
        record = pidfiles.read(self._pid_file) if self._pid_file is not None else None
        if record is None:
            return False
        if self._child is not None and self._child.pid != record.pid:
            self._child = None  # ours is dead; somebody else started this one
        self._record = record
        self.port = record.port
        return True

    @property
    def pid(self) -> int:
        """The pid of the last start."""
        if self._record is None:
            raise EngineError(f"{self.name} was never started")
        return self._record.pid

    @property
    def alive(self) -> bool:
        """Whether it runs (or is paused) now."""
        if self._child is not None:
            return self._child.poll() is None
        return self._record is not None and pidfiles.is_alive(self._record)

    @property
    def exit_code(self) -> int | None:
        """Its exit code (negative: the signal), None while it runs or if it was adopted."""
        return self._child.poll() if self._child is not None else None

    def wait_ready(self, ready: str | Probe, seconds: float = READY_SECONDS) -> None:
        """Wait for a 2xx from a URL, a text in the log since the start, or a true probe."""
        probe = ready if callable(ready) else self._probe(ready)
        deadline = time.monotonic() + seconds
        while not probe():
            if not self.alive:
                raise NotReady(f"{self.name} ended with {self.exit_code}.{self._epilogue()}")
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{self.name} was not ready after {seconds:.0f} s.{self._epilogue()}"
                )
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float = STOP_SECONDS) -> bool:
        """Wait for its end; False if it still runs after that time."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is gone."""
        self._send(signal.SIGKILL)
        if not self.wait():
            raise EngineError(f"{self.name} (pid {self.pid}) survives SIGKILL: look at the disk")

    def pause(self) -> None:
        """SIGSTOP: it keeps its sockets and does nothing."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._send(signal.SIGCONT)

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Ask it to end, kill it when it does not, and give its exit code."""
        if self._send(self.stop_signal):
            self._send(signal.SIGCONT)  # a paused process hears nothing
            if not self.wait(seconds):
                self.kill()
        if self._pid_file is not None:
            self._pid_file.unlink(missing_ok=True)
        return self.exit_code

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Give the last lines it logged since its start."""
        return "\n".join(self._logged().splitlines()[-lines:])

    def _send(self, number: int) -> bool:
        return self.alive and self._record is not None and pidfiles.send(self._record, number)

    def _probe(self, ready: str) -> Probe:
        if ready.startswith("http"):
            return lambda: answers(ready)
        return lambda: ready in self._logged()

    def _logged(self) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _epilogue(self) -> str:
        return f" Its log, {self.log}, ends:\n{self.tail() or '(empty)'}"


def answers(url: str) -> bool:
    """Tell whether a GET of `url` gives a 2xx now."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - our own URL
            return 200 <= int(answer.status) < 300
    except (urllib.error.URLError, OSError, ValueError):
        return False
