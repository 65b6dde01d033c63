"""The services under one supervisor (`supervisord`), which starts again what dies.

It also keeps Kafka and PostgreSQL up: the program `keeper` brings back a killed server; leave it
out where they are somebody else's. Services stop in the reverse order of their start. Every
service has a pid file of its own, so that it can be stopped even when the supervisor was killed.
"""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import EngineError
from engine.places import REPOSITORY
from engine.ports import refuse_used
from engine.processes import READY_SECONDS, Process
from engine.services import Service, scrip

STOP_SECONDS = 45.0  # four services, each with 10 s of its own
LOG_BYTES_MAX = 16 << 20
RETRIES = 100  # a service that cannot start is tried again after 1, 2, 3 ... seconds


class Supervision:
    """The supervisor of one state folder."""

    def __init__(
        self,
        state: Path,
        services: Sequence[Service],
        bootstrap: str,
        postgres_url: str,
        *,
        keeper: bool = True,
        ready_seconds: float = READY_SECONDS,
    ) -> None:
        self._state = state
        self.services = tuple(services)
        self._bootstrap = bootstrap
        self._postgres_url = postgres_url
        self._keeper = keeper
        self._ready_seconds = ready_seconds
        config = state / "supervisord.conf"
        self._config = config
        self.supervisor = Process(
            "supervisor",
            (sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)),
            log=state / "logs" / "supervisor.log",
            pid_file=state / "pids" / "supervisor.pid",
            cwd=state,
        )

    def log(self, name: str) -> Path:
        """Give the file that a service logs to."""
        return self._state / "logs" / f"{name}.log"

    def start(self) -> None:
        """Start all services; returns when each of them is ready."""
        if self.supervisor.alive or self.supervisor.adopt():
            raise EngineError("the services run already; `make down` stops them")
        self._stop_left_over()
        for service in self.services:
            for port in service.ports:
                refuse_used(port, service.name, "its port in deploy/local/src/engine/services.py")
        for folder in ("logs", "pids", "files"):
            (self._state / folder).mkdir(parents=True, exist_ok=True)
        self._config.write_text(self._written())
        self.supervisor.start()
        for service in self.services:
            self._await(service)

    def stop(self) -> None:
        """Stop them in reverse order, also those that a killed supervisor left behind."""
        if self.supervisor.alive or self.supervisor.adopt():
            self.supervisor.stop(STOP_SECONDS)
        self._stop_left_over()

    def process_of(self, name: str) -> Process:
        """Give a service's (or the keeper's) process; `adopt` tells whether it runs."""
        pid_file = self._state / "pids" / f"{name}.pid"
        return Process(name, (), log=self.log(name), pid_file=pid_file)

    def _await(self, service: Service) -> None:
        watched = self.process_of(service.name)
        try:
            self.supervisor.wait_ready(service.ready_url, self._ready_seconds)
        except EngineError as error:
            end = watched.tail() or "(empty)"
            raise EngineError(
                f"{service.name} does not answer at {service.ready_url}. "
                f"Its log, {watched.log}, ends:\n{end}"
            ) from error

    def _stop_left_over(self) -> None:
        for name in (*(service.name for service in reversed(self.services)), "keeper"):
            process = self.process_of(name)
            if process.adopt():
                process.stop()

    def _written(self) -> str:
        parts = [
            _section(
                "supervisord",
                {
                    "nodaemon": "true",
                    "logfile": "/dev/null",
                    "logfile_maxbytes": "0",
                    "pidfile": str(self._state / "pids" / "supervisord.own.pid"),
                    "user": str(os.getuid()),  # said aloud, or root is warned of
                },
            )
        ]
        keeper = (scrip(), "engine", "keep", "--state", str(self._state))
        if self._keeper:
            parts.append(self._program("keeper", keeper, 1, {}))
        for order, service in enumerate(self.services, start=2):
            env = service.env(self._bootstrap, self._postgres_url, self._state / "files")
            parts.append(self._program(service.name, service.argv, order, env))
        return "\n".join(parts)

    def _program(self, name: str, argv: Sequence[str], order: int, env: Mapping[str, str]) -> str:
        become = (
            sys.executable,
            "-m",
            "engine.become",
            str(self._state / "pids" / f"{name}.pid"),
            *argv,
        )
        return _section(
            f"program:{name}",
            {
                "command": shlex.join(become),
                "directory": str(REPOSITORY),
                "environment": ",".join(f'{key}="{value}"' for key, value in env.items()),
                "priority": str(order),
                "autorestart": "true",
                "startretries": str(RETRIES),
                "stopwaitsecs": "10",
                "redirect_stderr": "true",
                "stdout_logfile": str(self.log(name)),
                "stdout_logfile_maxbytes": str(LOG_BYTES_MAX),
                "stdout_logfile_backups": "1",
            },
        )


def _section(name: str, settings: Mapping[str, str]) -> str:
    lines = [f"{key}={value.replace('%', '%%')}" for key, value in settings.items()]
    return "\n".join((f"[{name}]", *lines, ""))
