"""A real PostgreSQL server in a folder, on the loopback interface, trusting this machine.

State is kept: stop, kill -9 and start again as you like. Run by root, the server drops to
another account, because PostgreSQL refuses root.
"""

import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from engine import pidfiles
from engine.guard import Guard
from engine.places import HOST
from engine.ports import free_port, refuse_used
from engine.postgres_home import (
    OWNER,
    empty_cluster,
    find_binaries,
    make_parent,
    reachable,
    remove,
)
from engine.processes import Process
from engine.templates import copy_tree
from engine.users import give, server_account

START_SECONDS = 60.0  # crash recovery replays at most max_wal_size
STOP_SECONDS = 10.0
# After kill -9 of the server its sessions need a moment to notice, and hold its memory till then.
ORPHAN_SECONDS = 5.0
RETRY_SECONDS = 0.1

SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # one way in; paths of sockets have a length limit
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One server; `port` 0 picks a free one at the first start and keeps it."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        settings: Mapping[str, str] | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._folder = folder
        self._settings = {**SETTINGS, **(settings or {})}
        self._account = server_account()
        self._data = reachable(self._account, folder / "data")
        self._pid_file = folder / "postgres.pid"
        self.process = Process(
            "PostgreSQL",
            (),
            log=folder / "postgres.log",
            pid_file=self._pid_file,
            port=port,
            cwd=Path("/"),  # the account may not be allowed to stand where we stand
            account=self._account,
            guard=guard,
            stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, loses nothing
        )

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"postgresql://{OWNER}@{HOST}:{self.process.port}/{OWNER}"

    def start(self) -> None:
        """Start it, or take over the one of this folder that runs already; returns when ready."""
        if not self.process.alive and not self.process.adopt():
            self._folder.mkdir(parents=True, exist_ok=True)
            self.process.port = self.process.port or free_port()
            refuse_used(self.process.port, "PostgreSQL", "SCRIP_POSTGRES_PORT")
            binaries = find_binaries(self._account)
            if not self._data.exists():
                make_parent(self._data)
                copy_tree(empty_cluster(binaries, self._account), self._data)
                if self._account is not None:
                    give(self._account, self._data)
            self._drop_recycled_lock()
            argv = [str(binaries / "postgres"), "-D", str(self._data)]
            argv += ["-p", str(self.process.port)]
            for name, value in self._settings.items():
                argv += ["-c", f"{name}={value}"]
            self.process.argv = tuple(argv)
            self._launch()
        self.process.wait_ready(self._answers, START_SECONDS)

    def stop(self) -> None:
        """End it in order; does nothing if it does not run."""
        if self.process.alive or self.process.adopt():
            self.process.stop(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL of the server process; its sessions notice and end."""
        self.process.kill()

    def forget(self) -> None:
        """Delete its state; only when stopped."""
        remove(self._data)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _launch(self) -> None:
        deadline = time.monotonic() + ORPHAN_SECONDS
        while True:
            self.process.start()
            while self.process.alive and not self._answers():
                time.sleep(RETRY_SECONDS / 5)
            orphans = "shared memory block" in self.process.tail()
            if self.process.alive or not orphans or time.monotonic() > deadline:
                return  # ready, or wait_ready tells why not
            time.sleep(RETRY_SECONDS)

    def _answers(self) -> bool:
        return answers(self.url)

    def _drop_recycled_lock(self) -> None:
        """Remove the lock file of a dead server whose pid another program got meanwhile."""
        lock = self._data / "postmaster.pid"
        ours = pidfiles.load(self._pid_file)
        if ours is None or not lock.exists():
            return
        locked_by = int(lock.read_text().split("\n", 1)[0])
        if locked_by == ours.pid and pidfiles.birth(ours.pid) not in (None, ours.born):
            lock.unlink()


def answers(url: str) -> bool:
    """Tell whether a database at `url` accepts a connection now."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
