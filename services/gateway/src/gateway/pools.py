"""How the gateway connects to Postgres: small pools, each under a role of its own."""

from typing import TypeAlias

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[tuple[object, ...]]]

WAIT_FOR_CONNECTION_S = 1.0  # then the caller hears 503 instead of standing in line
CLOSE_WITHIN_S = 2.0  # a process that was told to stop has ten


def pool(url: str, *, name: str, role: str, most: int, statement_timeout_ms: int) -> Pool:
    """A pool that is not open yet; every statement is a transaction of its own."""
    options = f"-c role={role} -c statement_timeout={statement_timeout_ms}"
    return AsyncConnectionPool(
        url,
        kwargs={"options": options, "autocommit": True, "connect_timeout": 2},
        min_size=1,
        max_size=most,
        timeout=WAIT_FOR_CONNECTION_S,
        reconnect_timeout=5.0,
        open=False,
        check=AsyncConnectionPool.check_connection,
        name=name,
    )


async def begin(pool: Pool) -> None:
    """Begin to connect; returns at once, Postgres may come later."""
    await pool.open(wait=False)


async def end(pool: Pool) -> None:
    """Close what is open."""
    await pool.close(timeout=CLOSE_WITHIN_S)
