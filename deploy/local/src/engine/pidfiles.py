"""A pid file names one process for ever: a recycled pid is never taken for it.

The file holds the pid together with what the kernel says of its birth (boot and start time),
so that a stop long after a crash or a reboot cannot hit a stranger.
"""

import os
import subprocess
from pathlib import Path

import msgspec


class Record(msgspec.Struct, frozen=True):
    """What a pid file says: which process, born when, serving on which port."""

    pid: int
    born: str
    port: int = 0


def birth(pid: int) -> str | None:
    """Give what tells this process from any later one with its pid; None when it is dead."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _birth_by_ps(pid)
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX":  # a zombie only waits for its parent
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{fields[19]}"


def _birth_by_ps(pid: int) -> str | None:
    done = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = done.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def write(path: Path, pid: int, port: int = 0) -> Record:
    """Record a process just started; the file appears whole or not at all."""
    record = Record(pid=pid, born=birth(pid) or "dead", port=port)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(msgspec.json.encode(record))
    fresh.replace(path)
    return record


def load(path: Path) -> Record | None:
    """Give what the file says, dead or alive; None without a readable file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def read(path: Path) -> Record | None:
    """Give the recorded process if it is still that very process and alive."""
    record = load(path)
    return record if record is not None and is_alive(record) else None


def is_alive(record: Record) -> bool:
    """Tell whether the recorded process, and no later one with its pid, is alive."""
    return birth(record.pid) == record.born


def send(record: Record, number: int) -> bool:
    """Signal the recorded process; False when it is gone."""
    if not is_alive(record):
        return False
    try:
        os.kill(record.pid, number)
    except ProcessLookupError:
        return False
    return True
