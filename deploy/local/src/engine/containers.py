"""The same two servers from their images, where a Docker engine answers and no Java is there.

`SCRIP_ENGINE=docker` asks for it, `SCRIP_ENGINE=local` forbids it. The containers end with this
process: they serve tests, not `make up`.
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from engine import wire
from engine.broker_settings import NODE, SINGLE_NODE
from engine.errors import Missing, NotReady
from engine.places import HOST
from engine.ports import free_port
from engine.postgres import answers
from engine.postgres_home import OWNER

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:18"
CONTROLLER_PORT_INSIDE = 9093
POSTGRES_PORT_INSIDE = 5432
READY_SECONDS = 120.0  # an image may have to be pulled first
POLL_SECONDS = 0.1


def containers_wanted() -> bool:
    """Tell whether to use images: asked for, or Java is missing and Docker answers."""
    asked = os.environ.get("SCRIP_ENGINE")
    if asked is not None:
        return asked == "docker"
    return shutil.which("java") is None and "JAVA_HOME" not in os.environ and _docker_answers()


class Container:
    """One server in a container, on a free port of this machine that it keeps."""

    def __init__(
        self,
        image: str,
        env: Mapping[str, str],
        ready: Callable[[int], bool],
        port_inside: int | None = None,
    ) -> None:
        self.port = free_port()
        self._image = image
        self._port_inside = port_inside or self.port
        self._env = dict(env)
        self._ready = ready
        self._container: DockerContainer | None = None

    def start(self) -> None:
        """Start it, again after `kill` with its state kept; returns when it answers."""
        if not _docker_answers():
            raise Missing("SCRIP_ENGINE=docker, but no Docker engine answers; start it or unset it")
        if self._container is None:
            self._container = _container_class()(self._image)
            self._container.with_bind_ports(self._port_inside, self.port)
            for name, value in self._env.items():
                self._container.with_env(name, value)
            self._container.start()
        else:
            self._container.get_wrapped_container().start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready(self.port):
            if time.monotonic() > deadline:
                raise NotReady(f"{self._image} did not answer within {READY_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """SIGKILL of the container's first process."""
        if self._container is not None:
            self._container.get_wrapped_container().kill()

    def stop(self) -> None:
        """End it in order; `start` brings it back with its state."""
        if self._container is not None:
            self._container.get_wrapped_container().stop()

    def forget(self) -> None:
        """Remove it with its state."""
        if self._container is not None:
            self._container.stop()
            self._container = None


class KafkaContainer(Container):
    """The broker's image with the settings of the local broker."""

    def __init__(self) -> None:
        # The same port inside and outside: the address it tells clients is also true for itself.
        super().__init__(KAFKA_IMAGE, {}, wire.has_brokers)
        inside = f"PLAINTEXT://:{self.port},CONTROLLER://:{CONTROLLER_PORT_INSIDE}"
        settings = {
            **SINGLE_NODE,
            "listeners": inside,
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"{NODE}@localhost:{CONTROLLER_PORT_INSIDE}",
        }
        for key, value in settings.items():
            self._env["KAFKA_" + key.upper().replace(".", "_")] = value

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"


class PostgresContainer(Container):
    """The database's image, trusting this machine as the local server does."""

    def __init__(self) -> None:
        env = {"POSTGRES_USER": OWNER, "POSTGRES_DB": OWNER, "POSTGRES_HOST_AUTH_METHOD": "trust"}
        super().__init__(
            POSTGRES_IMAGE, env, lambda _: answers(self.url), port_inside=POSTGRES_PORT_INSIDE
        )

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"postgresql://{OWNER}@{HOST}:{self.port}/{OWNER}"


def _docker_answers() -> bool:
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        return False
    try:
        return bool(docker.from_env().ping())
    except DockerException:
        return False


def _container_class() -> "type[DockerContainer]":
    try:
        from testcontainers.core.container import DockerContainer
    except ImportError as error:
        raise Missing(
            "testcontainers is missing: `make` installs it; or install Java 17 for a local Kafka."
        ) from error
    return DockerContainer
