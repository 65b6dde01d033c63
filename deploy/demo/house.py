"""The house that the demo visits: started by `scrip engine up`, left running at the end."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.local import Engine
from engine.places import HOST
from engine.services import GATEWAY_PORT, scrip, services
from engine.supervision import Supervision

from deploy.demo.settings import Settings

START_WITHIN_S = 120  # the first time, with databases to be made on a slow disk
VERIFY_WITHIN_S = 90


class DemoFailed(RuntimeError):
    """Something was not as promised; the message says what, and where to look."""


class House:
    """Kafka, PostgreSQL and the services of this machine."""

    def __init__(self, settings: Settings) -> None:
        self.state = settings.state
        self.url = f"http://{HOST}:{GATEWAY_PORT}"
        self._engine = Engine(
            self.state,
            kafka_port=settings.kafka_port,
            postgres_port=settings.postgres_port,
            keep=True,
        )
        self._supervision = Supervision(
            self.state, services(), self.bootstrap, self._engine.postgres_url
        )

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self._engine.bootstrap

    @property
    def logs(self) -> Path:
        """Where the services log."""
        return self.state / "logs"

    @property
    def compliance_log(self) -> Path:
        """Where the JSONL is."""
        return self.state / "files" / "audit"

    def start(self) -> float:
        """Start what does not run yet; give the seconds it took."""
        begun = time.monotonic()
        self._run(("engine", "up", "--detach"), START_WITHIN_S, "its message", {})
        return time.monotonic() - begun

    def make_key(self, scopes: str, label: str, account: str = "") -> str:
        """Make an API key; it is shown this once."""
        for_account = ("--account", account) if account else ()
        words = ("gateway", "keys", "make", "--scopes", scopes, "--label", label, *for_account)
        return self._run(words, START_WITHIN_S, "its message", self.environment).strip()

    def verify(self) -> str:
        """What `scrip verify` says; DemoFailed when anything differs."""
        book = "docs/runbooks/verify-differs.md"
        return self._run(("verify",), VERIFY_WITHIN_S, book, self.environment)

    def kill(self, name: str) -> int:
        """Kill -9 of a service, which its supervisor starts again; give the pid it had."""
        process = self._supervision.process_of(name)
        if not process.adopt():
            raise DemoFailed(f"{name} does not run; its log is {self._supervision.log(name)}")
        process.kill()
        return process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What a command of this house needs in its environment."""
        env = services()[0].env(self.bootstrap, self._engine.postgres_url, self.state / "files")
        return {name: value for name, value in env.items() if name != "SCRIP_METRICS_PORT"}

    @staticmethod
    def _run(
        words: Sequence[str], within_s: float, look: str, environment: Mapping[str, str]
    ) -> str:
        command = " ".join(("scrip", *words))
        try:
            done = subprocess.run(
                (scrip(), *words),
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                timeout=within_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"`{command}` took longer than {within_s:.0f} s") from None
        if done.returncode:
            said = (done.stdout + done.stderr).strip()
            raise DemoFailed(f"`{command}` ended with {done.returncode} (see {look}):\n{said}")
        return done.stdout
