"""Who owns which partition: Kafka's consumer group, used for assignment and nothing else.

No offset is ever committed and no record is read through it. Revoked partitions are given up
before the group goes on; a process that met an error leaves and joins anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from bus import kafka

SESSION_MS = 6_000  # the broker's default minimum: how long a dead owner is missed
HEARTBEAT_MS = 1_500
_POLL_MS = 500  # keeps the membership alive; all partitions are paused

Change = Callable[[Collection[int]], Awaitable[None]]


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: AIOKafkaConsumer, gained: Change, lost: Change) -> None:
        self._consumer = consumer
        self._gained = gained
        self._lost = lost

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._lost([tp.partition for tp in revoked])

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._consumer.pause(*assigned)
        await self._gained([tp.partition for tp in assigned])


class Membership:
    """One process's seat in the group."""

    def __init__(self, bootstrap: str, group: str, topic: str) -> None:
        self._topic = topic
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            partition_assignment_strategy=(StickyPartitionAssignor,),
            retry_backoff_ms=50,
            metadata_max_age_ms=kafka.METADATA_AGE_MS,
        )

    async def join(self, gained: Change, lost: Change) -> None:
        """Join the group; both callbacks run before the group goes on."""
        await self._consumer.start()
        listener = _Listener(self._consumer, gained, lost)
        self._consumer.subscribe([self._topic], listener=listener)

    async def stay(self, until: asyncio.Event) -> None:
        """Keep the seat until the event is set; raises KafkaError when the seat is lost."""
        while not until.is_set():
            await self._consumer.getmany(timeout_ms=_POLL_MS)

    async def leave(self) -> None:
        """Tell the group at once, so that another takes over without waiting for the session."""
        await kafka.close(self._consumer)
