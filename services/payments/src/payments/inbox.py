"""The inbox: a webhook is stored under its event's id before it is acknowledged, and handled later.

The same event stored twice is one row. A row that cannot be handled yet is tried again, ever more
slowly; one that never fits waits in quarantine for a person.
"""

from datetime import datetime

from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from payments.signatures import Webhook

TAKEN_AT_ONCE = 100  # rows of one look; a fraction of a second of handling
WAIT_S = (0.5, 1, 2, 5, 15, 60, 300)  # until a row is tried again; the last one repeats
TRIES_MAX = 40  # of a row that never fits: about three hours, then a person looks
# A mark that a crash forgets is made again: handling is harmless any number of times.
_LAZY = "SET LOCAL synchronous_commit = off"

Pool = AsyncConnectionPool[AsyncConnection[tuple[object, ...]]]


class Waiting(Struct):
    """A row to handle."""

    event: str
    kind: str
    object: str
    body: bytes
    tries: int


async def store(pool: Pool, event: Webhook, body: bytes) -> bool:
    """Keep a verified webhook; false when it was there already."""
    async with pool.connection() as connection:
        stored = await connection.execute(
            "INSERT INTO payments.inbox (event, kind, object, body, created_at)"
            " VALUES (%s, %s, %s, %s, coalesce(%s, to_timestamp(%s)))"
            " ON CONFLICT (event) DO NOTHING",
            (event.id, event.type, event.about.id, body, *_created(event)),
        )
    return stored.rowcount == 1


async def take(pool: Pool) -> list[Waiting]:
    """Rows whose time has come, oldest first."""
    async with (
        pool.connection() as connection,
        connection.cursor(row_factory=class_row(Waiting)) as rows,
    ):
        await rows.execute(
            "SELECT event, kind, object, body, tries FROM payments.inbox"
            " WHERE handled_at IS NULL AND quarantine IS NULL AND next_at <= clock_timestamp()"
            " ORDER BY received_at LIMIT %s",
            (TAKEN_AT_ONCE,),
        )
        return await rows.fetchall()


async def ignore(pool: Pool, events: list[str]) -> None:
    """Rows that say nothing to us, all at once."""
    async with pool.connection() as connection:
        await connection.execute(_LAZY)
        await connection.execute(
            "UPDATE payments.inbox SET handled_at = clock_timestamp(), outcome = 'ignored'"
            " WHERE event = ANY(%s)",
            (events,),
        )


async def done(pool: Pool, event: str, outcome: str) -> float:
    """A row is handled; gives the seconds since Stripe made the event."""
    async with pool.connection() as connection:
        await connection.execute(_LAZY)
        updated = await connection.execute(
            "UPDATE payments.inbox SET handled_at = clock_timestamp(), outcome = %s"
            " WHERE event = %s"
            " RETURNING extract(epoch FROM clock_timestamp() - created_at)::float8",
            (outcome, event),
        )
        row = await updated.fetchone()
    return float(str(row[0])) if row is not None else 0.0


async def again(pool: Pool, row: Waiting, why: str, *, counts: bool) -> bool:
    """Try a row later. `counts`: it is the row's own fault; true when it went to quarantine."""
    tries = row.tries + (1 if counts else 0)
    wait_s = WAIT_S[min(tries, len(WAIT_S) - 1)]
    given_up = tries >= TRIES_MAX
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE payments.inbox SET tries = %s, quarantine = %s,"
            " next_at = clock_timestamp() + make_interval(secs => %s) WHERE event = %s",
            (tries, why[:200] if given_up else None, wait_s, row.event),
        )
    return given_up


async def oldest_s(pool: Pool) -> float:
    """The age of the oldest row that is not handled yet; 0 when there is none."""
    async with pool.connection() as connection:
        found = await connection.execute(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0)::float8"
            " FROM payments.inbox WHERE handled_at IS NULL AND quarantine IS NULL"
        )
        row = await found.fetchone()
    return float(str(row[0])) if row is not None else 0.0


def _created(event: Webhook) -> tuple[datetime | None, float]:
    if isinstance(event.created, int):
        return None, float(event.created)
    try:
        return datetime.fromisoformat(event.created), 0.0
    except ValueError:
        return None, 0.0
