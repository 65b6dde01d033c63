"""One dispatched run from its record to its counted end: run it, tell the result, settle.

The result goes out together with the Charge or Release, so that nobody pays for a result that was
lost; once the ledger's event counts, the result goes out again with what was charged.  The same run
dispatched again while it is under way joins it; shortly afterwards it is told what was told before.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog
from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from bus.trace import trace_of
from contracts.catalogue import Catalogue
from contracts.commands import Charge
from contracts.runs import RunDispatched, RunResult
from contracts.topics import RUN_RESULTS
from contracts.units import BATCH_BYTES_MAX

from contracts import codec
from studio_tools.intake import Record
from studio_tools.metrics import Metrics
from studio_tools.outcomes import Failed, InvalidInput, Limits, NotAvailable, Outcome
from studio_tools.recent import Recent
from studio_tools.results import result_of, too_late
from studio_tools.runner import ToolRunner
from studio_tools.settling import Settling, ending_of
from studio_tools.turns import Turns

SETTLE_MARGIN_MS = 2_000  # kept free before the reservation expires, for the charge to land
ENVELOPE_KB = 16  # what a result record holds beside the output, generously
OUTPUT_KB_MAX = BATCH_BYTES_MAX // 1024 - ENVELOPE_KB  # a result must fit into one record
RESULT_TRIES_AGAIN_S = 0.5

log = structlog.get_logger(__name__)
Headers = Sequence[tuple[str, bytes]]


class Worker:
    """`handle` is the intake's handler.  It returns when nothing is left to do for the record."""

    def __init__(
        self,
        runner: ToolRunner,
        turns: Turns,
        settling: Settling,
        outbox: Outbox,
        catalogue: Catalogue,
        *,
        metrics: Metrics,
        partitions: int,
        prefix: str = "",
    ) -> None:
        self._runner = runner
        self._turns = turns
        self._settling = settling
        self._outbox = outbox
        self._catalogue = catalogue
        self._metrics = metrics
        self._partitions = partitions
        self._topic = prefix + RUN_RESULTS.name
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self._recent = Recent()

    async def handle(self, record: Record) -> None:
        try:
            run = codec.decode_run_dispatched(record.value or b"")
        except codec.CodecError as wrong:
            self._metrics.undecodable.inc()
            log.warning("dispatch_undecodable", offset=record.offset, why=str(wrong))
            return
        headers = trace_of(record.headers).headers()
        name = _name(run)
        if (same := self._under_way.get(name)) is not None:
            await asyncio.shield(same)
            return
        if (told := self._recent.get(name)) is not None:
            await self._publish(run.run, told, headers)
            return
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._under_way[name] = ended
        try:
            await self._carry_out(run, headers)
        finally:
            del self._under_way[name]
            ended.set_result(None)

    async def _carry_out(self, run: RunDispatched, headers: Headers) -> None:
        outcome = await self._outcome(run)
        if outcome is None:
            await self._publish(run.run, codec.encode(too_late(run)), headers)
            return
        self._metrics.ended(run.tool, outcome)
        self._metrics.zygote_restarts.set(self._runner.restarts)
        if isinstance(outcome, Failed):
            log.warning(
                "run_failed", run=run.run, tool=run.tool, why=outcome.reason, detail=outcome.detail
            )
        result = result_of(run, outcome)
        began = time.monotonic()
        command = ending_of(run, outcome, _now_ms())
        async with asyncio.TaskGroup() as both:
            both.create_task(self._publish(run.run, codec.encode(result), headers))
            settling = both.create_task(self._settling.settle(command, headers))
        settled = settling.result()
        self._metrics.settle_seconds.observe(time.monotonic() - began)
        self._metrics.settled.labels(settled.how).inc()
        if settled.charged is None:
            log.info("run_settled_before", run=run.run, why=settled.refused)
        elif settled.refused is not None or (not settled.charged and isinstance(command, Charge)):
            log.warning("run_not_billed", run=run.run, how=settled.how, why=settled.refused)
        await self._conclude(run, result, settled.charged, headers)

    async def _conclude(
        self, run: RunDispatched, result: RunResult, charged: int | None, headers: Headers
    ) -> None:
        result.charged = charged
        last = codec.encode(result)
        self._recent.keep(_name(run), last)
        await self._publish(run.run, last, headers)

    async def _outcome(self, run: RunDispatched) -> Outcome | None:
        """None when the reservation ends too soon for the run to be started."""
        tool = self._catalogue.tools.get(run.tool)
        if tool is None or run.tool not in self._runner.ready.tools:
            return NotAvailable(run.tool)
        asked = run.limits
        if min(asked.cpu_ms, asked.memory_mb, asked.duration_ms) < 1:
            return InvalidInput("limits: must all be above 0")
        began = time.monotonic()
        async with self._turns.of(run.account, run.tool, tool.concurrency):
            self._metrics.waited.observe(time.monotonic() - began)
            left_ms = run.expires_at - _now_ms() - SETTLE_MARGIN_MS
            if left_ms <= 0:
                return None
            limits = Limits(
                cpu_ms=asked.cpu_ms,
                memory_mb=asked.memory_mb,
                output_kb=min(tool.output_kb, OUTPUT_KB_MAX),
                timeout_ms=min(asked.duration_ms, left_ms),
            )
            return await self._runner.run(run.tool, bytes(run.input), limits)

    async def _publish(self, run: str, result: bytes, headers: Headers) -> None:
        """Until Kafka has it: a result may be told twice, never not at all."""
        partition = partition_of(run, self._partitions)
        while True:
            try:
                await self._outbox.send(self._topic, partition, run.encode(), result, headers)
            except Undelivered:
                await asyncio.sleep(RESULT_TRIES_AGAIN_S)
            else:
                return


def _name(run: RunDispatched) -> str:
    """A run's name is its caller's own choice: two accounts may choose the same one."""
    return f"{run.account}\0{run.run}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
