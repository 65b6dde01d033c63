"""The services under one supervisor (`supervisord`), which starts again what dies.

It also keeps Kafka and PostgreSQL up: the program `keeper` brings back a killed server; leave it
out where they are somebody else's. Services stop in the reverse order of their start. Every
service has a pid file of its own, so that it can be stopped even when the supervisor was killed.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.credentials import make_keys, make_secret
from engine.errors import EngineError
from engine.places import REPOSITORY
from engine.ports import refuse_used
from engine.processes import READY_SECONDS, Process, answers
from engine.services import IDENTITY_FILE, IDENTITY_PUBLIC_FILE, STRIPE_FILE, Service, scrip

STOP_SECONDS = 75.0  # seven services, each with 10 s of its own
PREPARE_SECONDS = 60  # a migration of an empty or small database
STARTS_MAX = 4  # a service that died three times before it answered will not answer
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

    @property
    def running(self) -> bool:
        """Whether the supervisor of this folder runs, whoever started it."""
        return self.supervisor.alive or self.supervisor.adopt()

    def start(self) -> None:
        """Start all services; returns when each of them is ready."""
        if self.running:
            raise EngineError("the services run already; `make down` stops them")
        self._stop_left_over()
        for service in self.services:
            for port in service.ports:
                refuse_used(port, service.name, "its port in deploy/local/src/engine/services.py")
        for folder in ("logs", "pids", "files"):
            (self._state / folder).mkdir(parents=True, exist_ok=True)
        files = self._state / "files"
        make_keys(files / IDENTITY_FILE, files / IDENTITY_PUBLIC_FILE)
        make_secret(files / STRIPE_FILE)
        for service in self.services:
            self._prepare(service)
        self._config.write_text(self._written())
        self.supervisor.start()
        for service in self.services:
            self._await(service)

    def stop(self) -> None:
        """Stop them in reverse order, also those that a killed supervisor left behind."""
        if self.running:
            self.supervisor.stop(STOP_SECONDS)
        self._stop_left_over()

    def process_of(self, name: str) -> Process:
        """Give a service's (or the keeper's) process; `adopt` tells whether it runs."""
        pid_file = self._state / "pids" / f"{name}.pid"
        return Process(name, (), log=self.log(name), pid_file=pid_file)

    def _prepare(self, service: Service) -> None:
        if not service.prepare:
            return
        done = subprocess.run(
            service.prepare,
            env={**os.environ, **self._env(service)},
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PREPARE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise EngineError(f"`{shlex.join(service.prepare)}` failed:\n{done.stdout}")

    def _await(self, service: Service) -> None:
        process = self.process_of(service.name)
        seen: set[int] = set()

        def ready() -> bool:
            if process.adopt():
                seen.add(process.pid)
            if len(seen) >= STARTS_MAX:
                raise EngineError("it dies again and again")
            return answers(service.ready_url)

        try:
            self.supervisor.wait_ready(ready, self._ready_seconds)
        except EngineError as error:
            if not self.supervisor.alive:
                raise
            raise EngineError(
                f"{service.name} does not answer at {service.ready_url}. "
                f"Its log, {process.log}, ends:\n{process.tail() or '(empty)'}"
            ) from error

    def _env(self, service: Service) -> dict[str, str]:
        return service.env(self._bootstrap, self._postgres_url, self._state / "files")

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
            parts.append(self._program(service.name, service.argv, order, self._env(service)))
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
