"""The outbox: whatever gathers while a request is in flight goes out as the next one.

Group commit without a timer: one caller waits for one round trip, a thousand share one. It gathers
over all partitions and sends one batch per partition in one request. At least once: a record may
land twice when an acknowledgment is lost, so what travels here is named by its sender.
"""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from bus import kafka

log = structlog.get_logger(__name__)

_BACK_OFF_S = 0.2  # between attempts while the broker is away
_STOP_WITHIN_S = 2.0


class Undelivered(RuntimeError):
    """Kafka did not acknowledge a record in time; whether it landed is unknown: send it again."""


class _Waiting(Struct, gc=False):
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    acked: asyncio.Future[None] | None


class Outbox:
    """One producer's outbox. `put` never waits; `send` waits for the acknowledgment."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._waiting: dict[tuple[str, int], list[_Waiting]] = {}
        self._run: asyncio.Task[None] | None = None
        self._closed = False
        self.records = 0
        self.batches = 0
        self.failures = 0

    async def start(self) -> None:
        """Connect; raises KafkaError when the cluster cannot be reached."""
        self._producer = await self._connected()

    async def stop(self) -> None:
        """Send what waits, within two seconds, and close."""
        self._closed = True
        if self._run is not None:
            await asyncio.wait({self._run}, timeout=_STOP_WITHIN_S)
            self._run.cancel()
        await self._drop()

    def put(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Queue a record. If it is lost, its sender learns it by the missing answer."""
        self._queue(topic, partition, _Waiting(key, value, headers, None))

    async def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Queue a record and wait until it is acknowledged; raises Undelivered."""
        acked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue(topic, partition, _Waiting(key, value, headers, acked))
        await acked

    @property
    def waiting(self) -> int:
        """How many records wait for their request."""
        return sum(map(len, self._waiting.values()))

    def _queue(self, topic: str, partition: int, record: _Waiting) -> None:
        if self._closed:
            raise Undelivered("this outbox is closed")
        self._waiting.setdefault((topic, partition), []).append(record)
        if self._run is None or self._run.done():
            self._run = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, {}
            try:
                async with asyncio.timeout(kafka.SEND_WITHIN_S):
                    await self._request(taken)
            except Exception as why:  # noqa: BLE001 - whatever it was, its senders must learn it
                self.failures += 1
                log.warning(
                    "outbox_undelivered", records=sum(map(len, taken.values())), why=repr(why)
                )
                self._answer(taken, Undelivered(f"not acknowledged: {why!r}"))
                await self._drop()
                await asyncio.sleep(_BACK_OFF_S)
            else:
                self._answer(taken, None)

    async def _request(self, taken: dict[tuple[str, int], list[_Waiting]]) -> None:
        if self._producer is None:
            self._producer = await self._connected()
        acks = []
        for (topic, partition), records in taken.items():
            batch = self._producer.create_batch()
            for record in records:
                if self._append(batch, record):
                    continue
                acks.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                if not self._append(batch, record):
                    raise AssertionError("a record is larger than a batch: check it before put()")
            acks.append(await self._producer.send_batch(batch, topic, partition=partition))
        for ack in acks:
            await ack
        self.records += sum(map(len, taken.values()))
        self.batches += len(acks)

    @staticmethod
    def _append(batch: object, record: _Waiting) -> bool:
        appended = batch.append(  # type: ignore[attr-defined]
            key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
        )
        return appended is not None

    @staticmethod
    def _answer(taken: dict[tuple[str, int], list[_Waiting]], why: Exception | None) -> None:
        for records in taken.values():
            for record in records:
                if record.acked is None or record.acked.done():
                    continue
                if why is None:
                    record.acked.set_result(None)
                else:
                    record.acked.set_exception(why)

    async def _connected(self) -> AIOKafkaProducer:
        opened = kafka.producer(self._bootstrap)
        try:
            await opened.start()
        except BaseException:
            await opened.stop()
            raise
        return opened

    async def _drop(self) -> None:
        dropped, self._producer = self._producer, None
        if dropped is not None:
            await kafka.close(dropped)
