"""A log of events on real Kafka, an own database, and the projector in front of them."""

import asyncio
import os
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from audit_projector import auditlog, project, schema
from audit_projector.metrics import Metrics
from audit_projector.settings import Settings
from bus import kafka
from bus.log import KeyValue
from bus.topics import ensure_topics
from contracts.topics import EVENTS
from engine.guard import Guard
from engine.processes import Process
from engine.services import scrip

from tests.unit.audit_projector.world import World

PARTITIONS = 2
ORDER = {  # tables and what makes a row of them unique, for dumps that can be compared
    "balances": "account",
    "lots": "account, grant_id",
    "reservations": "account, reservation",
    "entries": "account, version",
    "usage": "account, bucket_ms, tool",
    "tool_costs": "tool, price_version, credits",
    "controls": "account",
    "partition_events": 'partition, "offset"',
    "progress": "partition",
}


def worlds(seed: int, commands: int, accounts: int = 6) -> list[World]:
    """One seeded log for each partition."""
    return [
        World(seed * 10 + n, number=n, partitions=PARTITIONS, accounts=accounts).go_on(commands)
        for n in range(PARTITIONS)
    ]


@contextmanager
def fresh_database(engine_url: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(engine_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield urlunsplit(urlsplit(engine_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(engine_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Place:
    """Where one test's projector works."""

    def __init__(self, bootstrap: str, url: str, prefix: str, folder: Path) -> None:
        self.settings = Settings(bootstrap, url, "test", prefix, folder / "audit", 0)
        self.folder = folder
        self.env = {
            "SCRIP_KAFKA_BOOTSTRAP": bootstrap,
            "SCRIP_POSTGRES_URL": url,
            "SCRIP_ENV": "test",
            "SCRIP_TOPIC_PREFIX": prefix,
            "SCRIP_STATE_DIR": str(folder),
            "SCRIP_METRICS_PORT": "0",
        }

    async def make_topic(self) -> None:
        await ensure_topics(
            self.settings.bootstrap,
            partitions=PARTITIONS,
            single_broker=True,
            prefix=self.settings.prefix,
            topics=(EVENTS,),
        )

    async def write(self, logs: Sequence[Sequence[KeyValue]], pause_s: float = 0.0) -> None:
        """Append records, some hundred at a time, as a plain producer."""
        producer = kafka.producer(self.settings.bootstrap)
        await producer.start()
        try:
            for at in range(0, max(map(len, logs)), 300):
                for partition, log in enumerate(logs):
                    if not log[at : at + 300]:
                        continue
                    batch = producer.create_batch()
                    for key, value in log[at : at + 300]:
                        added = batch.append(key=key, value=value, timestamp=None, headers=[])
                        assert added is not None
                    topic = self.settings.prefix + EVENTS.name
                    await (await producer.send_batch(batch, topic, partition=partition))
                await asyncio.sleep(pause_s)
        finally:
            await producer.stop()

    async def project(self) -> None:
        """The read models, to the end of the log."""
        await project.project(
            self.settings.bootstrap,
            self.settings.postgres_url,
            self.settings.prefix,
            Metrics(),
            schema=schema.SCHEMA,
            until_end=True,
        )

    async def keep(self) -> None:
        """The compliance log, to the end of the log."""
        await auditlog.keep(self.settings, Metrics(), until_end=True)

    def process(self, name: str, guard: Guard, *verb: str) -> Process:
        """`scrip` with a verb, as a process of its own."""
        return Process(
            name,
            (scrip(), *verb),
            log=self.folder / f"{name}.log",
            env=self.env,
            guard=guard,
        )

    async def scrip(self, *verb: str) -> subprocess.CompletedProcess[str]:
        """Run `scrip` to its end."""
        return await asyncio.to_thread(
            subprocess.run,
            (scrip(), *verb),
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.postgres_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every read model; skipped times aside."""
        return {
            table: self.rows(f"SELECT * FROM read.{table} ORDER BY {order}")
            for table, order in ORDER.items()
        }
