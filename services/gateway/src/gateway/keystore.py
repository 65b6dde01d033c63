"""Where keys are kept: the table `gateway.keys`.

Service keys are made by the command line alone, an account's own also by `gateway.accountkeys`.

The hot path reads with a role that may only SELECT.
"""

import time
from importlib.resources import files

import psycopg
from contracts.units import Ms
from psycopg import AsyncConnection
from psycopg.rows import kwargs_row

from gateway.keys import Key, Scope

_LOCK = 0x5C_21_90_05  # one gateway at a time makes the tables
_OVERLAP = "10 seconds"  # longer than any transaction that changes a key stays open
_COLUMNS = "id, sha256, scopes, account, label, created_at, expires_at, revoked_at"


class KeyUnknown(LookupError):
    """There is no key with this id; `scrip gateway keys list` shows them."""


async def ensure_schema(url: str) -> None:
    """Make the tables and the role that are missing, as the owner of the database."""
    sql = files("gateway").joinpath("schema.sql").read_bytes()
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await connection.execute(sql)


async def changed_keys(
    connection: AsyncConnection[tuple[object, ...]], since: float | None
) -> tuple[list[Key], float]:
    """Every key, or those changed since a mark (seconds); and the mark for the next time."""
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        row = await cursor.fetchone()
        mark = float(str(row[0])) if row is not None else 0.0
    async with connection.cursor(row_factory=kwargs_row(_key)) as found:
        await found.execute(
            f"SELECT {_COLUMNS} FROM gateway.keys"  # noqa: S608 - constants
            f" WHERE %(since)s::float8 IS NULL"
            f" OR changed_at > to_timestamp(%(since)s) - interval '{_OVERLAP}'",
            {"since": since},
        )
        return await found.fetchall(), mark


def add(url: str, key: Key) -> None:
    """Store a new key."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO gateway.keys (id, sha256, scopes, account, label, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                key.id,
                key.sha256,
                sorted(key.scopes),
                key.account,
                key.label,
                key.created_at,
                key.expires_at,
            ),
        )


def revoke(url: str, key_id: str, now: Ms) -> None:
    """End a key; every gateway refuses it within five seconds. Raises KeyUnknown."""
    with psycopg.connect(url) as connection:
        changed = connection.execute(
            "UPDATE gateway.keys SET revoked_at = coalesce(revoked_at, %s),"
            " changed_at = clock_timestamp() WHERE id = %s",
            (now, key_id),
        )
        if changed.rowcount != 1:
            raise KeyUnknown(key_id)


def all_keys(url: str) -> list[Key]:
    """Every key, oldest first."""
    with (
        psycopg.connect(url) as connection,
        connection.cursor(row_factory=kwargs_row(_key)) as rows,
    ):
        rows.execute(f"SELECT {_COLUMNS} FROM gateway.keys ORDER BY created_at, id")  # noqa: S608
        return rows.fetchall()


def now_ms() -> Ms:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def _key(
    *,
    id: str,  # noqa: A002 - the column's name
    sha256: bytes,
    scopes: list[str],
    account: str | None,
    label: str,
    created_at: Ms,
    expires_at: Ms | None,
    revoked_at: Ms | None,
) -> Key:
    return Key(
        id=id,
        sha256=bytes(sha256),
        # a newer version may know more scopes; here they open nothing
        scopes=frozenset(scope for scope in Scope if scope.value in scopes),
        account=account,
        label=label,
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )
