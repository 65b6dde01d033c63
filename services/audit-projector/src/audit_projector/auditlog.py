"""The compliance log follows the log of events by itself: every record becomes a line, once.

Its position is its own last line, so it depends on no database. A line is synced before the next
batch is read; after a crash the unsynced end is written again, the same bytes.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

import structlog
from aiokafka.errors import KafkaError
from bus.reader import LogDivergedError
from bus.topics import TopicError
from contracts.codec import UnknownEvent
from contracts.topics import EVENTS

from audit_projector.chain import Chain, ChainBroken
from audit_projector.intake import Intake, Taken, partitions
from audit_projector.line import source_of
from audit_projector.metrics import Board
from audit_projector.project import Halted
from audit_projector.settings import Settings
from audit_projector.standing import folder_of
from audit_projector.threads import in_thread

log = structlog.get_logger(__name__)

NAME = "audit-log"
BATCH_RECORDS_MAX = 2_000  # about 2 MB a sync
IDLE_MS = 500
BACK_OFF_S = 0.5


class LogInUse(RuntimeError):
    """Another process writes this compliance log: wait until it is gone."""


_PASSING = (KafkaError, TopicError, LogInUse, OSError, TimeoutError)


async def keep(settings: Settings, board: Board, *, until_end: bool = False) -> None:
    """Keep the compliance log up with the log of events; with `until_end` only to its end now.

    Raises Halted when no new attempt can help.
    """
    while True:
        try:
            with only_writer(settings.audit_folder):
                await _follow(settings, board, until_end=until_end)
        except _PASSING as why:
            log.warning("audit_log_interrupted", why=repr(why), again_in_s=BACK_OFF_S)
            await asyncio.sleep(BACK_OFF_S)
        except (UnknownEvent, LogDivergedError, ChainBroken) as why:
            board.halt(NAME)
            raise Halted(f"{NAME} stopped: {why}") from why
        else:
            return


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; raises LogInUse. The kernel gives it back however we end."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise LogInUse(
                f"another process writes the compliance log in {folder}: stop it,"
                " or give this one a SCRIP_STATE_DIR of its own"
            ) from taken
        yield
    finally:
        os.close(descriptor)


async def _follow(settings: Settings, board: Board, *, until_end: bool) -> None:
    bootstrap, prefix = settings.bootstrap, settings.prefix
    chains = {
        number: Chain(
            folder_of(settings.audit_folder, number),
            source_of(settings.environment, prefix + EVENTS.name, number),
        )
        for number in range(await partitions(bootstrap, prefix))
    }
    intake: Intake | None = None
    try:
        for chain in chains.values():
            await in_thread(chain.open)
        intake = Intake(bootstrap, {n: chain.position for n, chain in chains.items()}, prefix)
        await intake.start()
        ends = await intake.ends() if until_end else None
        while ends is None or any(chains[n].position.offset < end for n, end in ends.items()):
            await _step(intake, chains, board)
            if (left := await intake.lag()) is not None:
                board.left(NAME, left)
    finally:
        if intake is not None:
            await intake.stop()
        for chain in chains.values():
            chain.close()


async def _step(intake: Intake, chains: dict[int, Chain], board: Board) -> None:
    """Write the next records."""
    skips = intake.skips
    taken = await intake.next(IDLE_MS, BATCH_RECORDS_MAX)
    by_partition: dict[int, list[Taken]] = {}
    for record in taken:
        by_partition.setdefault(record.partition, []).append(record)
    for number, records in by_partition.items():
        began = time()
        await in_thread(chains[number].append, records)
        board.applied(NAME, len(records), time() - began)
        gone = intake.readers[number].skipped - skips[number]
        board.stands(NAME, number, chains[number].position.offset, records[-1].timestamp, gone)
