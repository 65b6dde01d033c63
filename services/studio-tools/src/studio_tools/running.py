"""A run while it runs, as the zygote sees it, and the verdict when it has ended.

The verdict trusts the operating system before the tool: a limit that was passed is a failure even
when the tool had already answered.
"""

import contextlib
import os
import signal
from dataclasses import dataclass, field
from resource import struct_rusage

from studio_tools.child import BROKEN, COMPLETED, EXIT_ANSWERED, EXIT_OUT_OF_MEMORY, INVALID
from studio_tools.frames import Start
from studio_tools.outcomes import Completed, Failed, InvalidInput, Limits, Outcome, Reason, Usage

KIND_BYTES = 1  # the byte before the text, see child.py
READ_BYTES = 256 * 1024
NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Running:
    """`out_fd` never blocks.  `killed_for` is set once, by whoever killed it first."""

    slot: int
    pid: int
    pid_fd: int
    out_fd: int
    limits: Limits
    started_ns: int
    deadline_ns: int
    output: bytearray = field(default_factory=bytearray)
    killed_for: Reason | None = None

    def read(self) -> bool:
        """Take what the pipe holds; kills a run that says too much.  False at the end."""
        while len(self.output) <= self.limits.output_kb * 1024 + KIND_BYTES:
            try:
                text = os.read(self.out_fd, READ_BYTES)
            except BlockingIOError:
                return True
            if not text:
                return False
            self.output += text
        self.kill(Reason.OUTPUT_TOO_LARGE)
        return False

    def kill(self, reason: Reason | None) -> None:
        """SIGKILL to the run and its whole group.  Harmless when it has ended already."""
        self.killed_for = self.killed_for or reason
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pid_fd, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):  # it has not made its own session yet
            os.killpg(self.pid, signal.SIGKILL)


def start_of(start: Start, pid: int, out_fd: int, started_ns: int) -> Running:
    os.set_blocking(out_fd, False)
    deadline_ns = started_ns + start.limits.timeout_ms * NS_PER_MS
    return Running(
        slot=start.slot,
        pid=pid,
        pid_fd=os.pidfd_open(pid),
        out_fd=out_fd,
        limits=start.limits,
        started_ns=started_ns,
        deadline_ns=deadline_ns,
    )


def verdict(
    run: Running, status: int, used: struct_rusage, ended_ns: int, baseline_kb: int
) -> Outcome:
    """What the run came to.  `status` and `used` are wait4's."""
    cpu_ms = max(1, -(-round((used.ru_utime + used.ru_stime) * 1_000_000) // 1000))
    usage = Usage(
        cpu_ms=cpu_ms,
        memory_mb=max(1, -(-(used.ru_maxrss - baseline_kb) // 1024)),
        duration_ms=max(1, -(-(ended_ns - run.started_ns) // NS_PER_MS)),
    )
    if (reason := _passed_limit(run, status, usage)) is not None:
        return Failed(reason, usage)
    kind, text = bytes(run.output[:KIND_BYTES]), bytes(run.output[KIND_BYTES:])
    if os.waitstatus_to_exitcode(status) == EXIT_ANSWERED:
        if kind == COMPLETED:
            return Completed(text, usage)
        if kind == INVALID:
            return InvalidInput(text.decode("utf-8", "replace"), usage)
    return Failed(Reason.CRASHED, usage, _crash(kind, text, status))


def _passed_limit(run: Running, status: int, usage: Usage) -> Reason | None:
    if run.killed_for is not None:
        return run.killed_for
    if usage.cpu_ms > run.limits.cpu_ms or _ended_by(status, signal.SIGALRM, signal.SIGXCPU):
        return Reason.CPU_LIMIT
    if usage.memory_mb > run.limits.memory_mb or _exit_code(status) == EXIT_OUT_OF_MEMORY:
        return Reason.OUT_OF_MEMORY
    if usage.duration_ms > run.limits.timeout_ms:
        return Reason.TIMEOUT
    return None


def _ended_by(status: int, *signals: signal.Signals) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) in signals


def _exit_code(status: int) -> int | None:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None


def _crash(kind: bytes, text: bytes, status: int) -> str:
    if kind == BROKEN:
        return text.decode("utf-8", "replace")
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit code {code} without an answer"
