"""Takes what owners are told off the topic and puts it where they wanted it, once for each id.

Any number of gateways share the work. An offset is committed when all before it are kept; taken
again after a crash, an id that is there already changes nothing. What this version cannot read is
counted and passed: one of a later version must not stop all others.
"""

import asyncio
import time

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from contracts.codec import CodecError, decode_notification
from contracts.notifications import Notification

from gateway.metrics import Metrics
from gateway.noticeroutes import Desk
from gateway.problems import ProblemError
from gateway.taking import BACK_OFF_S, POLL_MS, keep_taking

log = structlog.get_logger(__name__)

GROUP = "scrip-gateway-notifications"
AT_ONCE = 200


class Inbox:
    """The consumer."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        desk: Desk,
        metrics: Metrics,
    ) -> None:
        self._bootstrap = bootstrap
        self._group = prefix + GROUP
        self._topic = desk.topic
        self._listed = desk.listed
        self._choices = desk.choices
        self._metrics = metrics

    async def run(self) -> None:
        """Take until cancelled."""
        await keep_taking("inbox", self._bootstrap, self._topic, self._group, self._take)

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
            for records in got.values():
                for record in records:
                    await self._one(record)
            if got:
                await consumer.commit({place: some[-1].offset + 1 for place, some in got.items()})

    async def _one(self, record: ConsumerRecord[bytes, bytes]) -> None:
        try:
            told = decode_notification(record.value or b"")
        except CodecError as wrong:
            self._metrics.notifications.add("unknown")
            log.warning("notification_unknown", offset=record.offset, why=str(wrong))
            return
        while True:
            try:
                self._metrics.notifications.add(await self._kept(told))
            except ProblemError as why:
                log.warning("notification_waits", why=why.problem.code, again_in_s=BACK_OFF_S)
                await asyncio.sleep(BACK_OFF_S)
            else:
                return

    async def _kept(self, told: Notification) -> str:
        wanted = await self._choices.channels(told.account, told.kind)
        if not (wanted.listed or wanted.mailed):
            return "unwanted"
        now = time.time_ns() // 1_000_000
        kept = await self._listed.keep(told, now, listed=wanted.listed, mailed=wanted.mailed)
        return "kept" if kept.told else "passed"
