"""Ending a client that lost its broker and cannot stop by itself: nothing of it goes on.

Beside `bus.fence` and `bus.lean` the only place that touches aiokafka's internals (0.14.0, pinned).
An idempotent batch never expires: a producer left alone would deliver it when the broker is back,
long after its owner gave it up, and keep its connections for ever.
"""

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

CUT_WITHIN_S = 1.0  # closing sockets waits for nobody


async def cut(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop its tasks, fail its batches, close its connections."""
    if isinstance(client, AIOKafkaProducer):
        closing = [client.client.close()]
        if (sending := client._sender.sender_task) is not None:  # noqa: SLF001
            sending.cancel()
        client._message_accumulator.fail_all(KafkaError("abandoned"))  # noqa: SLF001
    else:
        closing = [client._client.close()]  # noqa: SLF001
        if client._fetcher is not None:  # noqa: SLF001
            closing.insert(0, client._fetcher.close())  # noqa: SLF001
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CUT_WITHIN_S):
            for part in closing:
                await part
