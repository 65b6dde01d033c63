"""The schema of the read models: migrated to its newest form, or refused with what to do.

Migrations may run twice and at once: a lock of the database makes them wait for each other.
"""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

SCHEMA = "read"  # published: contracts/read-models.sql
_LOCK = 0x5C21_9001  # an arbitrary number, the same in every process that migrates


class NotMigrated(RuntimeError):
    """The database is not at this version's schema: run `scrip audit-projector migrate`."""


def migrate(url: str, schema: str = SCHEMA) -> None:
    """Bring `schema` to the newest form; what is there already stays."""
    engine = create_engine(_sqlalchemy_url(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config = _config()
            config.attributes["connection"] = connection
            config.attributes["schema"] = schema
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def require_migrated(url: str, schema: str = SCHEMA) -> None:
    """Raise NotMigrated unless the schema is at this version's newest form."""
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute(
                f'SELECT version_num FROM "{schema}".alembic_version'.encode()
            ).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            row = None
    found = row[0] if row else "nothing"
    if found != wanted:
        raise NotMigrated(
            f"schema {schema!r} is at {found}, this version needs {wanted}:"
            " run `scrip audit-projector migrate`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _sqlalchemy_url(url: str) -> str:
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"
