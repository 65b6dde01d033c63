"""Runs asked for over Kafka alone: `tool-runs.requests` in, `tool-runs.results` out.

An offset is committed only when the reservation's answer counted and the run was handed over, so
that a request is never lost; asked twice, it runs and costs once. A no is a result as well:
outcome `refused`, with the ledger's reason.
"""

import asyncio
import hashlib
import re
import time

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from bus.trace import Trace, trace_of
from contracts.codec import CodecError, decode_run_requested, encode
from contracts.commands import Reserve
from contracts.events import AnyEvent, CommandRefused, CreditsReserved
from contracts.reasons import Reason
from contracts.runs import RunError, RunOutcome, RunRequested, RunResult
from contracts.topics import RUN_REQUESTS, RUN_RESULTS
from contracts.units import COMMAND_AGE_MAX_MS

from gateway.answers import TOO_OLD
from gateway.bodies import NAME
from gateway.dispatch import Dispatch
from gateway.metrics import Metrics
from gateway.problems import REASONS
from gateway.taking import BACK_OFF_S, POLL_MS, keep_taking
from gateway.waiting import Bridge, NoAnswer

log = structlog.get_logger(__name__)

_name = re.compile(NAME).match

GROUP = "scrip-gateway-requests"
AT_ONCE = 500  # requests taken together; all of them end before the next are taken


class Requests:
    """The consumer. Any number of gateways share the work."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        *,
        bridge: Bridge,
        dispatch: Dispatch,
        outbox: Outbox,
        metrics: Metrics,
        partitions: int,
    ) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._bridge = bridge
        self._dispatch = dispatch
        self._outbox = outbox
        self._metrics = metrics
        self._partitions = partitions

    async def run(self) -> None:
        """Take requests until cancelled."""
        topic, group = self._prefix + RUN_REQUESTS.name, self._prefix + GROUP
        await keep_taking("requests", self._bootstrap, topic, group, self._take)

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
            records = [record for some in got.values() for record in some]
            if not records:
                continue
            async with asyncio.TaskGroup() as together:
                for record in records:
                    together.create_task(self._one(record))
            await consumer.commit(
                {partition: some[-1].offset + 1 for partition, some in got.items()}
            )

    async def _one(self, record: ConsumerRecord[bytes, bytes]) -> None:
        value = record.value or b""
        try:
            asked = decode_run_requested(value)
        except CodecError as wrong:
            self._metrics.run_requests.add("undecodable")
            digest = hashlib.sha256(value).hexdigest()
            log.error(  # noqa: TRY400 - the sender's fault; a stack says nothing
                "request_undecodable", offset=record.offset, sha256=digest, why=str(wrong)
            )
            return
        if not (_name(asked.run) and _name(asked.account) and _name(asked.tool)):
            self._metrics.run_requests.add("invalid")
            log.error("request_invalid", offset=record.offset, why=f"ids must match {NAME}")
            if _name(asked.run):
                await self._publish(_invalid(asked), trace_of(record.headers))
            return
        try:
            await self._handle(asked, record.timestamp, trace_of(record.headers))
        except Exception:
            # a request that breaks us must not stop all others in every gateway
            self._metrics.run_requests.add("failed")
            log.exception("request_failed", offset=record.offset, run=asked.run)

    async def _handle(self, asked: RunRequested, sent_at: int, trace: Trace) -> None:
        event = await self._answer(asked, sent_at, trace)
        if isinstance(event, CreditsReserved):
            await self._dispatch.hand_over(event, asked.input, trace)
            self._metrics.run_requests.add("dispatched")
            return
        self._metrics.run_requests.add("refused")
        await self._publish(_refused(asked, event), trace)

    async def _answer(self, asked: RunRequested, sent_at: int, trace: Trace) -> AnyEvent:
        """Ask until the answer counts: the request waits in Kafka, there is no hurry to give up."""
        issued_at = sent_at if asked.issued_at is None else asked.issued_at
        command = Reserve(
            id=asked.run,
            account=asked.account,
            actor=asked.actor,
            tool=asked.tool,
            limits=asked.limits,
            issued_at=issued_at,
            deadline=issued_at + COMMAND_AGE_MAX_MS if asked.deadline is None else asked.deadline,
        )
        while True:
            try:
                now = time.time_ns() // 1_000_000
                return (await self._bridge.ask(command, now, trace)).event
            except NoAnswer:
                await asyncio.sleep(BACK_OFF_S)

    async def _publish(self, result: RunResult, trace: Trace) -> None:
        partition = partition_of(result.run, self._partitions)
        topic = self._prefix + RUN_RESULTS.name
        while True:
            try:
                await self._outbox.send(
                    topic, partition, result.run.encode(), encode(result), trace.headers()
                )
            except Undelivered:
                await asyncio.sleep(BACK_OFF_S)
            else:
                return


def _invalid(asked: RunRequested) -> RunResult:
    """Tell the asker at once; under a run id that is no name nobody could look it up."""
    return RunResult(
        run=asked.run,
        account=asked.account,
        tool=asked.tool,
        outcome=RunOutcome.REFUSED,
        error=RunError("invalid_request", f"account and tool must match {NAME}"),
        charged=0,
    )


def _refused(asked: RunRequested, event: AnyEvent) -> RunResult:
    error = RunError("too_old", TOO_OLD)
    if isinstance(event, CommandRefused):
        reason: Reason = event.reason
        error = RunError(reason.value, REASONS[reason][1], reason)
    return RunResult(
        run=asked.run,
        account=asked.account,
        tool=asked.tool,
        outcome=RunOutcome.REFUSED,
        error=error,
        charged=0,
    )
