"""The schema of the read models, and that it is the one this version writes."""

from typing import Final

import psycopg
from psycopg import sql

SCHEMA: Final = "read"  # published: contracts/read-models.sql
NEWEST: Final = "0006"  # the newest of migrations/versions


class NotMigrated(RuntimeError):
    """The database is not at this version's schema: run `scrip audit-projector migrate`."""


def require_migrated(url: str, schema: str = SCHEMA) -> None:
    """Raise NotMigrated unless the schema is at this version's newest form."""
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute(
                sql.SQL("SELECT version_num FROM {}.alembic_version").format(sql.Identifier(schema))
            ).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            row = None
    found = row[0] if row else "nothing"
    if found != NEWEST:
        raise NotMigrated(
            f"schema {schema!r} is at {found}, this version needs {NEWEST}:"
            " run `scrip audit-projector migrate`"
        )
