"""The zygote: a small warm process that forks one child per run and sees every child to its end.

It has the tools imported and nothing else to do, so that a run costs a fork, not an interpreter's
start.  It is single-threaded; it enforces wall clock and output size itself, the kernel enforces
the rest.  For each `Start` it answers exactly one `Ended`.  When its runner goes away, so do the
zygote and every run in it.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
import time

import msgspec

from studio_tools.child import become
from studio_tools.frames import Cancel, Ended, FromZygote, Ready, Start, ToZygote, cut, pack
from studio_tools.outcomes import Failed, Limits, NotAvailable, Reason, Usage
from studio_tools.running import Running, start_of, verdict
from studio_tools.sandbox import Sandbox, prepare
from studio_tools.tool import Tools, answer

CONTROL_READ_BYTES = 256 * 1024
SWEEP_MS = 500  # how often to look for strays while there are any: only after a run broke out
CALIBRATION = Limits(cpu_ms=1000, memory_mb=64, output_kb=64, timeout_ms=5000)


class Zygote:
    """The loop.  `serve` returns when the runner has closed its end."""

    def __init__(self, control: socket.socket, tools: Tools, *, may_fork: bool = False) -> None:
        self._control = control
        self._tools = tools
        self._may_fork = may_fork
        self._sandbox: Sandbox = prepare()
        self._poll = select.poll()
        self._buffer = bytearray()
        self._decoder = msgspec.msgpack.Decoder(ToZygote)
        self._by_fd: dict[int, Running] = {}
        self._by_slot: dict[int, Running] = {}
        self._baseline_kb = 0
        self._strays = False

    def serve(self) -> None:
        try:
            self._serve()
        except (BrokenPipeError, ConnectionResetError):
            return  # the runner died in the middle of a frame: nobody is left to tell
        finally:
            self._end_all()

    def _serve(self) -> None:
        self._warm_up()
        self._poll.register(self._control, select.POLLIN)
        self._send(
            Ready(
                tools=tuple(sorted(self._tools)),
                baseline_kb=self._baseline_kb,
                own_user=self._sandbox.own_user,
                own_network=self._sandbox.own_network,
            )
        )
        while True:
            for fd, _ in self._poll.poll(self._wait_ms()):
                if fd == self._control.fileno():
                    if not self._hear():
                        return
                elif (run := self._by_fd.get(fd)) is not None:
                    self._advance(run, fd)
            self._kill_overdue()
            if self._strays:
                self._sweep()

    def _warm_up(self) -> None:
        """Run every example once here, so that no child has to import or build anything."""
        for tool in self._tools.values():
            answer(tool, tool.example)
        gc.collect()
        gc.disable()
        gc.freeze()  # a child's collector must not touch, and so copy, what it inherited
        tool = next(iter(self._tools.values()))
        run = self._fork(Start(slot=0, tool=tool.id, payload=b"?", limits=CALIBRATION))
        _, _, used = os.wait4(run.pid, 0)
        self._baseline_kb = used.ru_maxrss
        self._forget(run)

    def _hear(self) -> bool:
        received = self._control.recv(CONTROL_READ_BYTES)
        self._buffer += received
        for body in cut(self._buffer):
            match self._decoder.decode(body):
                case Start() as start:
                    self._begin(start)
                case Cancel(slot=slot):
                    if (run := self._by_slot.get(slot)) is not None:
                        run.kill(Reason.TIMEOUT)
        return bool(received)

    def _begin(self, start: Start) -> None:
        if start.tool not in self._tools:
            self._send(Ended(start.slot, NotAvailable(start.tool)))
            return
        try:
            self._fork(start)
        except OSError as refused:  # no process or descriptor left: this run's trouble, not ours
            broken = Failed(Reason.CRASHED, Usage(), f"fork refused: {refused}")
            self._send(Ended(start.slot, broken))

    def _fork(self, start: Start) -> Running:
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        started_ns = time.monotonic_ns()
        try:
            pid = os.fork()
        except OSError:
            os.close(out_read)
            os.close(out_write)
            raise
        if pid == 0:
            become(
                self._tools[start.tool], start, self._sandbox, out_write, may_fork=self._may_fork
            )
        os.close(out_write)
        run = start_of(start, pid, out_read, started_ns)
        self._by_slot[start.slot] = run
        for fd in (run.out_fd, run.pid_fd):
            self._by_fd[fd] = run
            self._poll.register(fd, select.POLLIN)
        return run

    def _advance(self, run: Running, fd: int) -> None:
        if fd == run.out_fd:
            if not run.read():
                self._silence(run)
            return
        run.read()
        run.kill(None)  # what it left behind goes with it; the zombie still holds the group's id
        ended = os.wait4(run.pid, 0)
        ended_ns = time.monotonic_ns()
        self._forget(run)
        if self._may_fork or run.killed_for is not None:
            self._sweep()
        self._send(Ended(run.slot, verdict(run, ended[1], ended[2], ended_ns, self._baseline_kb)))

    def _silence(self, run: Running) -> None:
        """Its pipe is at its end; only the exit is still to come."""
        self._poll.unregister(run.out_fd)
        del self._by_fd[run.out_fd]

    def _forget(self, run: Running) -> None:
        for fd in (run.out_fd, run.pid_fd):
            if self._by_fd.pop(fd, None) is not None:
                self._poll.unregister(fd)
            os.close(fd)
        del self._by_slot[run.slot]

    def _wait_ms(self) -> int | None:
        if self._strays:
            return SWEEP_MS
        if not self._by_slot:
            return None
        earliest = min(run.deadline_ns for run in self._by_slot.values())
        return max(0, (earliest - time.monotonic_ns()) // 1_000_000 + 1)

    def _kill_overdue(self) -> None:
        now = time.monotonic_ns()
        for run in self._by_slot.values():
            if now >= run.deadline_ns:
                run.kill(Reason.TIMEOUT)

    def _sweep(self) -> None:
        """Kill what broke out of its group: orphans become our children; ours are known."""
        ours = {run.pid for run in self._by_slot.values()}
        path = f"/proc/self/task/{os.getpid()}/children"
        with open(path, "rb") as listed:  # noqa: PTH123 - on the path of every run
            strays = [pid for pid in map(int, listed.read().split()) if pid not in ours]
        for pid in strays:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, os.WNOHANG)
        self._strays = bool(strays)

    def _end_all(self) -> None:
        for run in self._by_slot.values():
            run.kill(Reason.TIMEOUT)
        for run in self._by_slot.values():
            os.wait4(run.pid, 0)
        self._sweep()

    def _send(self, message: FromZygote) -> None:
        self._control.sendall(pack(message))


def main(arguments: list[str]) -> None:
    """``zygote FD REGISTRY MAY_FORK [PATH ...]``; REGISTRY is ``module:function``."""
    control_fd, registry, may_fork, *search = arguments
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)  # the runner decides when; it closes its end
    sys.path.extend(search)
    module, _, function = registry.partition(":")
    tools: Tools = getattr(importlib.import_module(module), function)()
    with socket.socket(fileno=int(control_fd)) as control:
        Zygote(control, tools, may_fork=may_fork == "may-fork").serve()


if __name__ == "__main__":
    main(sys.argv[1:])
