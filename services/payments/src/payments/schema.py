"""Payments' tables, made as the owner of the database; the event store makes its own."""

from importlib.resources import files

import psycopg

_LOCK = 0x5C_21_90_03  # one process at a time makes the tables


def ensure(url: str) -> None:
    """Make what is missing; safe to repeat."""
    sql = files("payments").joinpath("schema.sql").read_bytes()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(sql)
