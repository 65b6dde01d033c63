"""Rebuild: the read models made anew from offset 0 beside the old ones, then swapped in at once.

Readers see the old ones until the swap and the new ones after it, never a mixture. A projector
that runs meanwhile notices that its position moved and goes on from the new one.
"""

import asyncio

import psycopg
from psycopg import sql

from audit_projector.metrics import Metrics
from audit_projector.migrating import migrate
from audit_projector.project import project
from audit_projector.schema import SCHEMA
from audit_projector.settings import Settings

SHADOW = "read_rebuild"
OLD = "read_replaced"
_LOCK = 0x5C21_9006  # one rebuild at a time
_LOCK_TIMEOUT = "10s"  # readers that hold the old tables for longer make the swap give up


class RebuildRuns(RuntimeError):
    """Another rebuild is under way: wait for it."""


def rebuild(settings: Settings) -> str:
    """Do it; returns what there is now. Raises RebuildRuns, Halted."""
    url = settings.postgres_url
    with psycopg.connect(url, autocommit=True) as lock:
        row = lock.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            raise RebuildRuns("another rebuild is under way: wait for it")
        lock.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SHADOW)))
        migrate(url, SHADOW)
        asyncio.run(
            project(
                settings.bootstrap, url, settings.prefix, Metrics(), schema=SHADOW, until_end=True
            )
        )
        events = _swap(url)
    return f"read models rebuilt: {events} entries"


def _swap(url: str) -> int:
    shown, shadow, old = (sql.Identifier(name) for name in (SCHEMA, SHADOW, OLD))
    rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
        # A projector's batch is either in the old tables or fails: both lock its position's row.
        connection.execute(sql.SQL("LOCK TABLE {}.progress IN ACCESS EXCLUSIVE MODE").format(shown))
        connection.execute(drop.format(old))
        connection.execute(rename.format(shown, old))
        connection.execute(rename.format(shadow, shown))
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM {}.entries").format(shown)
        ).fetchone()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(drop.format(old))
    return 0 if row is None else int(row[0])
