"""A Scrip of the benchmarks' own: engine, topics and services, all gone when it is left.

State lives in `.local/bench/state` and is made anew; logs stay in `.local/bench/logs`. Ports are
free ones. The broker has 1 GB of heap and G1, as facts about speed need.
"""

import asyncio
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from bus.topics import ensure_topics
from contracts.topics import COMMANDS, EVENTS
from engine.guard import Guard
from engine.java import STEADY
from engine.local import Engine
from engine.places import HOST, REPOSITORY, local_dir
from engine.ports import free_port
from engine.processes import Process, answers
from engine.services import scrip

PARTITIONS = 2
ENVIRONMENT = "test"  # sells the tool that does nothing
CELL_EXTRA_S = 90  # beyond its seconds: start, grants, the last answers
_SERVING = re.compile(r'^scrip_partition_serving\{partition="(\d+)"\} 1\.0$', re.MULTILINE)


class CellFailed(RuntimeError):
    """A load process did not give a figure; says why."""


class Ledger:
    """One ledger process and what it owns."""

    def __init__(self, process: Process, metrics_port: int) -> None:
        self.process = process
        self.metrics = f"http://{HOST}:{metrics_port}/metrics"

    def owned(self) -> set[int]:
        """The partitions it serves now."""
        try:
            with urllib.request.urlopen(self.metrics, timeout=2) as answer:
                shown = answer.read().decode()
        except OSError:
            return set()
        return {int(number) for number in _SERVING.findall(shown)}


class World:
    """Use as a context manager."""

    def __init__(self) -> None:
        self.folder = results_folder()
        self._state = self.folder / "state"
        self._guard = Guard()
        self.engine = Engine(self._state, jvm=STEADY, guard=self._guard)
        self._started: list[Process] = []
        self._alone = (self.folder / ".lock").open("w")

    def __enter__(self) -> Self:
        try:
            fcntl.flock(self._alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._guard.close()
            raise SystemExit("another benchmark runs here: wait for its end, or stop it") from None
        self.engine.stop()
        shutil.rmtree(self._state, ignore_errors=True)
        self._state.mkdir(parents=True)
        self.folder.chmod(0o755)  # run by root, PostgreSQL drops to an account that must get in
        self._state.chmod(0o755)
        try:
            self.engine.start()
        except BaseException:
            self._guard.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            process.stop()
        self.engine.forget()
        self._guard.close()
        shutil.rmtree(self._state, ignore_errors=True)
        self._alone.close()

    @property
    def bootstrap(self) -> str:
        return self.engine.bootstrap

    def watch(self, **pids: int) -> str:
        """What a load process needs to know, to tell the CPU of these and of our broker."""
        brokers = [("broker", p.pid) for p in self.engine.processes() if p.name == "Kafka"]
        return "--watch=" + ",".join(f"{name}={pid}" for name, pid in [*brokers, *pids.items()])

    # ---- Kafka and PostgreSQL

    def topics(self, prefix: str) -> None:
        """Fresh topics under a prefix."""
        asyncio.run(
            ensure_topics(
                self.bootstrap,
                partitions=PARTITIONS,
                single_broker=self.engine.owns_kafka,
                prefix=prefix,
            )
        )

    def flushed(self, prefix: str) -> dict[str, str]:
        """What the broker says of `flush.messages` for commands and events."""
        return asyncio.run(_setting(self.bootstrap, prefix, "flush.messages"))

    def drop_topics(self, prefix: str) -> None:
        """Give their disk space back."""
        asyncio.run(_delete(self.bootstrap, prefix))

    def database(self, name: str) -> str:
        """The address of a fresh, empty database."""
        url = self.engine.postgres_url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    # ---- processes

    def ledger(
        self, prefix: str, name: str = "ledger", more: dict[str, str] | None = None
    ) -> Ledger:
        """A ledger process, not waited for; `more` of its settings."""
        port = free_port()
        told = {"SCRIP_METRICS_PORT": str(port), **(more or {})}
        process = self.service(name, ("ledger", "run"), prefix, told)
        return Ledger(process, port)

    @contextmanager
    def serving_ledger(self, prefix: str, more: dict[str, str] | None = None) -> Iterator[Ledger]:
        """A ledger that owns every partition."""
        ledger = self.ledger(prefix, more=more)
        try:
            ledger.process.wait_ready(lambda: len(ledger.owned()) == PARTITIONS)
            yield ledger
        finally:
            ledger.process.stop()

    @contextmanager
    def echo(self, prefix: str) -> Iterator[Process]:
        """The worker that copies instead of deciding."""
        argv = (sys.executable, "-m", "tests.benchmarks.echo", self.bootstrap, prefix)
        process = self.start("echo", argv, {})
        try:
            process.wait_ready("echo ready")
            yield process
        finally:
            process.stop()

    def service(
        self,
        name: str,
        verb: Sequence[str],
        prefix: str,
        more: dict[str, str],
        postgres_url: str | None = None,
    ) -> Process:
        """One of ours by its command line, with the settings all of them read."""
        return self.start(
            name,
            (scrip(), *verb),
            {**self.settings(prefix, postgres_url), "SCRIP_METRICS_PORT": "0", **more},
        )

    def settings(self, prefix: str, postgres_url: str | None = None) -> dict[str, str]:
        """The environment of every service."""
        return {
            "SCRIP_ENV": ENVIRONMENT,
            "SCRIP_KAFKA_BOOTSTRAP": self.bootstrap,
            "SCRIP_POSTGRES_URL": postgres_url or self.engine.postgres_url,
            "SCRIP_STATE_DIR": str(self.files(prefix)),
            "SCRIP_TOPIC_PREFIX": prefix,
        }

    def files(self, name: str) -> Path:
        """Where a service may keep what must outlive it; not made here."""
        return self._state / "files" / name

    def start(self, name: str, argv: Sequence[str], env: dict[str, str]) -> Process:
        """A process that ends with this world at the latest."""
        log = self.folder / "logs" / f"{name}.log"
        process = Process(name, argv, log=log, env=env, guard=self._guard, cwd=REPOSITORY)
        process.start()
        self._started.append(process)
        return process

    def measured(
        self, module: str, *arguments: object, seconds: float, env: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """What a load process of ours prints; raises CellFailed."""
        argv = (sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments))
        try:
            done = subprocess.run(
                argv,
                env={**os.environ, **(env or {})},
                cwd=REPOSITORY,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds + CELL_EXTRA_S,
            )
        except subprocess.TimeoutExpired:
            raise CellFailed(f"{module} {arguments} did not end in time") from None
        if done.returncode:
            raise CellFailed(f"{module} {arguments}: {done.stderr.strip()[-1500:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def results_folder() -> Path:
    """Where figures and logs stay."""
    folder = local_dir() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ready(url: str) -> bool:
    """Whether a service says that it is ready."""
    return answers(url)


async def _setting(bootstrap: str, prefix: str, wanted: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [prefix + topic.name for topic in (COMMANDS, EVENTS)]
        responses = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        )
        return {
            name.removeprefix(prefix): entry[1]
            for response in responses
            for _, _, _, name, entries in response.resources
            for entry in entries
            if entry[0] == wanted
        }
    finally:
        await admin.close()


async def _delete(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = await admin.list_topics()
        await admin.delete_topics([name for name in names if name.startswith(prefix)])
    finally:
        await admin.close()
