"""Connections to Kafka with the settings that its promises need; each constant has its reason."""

import asyncio
from collections.abc import Iterable

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from contracts.units import BATCH_BYTES_MAX

from bus.abandon import cut
from bus.lean import lean

log = structlog.get_logger(__name__)

FETCH_WAIT_MS = 500  # an idle consumer asks twice a second; data is sent as soon as it is there
FETCH_BYTES = 4 << 20  # four full batches of one partition
REQUEST_TIMEOUT_MS = 4_000  # a healthy broker answers in milliseconds; longer is an outage
METADATA_AGE_MS = 10_000  # a moved leader is found within this without an error
SEND_WITHIN_S = 5.0  # idempotent batches never expire by themselves: bound every wait
_CLOSE_WITHIN_S = 1.0


def producer(bootstrap: str) -> AIOKafkaProducer:
    """A plain idempotent producer, not started. Use `create_batch` and `send_batch` on it."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=4 * BATCH_BYTES_MAX,
        retry_backoff_ms=10,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
    )


def consumer(bootstrap: str) -> AIOKafkaConsumer:
    """A consumer without a group, not started: it asks for offsets. `reader` is one that reads."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_partition_fetch_bytes=FETCH_BYTES,
        retry_backoff_ms=20,
        metadata_max_age_ms=METADATA_AGE_MS,
    )


async def reader(bootstrap: str) -> AIOKafkaConsumer:
    """A started consumer without a group. Assign, then `seek` every partition to a number.

    Its records have an offset, a timestamp, a key, a value and headers, nothing else.
    """
    opened = consumer(bootstrap)
    await opened.start()
    lean(opened)
    return opened


async def consumer_at(
    bootstrap: str, positions: Iterable[tuple[TopicPartition, int]]
) -> AIOKafkaConsumer:
    """A `reader` that stands at the given offsets."""
    opened, where = await reader(bootstrap), dict(positions)
    opened.assign(list(where))
    for partition, offset in where.items():
        opened.seek(partition, offset)
    return opened


async def close(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop a client, within a second: one that lost its broker would wait for ever."""
    stopping = asyncio.ensure_future(client.stop())
    done, _ = await asyncio.wait({stopping}, timeout=_CLOSE_WITHIN_S)
    if not done:
        stopping.cancel()
        log.warning("kafka_client_abandoned", client=type(client).__name__)
        await cut(client)
    elif (why := stopping.exception()) is not None:
        log.info("kafka_client_closed_with_error", client=type(client).__name__, why=repr(why))
