"""The way to Postgres: a small pool that may only read. Without Postgres, reads say so at once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import PoolTimeout

from gateway import keystore, pools
from gateway.keys import Key
from gateway.problems import RETRY_SOON_S, failure

log = structlog.get_logger(__name__)

CONNECTIONS_MAX = 8  # reads are short; more would only queue inside Postgres
STATEMENT_TIMEOUT_MS = 5_000
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError, TimeoutError)
_NOT_THERE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)

_Row = TypeVar("_Row")


class Reading:
    """One snapshot: all of its queries see the same moment."""

    def __init__(self, connection: AsyncConnection[tuple[object, ...]]) -> None:
        self._connection = connection

    async def rows(self, shape: type[_Row], sql: str, values: Mapping[str, object]) -> list[_Row]:
        """What a query finds, each row as a `shape`."""
        async with self._connection.cursor(row_factory=class_row(shape)) as cursor:
            await cursor.execute(sql.encode(), values)
            return await cursor.fetchall()


class ReadModels:
    """Read models in Postgres, and the keys beside them."""

    def __init__(self, url: str) -> None:
        self._pool = pools.pool(
            url,
            name="read-models",
            role="scrip_gateway",
            most=CONNECTIONS_MAX,
            statement_timeout_ms=STATEMENT_TIMEOUT_MS,
        )

    async def open(self) -> None:
        """Begin to connect; returns at once, Postgres may come later."""
        await pools.begin(self._pool)

    async def close(self) -> None:
        """Close what is open."""
        await pools.end(self._pool)

    async def keys(self, since: float | None) -> tuple[list[Key], float]:
        """Keys changed since a mark."""
        async with self._pool.connection() as connection:
            return await keystore.changed_keys(connection, since)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reading]:
        """One moment of the read models; raises the 503 that says why not."""
        async with _answering(), self._pool.connection() as connection:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield Reading(connection)
            finally:
                await connection.execute("ROLLBACK")

    async def rows(self, shape: type[_Row], sql: str, values: Mapping[str, object]) -> list[_Row]:
        """What one query finds, each row as a `shape`; raises the 503 that says why not."""
        async with _answering(), self._pool.connection() as connection:
            return await Reading(connection).rows(shape, sql, values)

    async def row(self, shape: type[_Row], sql: str, values: Mapping[str, object]) -> _Row | None:
        """The first row, if there is one."""
        found = await self.rows(shape, sql, values)
        return found[0] if found else None


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except _NOT_THERE as why:
        log.warning("read_models_missing", why=str(why))
        raise failure(
            503,
            "read_models_missing",
            "The read models are not there yet; start the audit-projector. Writes go on.",
            retry_after_s=RETRY_SOON_S,
        ) from why
    except _AWAY as why:
        log.warning("read_models_away", why=repr(why))
        raise failure(
            503,
            "reads_unavailable",
            "The read models cannot be reached now. Writes go on; read again later.",
            retry_after_s=RETRY_SOON_S,
        ) from why
