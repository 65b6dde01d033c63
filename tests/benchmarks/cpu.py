"""CPU seconds and resident bytes of any process, as the kernel counts them (Linux)."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """User and system time since its start, all threads, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_bytes(pid: int) -> int:
    """What it holds in memory now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


class CpuWatch:
    """What some processes spend between `start` and `per`; ours is called `load`."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = {**pids, "load": os.getpid()}
        self._before: dict[str, float] = {}
        self._spent: dict[str, float] = {}

    def start(self) -> None:
        """From here on."""
        self._before = self._now()

    def stop(self) -> None:
        """Up to here."""
        now = self._now()
        self._spent = {name: now[name] - before for name, before in self._before.items()}

    def ms_per(self, count: int) -> dict[str, float]:
        """Milliseconds of each process for one of `count`."""
        return {name: round(s * 1e3 / max(1, count), 4) for name, s in self._spent.items()}

    def _now(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}


def watched(text: str) -> dict[str, int]:
    """Read `broker=123,ledger=456` from a command line."""
    pairs = (part.split("=") for part in text.split(",") if part)
    return {name: int(pid) for name, pid in pairs}
