"""Takes a topic that all gateways share, from where the group left off; commits are the taker's."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from bus import kafka

log = structlog.get_logger(__name__)

BACK_OFF_S = 0.5
POLL_MS = 500


async def keep_taking(
    what: str,
    bootstrap: str,
    topic: str,
    group: str,
    take: Callable[[AIOKafkaConsumer], Awaitable[None]],
) -> None:
    """Run `take` on a consumer until cancelled; `what` it is called when the broker was away."""
    lost = what + "_lost_connection"
    while True:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # a group without a memory must not lose anything
            fetch_max_wait_ms=kafka.FETCH_WAIT_MS,
            metadata_max_age_ms=kafka.METADATA_AGE_MS,
            retry_backoff_ms=20,
        )
        try:
            await consumer.start()
            await take(consumer)
        except (KafkaError, OSError, TimeoutError) as why:
            log.warning(lost, why=repr(why), again_in_s=BACK_OFF_S)
        finally:
            await kafka.close(consumer)
        await asyncio.sleep(BACK_OFF_S)
