"""Publishes what runs cost: the newest figures of each tool and price, on `tools.history`.

Read from the read models, every few seconds, and sent when they changed. It keeps nothing: after
a restart everything is sent once more, which tells nobody anything new. What it says may be late;
it is never wrong, and nobody waits for it.
"""

import asyncio
from typing import Final

import psycopg
import structlog
from aiokafka.errors import KafkaError
from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from bus.topics import TopicError, partitions_of
from contracts.codec import encode
from contracts.history import ToolHistory, key_of
from contracts.topics import TOOL_HISTORY
from contracts.units import Credits

from audit_projector.costs import basis_of
from audit_projector.models import ROLE
from audit_projector.settings import Settings
from audit_projector.threads import in_thread

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0  # a look reads some hundred rows; what runs cost changes in hours
BACK_OFF_S = 5.0
_COSTS: Final = "SELECT tool, price_version, credits, runs FROM read.tool_costs"
_PASSING = (psycopg.Error, KafkaError, TopicError, Undelivered, OSError, TimeoutError)


async def publish(settings: Settings) -> None:
    """Publish for ever; whatever is away is waited for."""
    while True:
        try:
            await _publish(settings)
        except _PASSING as why:
            log.warning("history_unpublished", why=repr(why), again_in_s=BACK_OFF_S)
            await asyncio.sleep(BACK_OFF_S)


def figures(connection: psycopg.Connection[tuple[str, str, Credits, int]]) -> list[ToolHistory]:
    """The figures of every tool and price, as the read models stand."""
    counts: dict[tuple[str, str], dict[Credits, int]] = {}
    for tool, price_version, credits_, runs in connection.execute(_COSTS.encode()).fetchall():
        counts.setdefault((tool, price_version), {})[credits_] = runs
    return [ToolHistory(*at, basis_of(*at, runs_at)) for at, runs_at in sorted(counts.items())]


async def _publish(settings: Settings) -> None:
    topic = settings.prefix + TOOL_HISTORY.name
    partitions = await partitions_of(settings.bootstrap, topic)
    outbox = Outbox(settings.bootstrap)
    await outbox.start()
    connection = await in_thread(psycopg.connect, settings.postgres_url)
    try:
        connection.autocommit = True
        connection.execute(f"SET ROLE {ROLE}".encode())
        sent: dict[bytes, bytes] = {}
        while True:
            for told in await in_thread(figures, connection):
                key, value = key_of(told), encode(told)
                if sent.get(key) != value:
                    number = partition_of(key.decode(), partitions)
                    await outbox.send(topic, number, key, value)
                    sent[key] = value
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        connection.close()
        await outbox.stop()
