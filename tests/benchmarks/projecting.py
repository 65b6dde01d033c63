"""The audit-projector catching up with a whole log from zero, with and without its JSONL log.

    projector_events_per_s        read models and compliance log in one process, as it runs
    projector_alone_events_per_s  read models only

Counted on the database's side: events per second from the first committed batch to the one that
reaches the end of the log, by `read.progress`. Start and migration are told apart.
"""

import asyncio
import time

import psycopg
from aiokafka import TopicPartition
from bus import kafka
from contracts.topics import EVENTS

from tests.benchmarks.figures import Tree
from tests.benchmarks.world import PARTITIONS, CellFailed, World

POLL_S = 0.05
SLOWEST_PER_S = 2_000  # events; slower is not a measurement but a fault
START_WITHIN_S = 60
_PROGRESS = 'SELECT coalesce(sum("offset"), 0) FROM read.progress'


def measure(world: World, prefix: str, name: str, *only: str) -> Tree:
    """`name`_events_per_s and what belongs to it; raises CellFailed."""
    events = events_in(world.bootstrap, prefix)
    url = world.database(f"bench_{name}")
    migrate = world.service(f"{name}-migrate", ("audit-projector", "migrate"), prefix, {}, url)
    if not migrate.wait(START_WITHIN_S) or migrate.exit_code:
        raise CellFailed(f"migrate: {migrate.tail()}")
    files = {"SCRIP_STATE_DIR": str(world.files(f"{prefix}{name}"))}
    began = time.perf_counter()
    projector = world.service(name, ("audit-projector", "run", *only), prefix, files, url)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            first, at = began, 0
            while at == 0:
                at = _wait(connection, projector.alive, began + START_WITHIN_S)
            first, skipped = time.perf_counter(), at
            while at < events:
                at = _wait(connection, projector.alive, first + 60 + events / SLOWEST_PER_S)
            took = time.perf_counter() - first
    except CellFailed as why:
        raise CellFailed(f"{why}: {projector.tail()}") from why
    finally:
        projector.stop()
    return {
        f"{name}_events_per_s": round((events - skipped) / took),
        f"{name}_events": events,
        f"{name}_start_s": round(first - began, 2),
    }


def events_in(bootstrap: str, prefix: str) -> int:
    """How many records the log of events holds."""
    return asyncio.run(_ends(bootstrap, prefix))


def _wait(connection: psycopg.Connection, alive: bool, until: float) -> int:
    if not alive:
        raise CellFailed("the projector ended")
    if time.perf_counter() > until:
        raise CellFailed("the projector stands still")
    time.sleep(POLL_S)
    row = connection.execute(_PROGRESS).fetchone()
    return int(row[0]) if row else 0


async def _ends(bootstrap: str, prefix: str) -> int:
    consumer = kafka.consumer(bootstrap)
    await consumer.start()
    try:
        tps = [TopicPartition(prefix + EVENTS.name, p) for p in range(PARTITIONS)]
        return sum((await consumer.end_offsets(tps)).values())
    finally:
        await kafka.close(consumer)
