"""A real Kafka broker and controller in one Java process, ready about a second after its start.

State lives in the folder given and is kept: stop, kill -9 and start again as you like.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from engine import templates, wire
from engine.broker_settings import server_properties
from engine.guard import Guard
from engine.jars import fetch_jars
from engine.java import SMALL, Jvm, find_java
from engine.places import HOST
from engine.ports import free_port, refuse_used
from engine.processes import Process

STOP_SECONDS = 20.0  # a controlled shutdown with full logs; kill -9 afterwards loses nothing
START_SECONDS = 60.0  # recovery after kill -9 reads the last segment of every partition


class Kafka:
    """One broker; `port` 0 picks free ones at the first start and keeps them."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        jvm: Jvm = SMALL,
        settings: Mapping[str, str] | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._folder = folder
        self._jvm = jvm
        self._settings = dict(settings or {})
        self._pinned = port != 0
        self._controller_port = 0
        self.process = Process(
            "Kafka",
            (),
            log=folder / "kafka.log",
            pid_file=folder / "kafka.pid",
            port=port,
            guard=guard,
        )

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.process.port}"

    def start(self) -> None:
        """Start it, or take over the one of this folder that runs already; returns when ready."""
        if not self.process.alive and not self.process.adopt():
            self._choose_ports()
            java = find_java()
            jars = fetch_jars()
            template = templates.kafka_template(java, jars)
            data = self._folder / "data"
            if not data.exists():
                templates.copy_kafka(template, data)
            properties = self._folder / "server.properties"
            properties.write_text(
                server_properties(data, self.process.port, self._controller_port, self._settings)
            )
            archive = template / templates.ARCHIVE
            flags = (*self._jvm.flags, "-Xshare:auto", f"-XX:SharedArchiveFile={archive}")
            self.process.argv = templates.broker_argv(java, jars, flags, properties)
            self.process.start()
        self.process.wait_ready(lambda: wire.has_brokers(self.process.port), START_SECONDS)

    def stop(self) -> None:
        """End it in order; does nothing if it does not run."""
        if self.process.alive or self.process.adopt():
            self.process.stop(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def forget(self) -> None:
        """Delete its state; only when stopped."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _choose_ports(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self.process.port == 0:
            self.process.port = free_port()
        if self._controller_port == 0:
            self._controller_port = self.process.port + 1 if self._pinned else free_port()
        refuse_used(self.process.port, "Kafka", "SCRIP_KAFKA_PORT")
        refuse_used(self._controller_port, "Kafka's controller", "SCRIP_KAFKA_PORT")
