"""Kafka and PostgreSQL for one folder of state: started together, ready in seconds, kept.

`SCRIP_KAFKA_BOOTSTRAP` and `SCRIP_POSTGRES_URL` name servers of your own instead; those are
used as they are and never started, stopped or killed. `containers` tells when images are used.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from engine.containers import (
    Container,
    KafkaContainer,
    PostgresContainer,
    containers_wanted,
    keep_as,
)
from engine.errors import EngineError
from engine.guard import Guard
from engine.java import SMALL, Jvm
from engine.kafka import Kafka
from engine.places import locked
from engine.postgres import Postgres
from engine.processes import Process

DOWN = "down"


class Engine:
    """Owns the servers recorded under `state`; port 0 picks a free port and keeps it.

    Give a `Guard` to have the servers killed when this process is gone, however it ends. Where
    images are used (`containers`), they are gone with this process too, unless `keep`.
    """

    def __init__(
        self,
        state: Path,
        *,
        kafka_port: int = 0,
        postgres_port: int = 0,
        jvm: Jvm = SMALL,
        broker_settings: Mapping[str, str] | None = None,
        postgres_settings: Mapping[str, str] | None = None,
        guard: Guard | None = None,
        keep: bool = False,
    ) -> None:
        self.state = state.resolve()
        self.guard = guard
        self._bootstrap = os.environ.get("SCRIP_KAFKA_BOOTSTRAP")
        self._postgres_url = os.environ.get("SCRIP_POSTGRES_URL")
        self._kafka: Kafka | KafkaContainer
        self._postgres: Postgres | PostgresContainer
        self._made_of_images = self.state / "made-of-images"  # state knows how it was made
        if containers_wanted(before=keep and self._made_of_images.exists()):
            self._kafka = KafkaContainer(kafka_port, keep_as("kafka", self.state) if keep else "")
            self._postgres = PostgresContainer(
                postgres_port, keep_as("postgres", self.state) if keep else ""
            )
            return
        self._kafka = Kafka(
            self.state / "kafka", kafka_port, jvm=jvm, settings=broker_settings, guard=guard
        )
        self._postgres = Postgres(
            self.state / "postgres", postgres_port, settings=postgres_settings, guard=guard
        )

    @property
    def bootstrap(self) -> str:
        """Kafka's address, `host:port`."""
        return self._bootstrap or self._kafka.bootstrap

    @property
    def postgres_url(self) -> str:
        """The database's address, `postgresql://…`."""
        return self._postgres_url or self._postgres.url

    @property
    def owns_kafka(self) -> bool:
        """Whether Kafka is ours to stop and kill."""
        return self._bootstrap is None

    @property
    def owns_postgres(self) -> bool:
        """Whether PostgreSQL is ours to stop and kill."""
        return self._postgres_url is None

    @property
    def kafka(self) -> Kafka | KafkaContainer:
        """Our broker, for fault tests; EngineError if it is somebody else's."""
        if not self.owns_kafka:
            raise EngineError("SCRIP_KAFKA_BOOTSTRAP names a cluster that is not ours to touch")
        return self._kafka

    @property
    def postgres(self) -> Postgres | PostgresContainer:
        """Our database server, for fault tests; EngineError if it is somebody else's."""
        if not self.owns_postgres:
            raise EngineError("SCRIP_POSTGRES_URL names a database that is not ours to touch")
        return self._postgres

    def processes(self) -> tuple[Process, ...]:
        """Give the processes of the servers that are ours and run here."""
        return tuple(x.process for x in self._ours() if isinstance(x, Kafka | Postgres))

    def states(self) -> Mapping[str, str]:
        """Give how each server of ours runs, by its name: `pid 12`, `container scrip-…`, `down`."""
        found = {}
        for server in self._ours():
            if isinstance(server, Container):
                found[server.title] = f"container {server.name}" if server.running else DOWN
            else:
                process = server.process
                found[process.name] = f"pid {process.pid}" if process.adopt() else DOWN
        return found

    def start(self) -> None:
        """Bring both up, taking over what runs already; returns when both answer."""
        if any(isinstance(server, Container) and server.name for server in self._ours()):
            self.state.mkdir(parents=True, exist_ok=True)
            self._made_of_images.touch()
        self.start_postgres()
        self.start_kafka()

    def stop(self) -> None:
        """End what is ours, in reverse order."""
        if self.owns_kafka:
            self._kafka.stop()
        if self.owns_postgres:
            self._postgres.stop()

    def start_kafka(self) -> None:
        """Bring Kafka up (again)."""
        if self.owns_kafka:
            with locked(self.state / ".start.lock"):
                self._kafka.start()

    def start_postgres(self) -> None:
        """Bring PostgreSQL up (again)."""
        if self.owns_postgres:
            with locked(self.state / ".start.lock"):
                self._postgres.start()

    def kill_kafka(self) -> None:
        """SIGKILL of our broker, for fault tests."""
        self.kafka.kill()

    def kill_postgres(self) -> None:
        """SIGKILL of our database server, for fault tests."""
        self.postgres.kill()

    def forget(self) -> None:
        """Stop what is ours and delete its state."""
        self.stop()
        self._kafka.forget()
        self._postgres.forget()
        self._made_of_images.unlink(missing_ok=True)

    def _ours(self) -> tuple[Kafka | Postgres | Container, ...]:
        ours = ((self._postgres, self.owns_postgres), (self._kafka, self.owns_kafka))
        return tuple(server for server, own in ours if own)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
