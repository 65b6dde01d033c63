"""A world for the gateway: services as processes on the session's Kafka and a fresh database."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from bus.topics import ensure_topics
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from engine.processes import Process
from gateway import keys, keystore
from gateway.keys import Scope

PARTITIONS = 2
SCRIP = str(Path(sys.executable).parent / "scrip")
ALL = frozenset(Scope)


class World:
    """Processes by name. `base` is the gateway's address."""

    def __init__(
        self, engine: Engine, database: str, prefix: str, folder: Path, guard: Guard
    ) -> None:
        self.engine = engine
        self.database = database
        self.prefix = prefix
        self.folder = folder
        self.port = free_port()
        self.metrics_port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._guard = guard
        self.processes: dict[str, Process] = {}

    @property
    def env(self) -> dict[str, str]:
        return {
            "SCRIP_KAFKA_BOOTSTRAP": self.engine.bootstrap,
            "SCRIP_POSTGRES_URL": self.database,
            "SCRIP_TOPIC_PREFIX": self.prefix,
            "SCRIP_ENV": "test",
            "SCRIP_STATE_DIR": str(self.folder),
            "SCRIP_METRICS_PORT": "0",
        }

    def start(self, name: str, **env: str) -> Process:
        """Start a service; `name` may carry a suffix after a dot for a second one."""
        process = Process(
            name,
            [SCRIP, name.split(".", maxsplit=1)[0], "run"],
            log=self.folder / f"{name}.log",
            env={**self.env, **env},
            guard=self._guard,
        )
        process.start()
        self.processes[name] = process
        return process

    def start_gateway(self, **env: str) -> Process:
        """The gateway, ready."""
        ports = {"SCRIP_HTTP_PORT": str(self.port), "SCRIP_METRICS_PORT": str(self.metrics_port)}
        process = self.start("gateway", **{**ports, **env})
        process.wait_ready(f"{self.base}/readyz")
        return process

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.resume()
            process.stop()

    def key(self, account: str | None = None, scopes: frozenset[Scope] = ALL) -> str:
        """A new key's text."""
        key_id, text = keys.make("test")
        now = keystore.now_ms()
        keystore.add(
            self.database,
            keys.Key(key_id, keys.sha256(text), scopes, account, "", now),
        )
        return text

    def client(self, key: str = "", **headers: str) -> httpx.AsyncClient:
        """A client that shows this key."""
        shown = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(
            base_url=self.base, headers={**shown, **headers}, timeout=40, trust_env=False
        )

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False).text

    def log(self, name: str = "gateway") -> str:
        return (self.folder / f"{name}.log").read_text()


@contextmanager
def world(
    engine: Engine,
    database: str,
    prefix: str,
    folder: Path,
    guard: Guard,
    *,
    services: tuple[str, ...] = ("ledger",),
    gateway: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """A running world."""
    asyncio.run(
        ensure_topics(engine.bootstrap, partitions=PARTITIONS, single_broker=True, prefix=prefix)
    )
    made = World(engine, database, prefix, folder, guard)
    subprocess.run(
        [SCRIP, "audit-projector", "migrate"], env={**os.environ, **made.env}, check=True
    )
    asyncio.run(keystore.ensure_schema(database))
    try:
        for service in services:
            made.start(service)
        made.start_gateway(**(gateway or {}))
        yield made
    finally:
        made.stop()


def keyed(key: str) -> dict[str, str]:
    """The header that names a request."""
    return {"Idempotency-Key": key}


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


async def granted(client: httpx.AsyncClient, amount: int) -> str:
    account = fresh("acc")
    body = {"amount": amount, "kind": "paid", "source": f"s-{account}"}
    answer = await client.post(f"/v1/accounts/{account}/grants", json=body, headers=keyed("grant"))
    assert answer.status_code == 201, answer.text
    return account
