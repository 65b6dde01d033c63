"""Fresh, empty databases on the session's PostgreSQL."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from engine.local import Engine


@contextmanager
def database_of(engine: Engine) -> Iterator[str]:
    """The address of one that is gone afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(engine.postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield urlunsplit(urlsplit(engine.postgres_url)._replace(path=f"/{name}"))
    with psycopg.connect(engine.postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
