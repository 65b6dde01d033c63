"""Takes runs off `tool-runs.dispatch` and gives each to a handler, many at once.

At least once: an offset is committed when its run, and every one before it, is handled.  A handler
that breaks is logged and counted, and its run given up: the reservation expires by itself and the
credits are back.  Intake stops at once when asked; runs under way get a little time to end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

import structlog
from aiokafka import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import IllegalStateError, KafkaError
from bus import kafka

from studio_tools.metrics import Metrics
from studio_tools.progress import Progress

IN_FLIGHT_MAX = 512  # twice what callers have in flight at the busiest; each costs a few kilobytes
COMMIT_EVERY_S = 0.5  # what a crash makes us run again is at most this much and what is under way
SESSION_MS = 6_000  # the least a broker accepts: how long the runs of a killed worker wait
POLL_MS = 500  # how soon a stop is seen while nothing comes
POLL_FULL_MS = 20  # how soon room is seen while there is none
DRAIN_S = 7.0  # for runs under way at a stop: with the rest below the ten seconds we are given

Record: TypeAlias = ConsumerRecord[bytes, bytes]
Handler: TypeAlias = Callable[[Record], Awaitable[None]]

log = structlog.get_logger(__name__)


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]
    """`run` returns when `stopping` is set and what was under way has ended or was given up."""

    def __init__(
        self, bootstrap: str, topic: str, group: str, handler: Handler, metrics: Metrics
    ) -> None:
        self._topic = topic
        self._handler = handler
        self._metrics = metrics
        self._progress: dict[TopicPartition, Progress] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=kafka.FETCH_WAIT_MS,
            max_partition_fetch_bytes=kafka.FETCH_BYTES,
            retry_backoff_ms=20,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 3,
            metadata_max_age_ms=kafka.METADATA_AGE_MS,
        )

    async def start(self) -> None:
        await self._consumer.start()
        self._consumer.subscribe([self._topic], listener=self)

    async def stop(self) -> None:
        await kafka.close(self._consumer)

    async def run(self, stopping: asyncio.Event) -> None:
        committing = asyncio.create_task(self._commit_often(), name="dispatch-commits")
        try:
            while not stopping.is_set():
                await self._take()
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=DRAIN_S)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            committing.cancel()
            await self._commit()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._progress = {partition: Progress() for partition in assigned}
        log.info("dispatch_assigned", partitions=sorted(each.partition for each in assigned))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Runs under way go on; their new owner may run them again, the ledger charges once."""
        if revoked:
            await self._commit()
        self._progress = {}

    async def _take(self) -> None:
        room = IN_FLIGHT_MAX - len(self._tasks)
        if room > 0:
            self._consumer.resume(*self._consumer.paused())
            got = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=room)
        else:  # keep polling, or the group takes us for dead
            self._consumer.pause(*self._consumer.assignment())
            got = await self._consumer.getmany(timeout_ms=POLL_FULL_MS)
        for partition, records in got.items():
            progress = self._progress.get(partition)
            if progress is None:
                continue  # revoked while it was fetched: its new owner reads it
            for record in records:
                progress.begin(record.offset)
                task = asyncio.create_task(self._handle(record, progress))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            self._metrics.taken(records[-1].timestamp)
        self._metrics.in_flight.set(len(self._tasks))

    async def _handle(self, record: Record, progress: Progress) -> None:
        try:
            await self._handler(record)
        except Exception:
            self._metrics.broken.inc()
            log.exception("run_given_up", partition=record.partition, offset=record.offset)
        progress.finish(record.offset)

    async def _commit_often(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            await self._commit()

    async def _commit(self) -> None:
        moved = [
            (partition, progress, offset)
            for partition, progress in self._progress.items()
            if (offset := progress.due()) is not None
        ]
        if not moved:
            return
        try:
            await self._consumer.commit({partition: offset for partition, _, offset in moved})
        except (KafkaError, IllegalStateError) as why:
            log.warning("dispatch_not_committed", why=repr(why))  # tried again; at worst run again
            return
        for _, progress, offset in moved:
            progress.committed(offset)
