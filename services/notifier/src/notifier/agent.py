"""The agent: every counted event is asked what it tells, and its offset passes when that is told.

Faust brings the group, the offsets and a table that survives (`gifts`); the reader rule is ours, as
everywhere. At least once: a record's offset is committed only behind the acknowledgment of all that
it tells, and who reads `notifications` acts once for each id. Whatever cannot be read halts the
process before its offset passes: Faust lets an event pass whose agent raised.
"""

import asyncio
import time
from collections.abc import Callable

import faust
import structlog
from aiokafka.errors import KafkaError
from bus.membership import HEARTBEAT_MS, SESSION_MS
from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from bus.reader import Reader
from contracts.codec import decode_event, encode
from contracts.events import PartitionClaimed
from contracts.notifications import Notification
from contracts.topics import EVENTS, NOTIFIER_GIFTS
from contracts.units import DAY, Ms
from msgspec import Struct

from notifier.memory import Memory
from notifier.metrics import Metrics
from notifier.notices import UnknownGift, notices
from notifier.place import reader_at
from notifier.settings import Settings

log = structlog.get_logger(__name__)

NAME = "notifier"
TELL_WITHIN_MS = 7 * DAY  # what is older is history: a first start beside an old log tells no news
COMMIT_EVERY_S = 1.0  # how much is read again, and told again under the same ids, after a crash
BACK_OFF_S = 0.5
_REQUEST_S = 20.0


class Told(Struct, frozen=True):
    """Where the agent writes, and what it counts."""

    outbox: Outbox
    topic: str
    partitions: int
    metrics: Metrics

    async def tell(self, told: Notification) -> None:
        """Write one until Kafka has it."""
        key = told.account.encode()
        number = partition_of(told.account, self.partitions)
        while True:
            try:
                await self.outbox.send(self.topic, number, key, encode(told))
            except Undelivered:
                self.metrics.undelivered.inc()
                await asyncio.sleep(BACK_OFF_S)
            else:
                self.metrics.written.labels(told.kind.value).inc()
                return


class Watch:
    """The reader rule and the notices over the records of this process's partitions."""

    def __init__(self, settings: Settings, told: Told, memory: Memory) -> None:
        self._settings = settings
        self._told = told
        self._memory = memory
        self._readers: dict[int, Reader] = {}

    async def take(self, partition: int, offset: int, raw: bytes) -> None:
        """One record; raises what must halt: an unknown event, a log that contradicts itself."""
        reader = await self._reader(partition, offset)
        event, before = decode_event(raw), reader.skipped
        counts = reader.counts(offset, event)
        self._told.metrics.skipped.inc(reader.skipped - before)
        if not counts or isinstance(event, PartitionClaimed):
            return
        self._told.metrics.read_at.set(event.at / 1000)
        try:
            found = notices(event, partition, self._memory)
        except UnknownGift as gift:
            self._told.metrics.unknown_gifts.inc()
            log.warning("gift_unknown", gift=str(gift), partition=partition, seq=event.seq)
            return
        if found and event.at >= _now() - TELL_WITHIN_MS:
            for each in found:
                await self._told.tell(each)

    async def _reader(self, partition: int, offset: int) -> Reader:
        """The partition's reader; a new one where Faust does not go on where it was."""
        found = self._readers.get(partition)
        if found is not None and found.offset == offset:
            return found
        bootstrap, topic = self._settings.bootstrap, self._settings.prefix + EVENTS.name
        while True:
            try:
                found = await reader_at(bootstrap, topic, partition, offset, _now())
            except (KafkaError, OSError, TimeoutError) as why:
                log.warning("place_not_found_yet", partition=partition, why=repr(why))
                await asyncio.sleep(BACK_OFF_S)
            else:
                break
        self._readers[partition] = found
        self._told.metrics.positioned.inc()
        log.info("partition_taken_up", partition=partition, offset=offset, seq=found.seq)
        return found


def application(
    settings: Settings,
    partitions: int,
    told: Told,
    folder: str,
    halt: Callable[[Exception], None],
) -> faust.App:
    """The Faust application, not started; `halt` must end the process.

    Faust wants a `folder`, and leaves it empty where its tables are in memory.
    """
    prefix = settings.prefix
    app = faust.App(
        prefix + NAME,
        broker=f"kafka://{settings.bootstrap}",
        autodiscover=False,
        web_enabled=False,  # its own port would listen everywhere
        store="memory://",
        datadir=folder,
        topic_allow_declare=False,  # topics are created with their settings, or not at all
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=SESSION_MS / 1000,
        broker_heartbeat_interval=HEARTBEAT_MS / 1000,
        broker_request_timeout=_REQUEST_S,
        broker_commit_interval=COMMIT_EVERY_S,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
    )
    table = app.Table(
        "gifts",
        partitions=partitions,
        key_type=bytes,
        value_type=bytes,
        changelog_topic=_raw(app, prefix + NOTIFIER_GIFTS.name, compacting=True),
    )
    watch = Watch(settings, told, Memory(table))

    @app.agent(_raw(app, prefix + EVENTS.name), name=NAME)
    async def read(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            message = event.message
            try:
                await watch.take(message.partition, message.offset, message.value)
            except Exception as why:  # noqa: BLE001 - whatever it is, the event must not pass
                halt(why)
                await asyncio.Event().wait()  # its offset never passes

    return app


def _raw(app: faust.App, name: str, *, compacting: bool = False) -> faust.TopicT:
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        compacting=compacting,
    )


def _now() -> Ms:
    return time.time_ns() // 1_000_000
