"""The read models follow the log: read, fold, write, at their own pace, for ever.

While one batch is on its way to the database the next is read and folded. Whatever fails, the
connection is dropped and everything begins again at the stored position; only what no new attempt
can cure (an event of an unknown kind, a log or read models that contradict themselves) ends it.
"""

import asyncio
from time import time

import psycopg
import structlog
from aiokafka.errors import KafkaError
from bus.reader import LogDivergedError
from bus.topics import TopicError
from contracts.codec import UnknownEvent

from audit_projector.fold import Batch, MalformedEvent, fold
from audit_projector.intake import Intake, partitions
from audit_projector.metrics import Board
from audit_projector.models import Models, ModelsDiverged, Superseded
from audit_projector.threads import in_thread

log = structlog.get_logger(__name__)

BATCH_RECORDS_MAX = 10_000  # more gain little; this many take about 0.1 s
IDLE_MS = 500  # how long to wait for the next record before looking at the lag again
BACK_OFF_S = 0.5
_PASSING = (psycopg.Error, KafkaError, TopicError, Superseded, OSError, TimeoutError)
_FINAL = (
    psycopg.IntegrityError,  # a row that is there already, or lacks what it must have
    psycopg.DataError,
    UnknownEvent,
    LogDivergedError,
    MalformedEvent,
    ModelsDiverged,
)

NAME = "read-models"


class Halted(RuntimeError):
    """This cannot be read on; says where it stopped and what to do."""


async def project(
    bootstrap: str, url: str, prefix: str, board: Board, *, schema: str, until_end: bool = False
) -> None:
    """Keep the read models of `schema` up with the log; with `until_end` only to its end now.

    Raises Halted when no new attempt can help.
    """
    while True:
        try:
            await _follow(bootstrap, url, prefix, board, schema, until_end=until_end)
        except _FINAL as why:
            board.halt(NAME)
            raise Halted(f"{NAME} stopped: {why}") from why
        except _PASSING as why:
            log.warning("projection_interrupted", why=repr(why), again_in_s=BACK_OFF_S)
            await asyncio.sleep(BACK_OFF_S)
        else:
            return


async def _follow(
    bootstrap: str, url: str, prefix: str, board: Board, schema: str, *, until_end: bool
) -> None:
    models = await in_thread(Models.connect, url, schema)
    try:
        positions = await in_thread(models.positions, await partitions(bootstrap, prefix))
        intake = Intake(bootstrap, positions, prefix)
        try:
            await intake.start()
            ends = await intake.ends() if until_end else None
            await _pump(intake, models, board, ends)
        finally:
            await intake.stop()
    finally:
        models.close()


async def _pump(intake: Intake, models: Models, board: Board, ends: dict[int, int] | None) -> None:
    """Read and fold the next batch while the last is being written."""
    writing: asyncio.Task[None] | None = None
    try:
        while ends is None or any(intake.readers[p].offset < end for p, end in ends.items()):
            batch = await read_batch(intake)
            if writing is not None:
                await writing
                writing = None
            if batch.records:
                writing = asyncio.create_task(_write(models, batch, board))
                await asyncio.sleep(0)  # let it start: reading on may not suspend for long
            if (left := await intake.lag()) is not None:
                board.left(NAME, left)
        if writing is not None:
            await writing
            writing = None
    finally:
        if writing is not None:
            await asyncio.wait({writing})


async def read_batch(intake: Intake) -> Batch:
    """The next records, folded, with the position behind them; may be empty."""
    before, skipped = intake.positions, intake.skips
    taken = await intake.next(IDLE_MS, BATCH_RECORDS_MAX)
    batch = Batch(before)
    fold(batch, taken)
    for partition, at_ms in {record.partition: record.timestamp for record in taken}.items():
        reader = intake.readers[partition]
        gone = reader.skipped - skipped[partition]
        batch.progress[partition] = reader.position, at_ms, gone
    return batch


async def _write(models: Models, batch: Batch, board: Board) -> None:
    began = time()
    await in_thread(models.write, batch)
    board.applied(NAME, batch.records, time() - began)
    for partition, (position, at_ms, skipped) in batch.progress.items():
        board.stands(NAME, partition, position.offset, at_ms, skipped)
