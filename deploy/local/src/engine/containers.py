"""The same two servers from their images, where a Docker engine answers and no Java is there.

`SCRIP_ENGINE=docker` asks for it, `SCRIP_ENGINE=local` forbids it.
"""

import hashlib
import os
import shutil
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine import wire
from engine.broker_settings import NODE, SINGLE_NODE
from engine.errors import Missing, NotReady, PortInUse
from engine.places import HOST
from engine.ports import free_port, refuse_used
from engine.postgres import answers
from engine.postgres_home import OWNER

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container as Held
    from testcontainers.core.container import DockerContainer


class Server(msgspec.Struct, frozen=True):
    """A server's image, and the setting that moves its port; 0: the same port inside."""

    title: str
    image: str
    setting: str
    port_inside: int = 0


KAFKA = Server("Kafka", "apache/kafka:4.3.0", "SCRIP_KAFKA_PORT")
POSTGRES = Server("PostgreSQL", "postgres:18", "SCRIP_POSTGRES_PORT", port_inside=5432)
CONTROLLER_PORT_INSIDE = 9093
PORT_LABEL = "scrip.port"
UNIX = "unix://"
DOCKER_SOCKET = UNIX + "/var/run/docker.sock"
READY_SECONDS = 120.0  # an image may have to be pulled first
POLL_SECONDS = 0.1


def containers_wanted(*, before: bool = False) -> bool:
    """Tell whether to use images: asked for, used `before`, or no Java but a Docker engine."""
    asked = os.environ.get("SCRIP_ENGINE")
    if asked is not None:
        return asked == "docker"
    if before:
        return True
    return shutil.which("java") is None and "JAVA_HOME" not in os.environ and docker_answers()


class Container(ABC):
    """One server in a container, on a port of this machine that it keeps.

    With a `name` it is kept: it outlives this process, and whoever gives the name finds it again
    with its state. Without one it belongs to this process, and is removed when that is gone.
    """

    def __init__(self, server: Server, env: Mapping[str, str], *, port: int, name: str) -> None:
        self.title = server.title
        self.port = port or free_port()
        self.name = name
        self._server = server
        self._env = dict(env)
        self._held: Held | None = None

    def start(self) -> None:
        """Start it, again after `kill` with its state kept; returns when it answers."""
        if not docker_answers():
            raise Missing("no Docker engine answers; start it, or unset SCRIP_ENGINE")
        held = self._find()
        if held is None:
            refuse_used(self.port, self.title, self._server.setting)
            self._held = self._kept() if self.name else self._reaped()
        else:
            self._refuse_another_port(held)
        if held is not None and held.status != "running":
            refuse_used(self.port, self.title, self._server.setting)
            held.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            gone = not self.running
            if gone or time.monotonic() > deadline:
                why = "ended" if gone else f"did not answer within {READY_SECONDS:.0f} s"
                said = self._tail() or "(nothing)"
                raise NotReady(f"{self._server.image} {why}. It said:\n{said}")
            time.sleep(POLL_SECONDS)

    @property
    def running(self) -> bool:
        """Whether it runs now, whoever started it."""
        held = self._find() if docker_answers() else None
        return held is not None and held.status == "running"

    def kill(self) -> None:
        """SIGKILL of the container's first process."""
        if (held := self._find()) is not None:
            held.kill()

    def stop(self) -> None:
        """End it in order; `start` brings it back with its state."""
        if self.running and (held := self._find()) is not None:
            held.stop()

    def forget(self) -> None:
        """Remove it with its state."""
        if (held := self._find()) is not None:
            held.remove(force=True, v=True)
        self._held = None

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server in it answers."""

    def _find(self) -> "Held | None":
        """The container as it is now; None when there is none."""
        if self._held is None and self.name:
            from docker.errors import NotFound

            try:
                self._held = _client().containers.get(self.name)
            except NotFound:
                return None
        if self._held is not None:
            self._held.reload()
        return self._held

    def _refuse_another_port(self, held: "Held") -> None:
        made_for = held.labels.get(PORT_LABEL)
        if self.name and made_for != str(self.port):
            raise PortInUse(
                f"{self.title} was made for port {made_for}, not {self.port}: set "
                f"{self._server.setting}={made_for}, or drop its state: docker rm -fv {self.name}"
            )

    def _kept(self) -> "Held":
        held: Held = _client().containers.run(
            self._server.image,
            detach=True,
            name=self.name,
            environment=self._env,
            ports={f"{self._port_inside}/tcp": (HOST, self.port)},
            labels={PORT_LABEL: str(self.port)},
        )
        return held

    def _reaped(self) -> "Held":
        """By testcontainers, whose reaper removes it even when this process is killed."""
        made = _container_class()(self._server.image)
        made.ports[f"{self._port_inside}/tcp"] = (HOST, self.port)  # type: ignore[assignment]  # docker-py takes an address so
        for name, value in self._env.items():
            made.with_env(name, value)
        made.start()
        held: Held = made.get_wrapped_container()
        self._reaper = made  # while it lives, so does the container
        return held

    @property
    def _port_inside(self) -> int:
        return self._server.port_inside or self.port

    def _tail(self) -> str:
        held = self._find()
        return held.logs(tail=20).decode(errors="replace") if held is not None else ""


class KafkaContainer(Container):
    """The broker's image with the settings of the local broker."""

    def __init__(self, port: int = 0, name: str = "") -> None:
        # The same port inside and outside: the address it tells clients is also true for itself.
        super().__init__(KAFKA, {}, port=port, name=name)
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

    def _answers(self) -> bool:
        return wire.has_brokers(self.port)


class PostgresContainer(Container):
    """The database's image, trusting this machine as the local server does."""

    def __init__(self, port: int = 0, name: str = "") -> None:
        env = {"POSTGRES_USER": OWNER, "POSTGRES_DB": OWNER, "POSTGRES_HOST_AUTH_METHOD": "trust"}
        super().__init__(POSTGRES, env, port=port, name=name)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"postgresql://{OWNER}@{HOST}:{self.port}/{OWNER}"

    def _answers(self) -> bool:
        return answers(self.url)


def keep_as(what: str, state: Path) -> str:
    """The name of the container that holds a state folder's server."""
    return f"scrip-{what}-{hashlib.sha256(str(state).encode()).hexdigest()[:12]}"


def _client() -> "DockerClient":
    import docker

    return docker.from_env()


def docker_answers() -> bool:
    """Tell whether a Docker engine is there."""
    try:
        from docker.errors import DockerException
    except ImportError:
        return False
    if not _listens(os.environ.get("DOCKER_HOST", DOCKER_SOCKET)):
        return False
    try:
        with closing(_client()) as client:
            return bool(client.ping())
    except DockerException:
        return False


def _listens(host: str) -> bool:
    """Whether somebody listens there: the library leaves its socket open when nobody does."""
    if not host.startswith(UNIX):
        return True
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(host[len(UNIX) :]) == 0


def _container_class() -> "type[DockerContainer]":
    try:
        from testcontainers.core.container import DockerContainer
    except ImportError as error:
        raise Missing(
            "testcontainers is missing: `make` installs it; or install Java 17 for a local Kafka."
        ) from error
    return DockerContainer
