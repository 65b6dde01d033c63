"""The baton: of several payments processes one follows the log, handles the inbox, runs errands.

A session lock in PostgreSQL on a connection of its own; whoever holds it does the work, and gives
it up with the connection. Webhooks are taken and people are answered by all.
"""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from eventsourcing.persistence import PersistenceError
from psycopg_pool import PoolTimeout

_LOCK = 0x5C_21_90_02
BACK_OFF_S = 0.5
BEAT_S = 2.0  # between looks whether the connection that holds the lock still stands

log = structlog.get_logger(__name__)
PASSING = (psycopg.Error, PersistenceError, PoolTimeout, OSError, TimeoutError)


async def carry(postgres_url: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever the baton is ours; for ever. Raises what no new attempt can cure."""
    while True:
        try:
            await _carry_once(postgres_url, work)
        except* PASSING as why:
            log.warning("work_interrupted", why=repr(why.exceptions[0]), again_in_s=BACK_OFF_S)
        await asyncio.sleep(BACK_OFF_S)


async def _carry_once(postgres_url: str, work: Callable[[], Awaitable[None]]) -> None:
    opened = await psycopg.AsyncConnection.connect(postgres_url, autocommit=True)
    async with opened as connection:
        await _lock(connection)
        log.info("baton_taken")
        async with asyncio.TaskGroup() as group:
            working = group.create_task(_all(work))
            group.create_task(_beat(connection, working))


async def _all(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def _beat(
    connection: psycopg.AsyncConnection[tuple[object, ...]], working: asyncio.Task[None]
) -> None:
    while not working.done():
        await connection.execute("SELECT 1")
        await asyncio.wait((working,), timeout=BEAT_S)


async def _lock(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    while True:
        found = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
        row = await found.fetchone()
        if row is not None and row[0]:
            return
        await asyncio.sleep(BEAT_S)
