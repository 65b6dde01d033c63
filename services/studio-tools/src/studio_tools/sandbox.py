"""Shutting a run in: what a forked child gives up before it touches anything a person typed.

After `shut_in` the process has its own session, one pipe and no other file, no way to fork, to
write a file or to dump core, dies with its parent, and is killed by the kernel itself when it takes
more CPU or memory than it may.  Environment it never had: the zygote starts without.  Linux only.
"""

import ctypes
import os
import resource
import signal
import time
from dataclasses import dataclass

from studio_tools.outcomes import Limits

NOBODY = 65534  # the user and group without rights, by convention on every Linux
OUT_FD = 3  # the first after stdin, stdout and stderr
FILES_MAX = 16  # a tool opens none; the interpreter itself needs a few
ZYGOTE_FILES_MAX = 1024  # bounds how many descriptors a child has to close
CPU_BACKSTOP_S = 2  # coarse, and only there should the exact timer be lost
ALLOCATOR_SLACK_MB = 4  # the allocator asks for whole arenas: a run of 1 MB must be possible
MB = 2**20

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the zygote found out once, so that no child has to."""

    libc: ctypes.CDLL
    own_user: bool
    own_network: bool
    devnull: int
    page_bytes: int


def prepare() -> Sandbox:
    """For the zygote, once: adopt orphans, leave the network, keep few descriptors."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    own_user = os.geteuid() == 0
    own_network = own_user and libc.unshare(_CLONE_NEWNET) == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (ZYGOTE_FILES_MAX, ZYGOTE_FILES_MAX))
    devnull = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    return Sandbox(libc, own_user, own_network, devnull, resource.getpagesize())


def shut_in(sandbox: Sandbox, limits: Limits, out_fd: int, parent: int, *, may_fork: bool) -> None:
    """For the child, first of all.  Raises OSError when the kernel refuses any of it."""
    os.setsid()
    _keep_only(sandbox, out_fd)
    if sandbox.own_user:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    sandbox.libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of user clears it
    if os.getppid() != parent:
        os._exit(0)  # the zygote died before we asked to die with it
    _limit(sandbox, limits, may_fork=may_fork)


def _keep_only(sandbox: Sandbox, out_fd: int) -> None:
    for standard in (0, 1, 2):
        os.dup2(sandbox.devnull, standard)
    if out_fd != OUT_FD:
        os.dup2(out_fd, OUT_FD)
    os.closerange(OUT_FD + 1, ZYGOTE_FILES_MAX)


def _limit(sandbox: Sandbox, limits: Limits, *, may_fork: bool) -> None:
    statm = os.open("/proc/self/statm", os.O_RDONLY)  # a file object costs more than the read
    mapped = int(os.read(statm, 64).split()[0]) * sandbox.page_bytes
    os.close(statm)
    memory = mapped + (limits.memory_mb + ALLOCATOR_SLACK_MB) * MB
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, FILES_MAX),
    ):
        resource.setrlimit(kind, (limit, limit))
    if not may_fork:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    cpu_s = limits.cpu_ms // 1000 + CPU_BACKSTOP_S
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    _kill_at_cpu(sandbox.libc, limits.cpu_ms)


def _kill_at_cpu(libc: ctypes.CDLL, cpu_ms: int) -> None:
    """SIGALRM, which kills, at this much exact CPU time, found at the kernel's next tick.

    RLIMIT_CPU and ITIMER_PROF count whole ticks instead: on a busy machine they kill too early.
    """
    timer = ctypes.c_void_p()
    after = (ctypes.c_long * 4)(0, 0, cpu_ms // 1000, cpu_ms % 1000 * 1_000_000)
    if libc.timer_create(time.CLOCK_PROCESS_CPUTIME_ID, None, ctypes.byref(timer)) != 0:
        raise OSError(ctypes.get_errno(), "timer_create")
    if libc.timer_settime(timer, 0, ctypes.byref(after), None) != 0:
        raise OSError(ctypes.get_errno(), "timer_settime")
