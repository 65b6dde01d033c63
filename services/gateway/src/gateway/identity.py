"""The way to the personal data: a small pool with the one role that may touch it.

Every query is one statement and its own transaction, so that any number of gateways may share it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import PoolTimeout

from gateway import pools
from gateway.problems import RETRY_SOON_S, failure

log = structlog.get_logger(__name__)

CONNECTIONS_MAX = 4  # one short statement per request of a person
STATEMENT_TIMEOUT_MS = 2_000
_LOCK = 0x5C_21_90_04  # one gateway at a time makes the tables
_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
    PoolTimeout,
    OSError,
    TimeoutError,
)

_Row = TypeVar("_Row")


async def ensure_schema(url: str) -> None:
    """Make the tables and the role that are missing, as the owner of the database."""
    room = files("gateway")
    sql = b"\n".join(room.joinpath(name).read_bytes() for name in ("identity.sql", "staff.sql"))
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await connection.execute(sql)


class Identity:
    """Statements on the schema `identity`."""

    def __init__(self, url: str) -> None:
        self._pool = pools.pool(
            url,
            name="identity",
            role="scrip_identity",
            most=CONNECTIONS_MAX,
            statement_timeout_ms=STATEMENT_TIMEOUT_MS,
        )

    async def open(self) -> None:
        """Begin to connect; returns at once, Postgres may come later."""
        await pools.begin(self._pool)

    async def close(self) -> None:
        """Close what is open."""
        await pools.end(self._pool)

    async def rows(self, shape: type[_Row], sql: str, values: Mapping[str, object]) -> list[_Row]:
        """What a statement gives back, each row as a `shape`; raises 503 when Postgres is away."""
        async with (
            _answering(),
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(shape)) as cursor,
        ):
            await cursor.execute(sql.encode(), values)
            return await cursor.fetchall()

    async def row(self, shape: type[_Row], sql: str, values: Mapping[str, object]) -> _Row | None:
        """The first row, if there is one."""
        found = await self.rows(shape, sql, values)
        return found[0] if found else None

    async def change(self, sql: str, values: Mapping[str, object]) -> int:
        """How many rows a statement changed."""
        async with _answering(), self._pool.connection() as connection:
            return (await connection.execute(sql.encode(), values)).rowcount


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except _AWAY as why:
        log.warning("identity_away", why=type(why).__name__)  # the message may hold what was sent
        raise failure(
            503,
            "sign_in_unavailable",
            "Who you are cannot be looked up now; try again in a moment. Keys go on working.",
            retry_after_s=RETRY_SOON_S,
        ) from None
