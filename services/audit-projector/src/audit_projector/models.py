"""The read models' one writer: a batch and the reader's position in one transaction, or neither.

Killed at any moment, the stored position says exactly which records are in. The log is the truth,
so a commit need not wait for the disk (`synchronous_commit = off`): a database that loses its last
transactions loses rows and position together, and they are projected again.
"""

from typing import Self

import psycopg
import psycopg.rows
from bus.reader import Position

from audit_projector import statements as sql
from audit_projector.fold import Batch
from audit_projector.packed import packed
from audit_projector.schema import SCHEMA
from audit_projector.wire import copied

ROLE = "scrip_projector"


class Superseded(RuntimeError):
    """Another projector or a rebuild moved the read models on: begin again where they are."""


class ModelsDiverged(RuntimeError):
    """An event changes what the read models do not have: rebuild them from offset 0."""


class Models:
    """An open connection that writes. Acts as the role `scrip_projector` whoever connects."""

    def __init__(self, connection: psycopg.Connection[psycopg.rows.TupleRow], schema: str) -> None:
        self._connection = connection
        self._read = f'"{schema}"'

    @classmethod
    def connect(cls, url: str, schema: str = SCHEMA) -> Self:
        """Connect and prepare the session."""
        connection = psycopg.connect(url, autocommit=True)
        models = cls(connection, schema)
        try:
            connection.execute(f"SET ROLE {ROLE}")
            connection.execute(sql.SESSION.format(synchronous_commit="off").encode())
            connection.execute(models._in_schema(sql.STAGING))
        except BaseException:
            connection.close()
            raise
        return models

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
        self._connection.close()

    def positions(self, partitions: int) -> dict[int, Position]:
        """Where the read models stand, for every partition."""
        self._connection.execute(self._in_schema(sql.REGISTER), (partitions,))
        cursor = self._connection.execute(self._in_schema(sql.POSITIONS))
        return {
            partition: Position(offset, token, seq, commands_from)
            for partition, offset, token, seq, commands_from, *_ in cursor.fetchall()
        }

    def write(self, batch: Batch) -> None:
        """Apply a batch, exactly once: raises Superseded if it does not begin where we stand."""
        steps = packed(batch)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            self._advance(cursor, batch)
            for step, rows in steps:
                with cursor.copy(self._in_schema(step.copy)) as copy:
                    copy.write(copied(rows))
                if step.apply:
                    cursor.execute(self._in_schema(step.apply))
                if step.exact and cursor.rowcount != len(rows):
                    raise ModelsDiverged(
                        f"{len(rows) - cursor.rowcount} rows to change are not there: run"
                        " `scrip audit-projector rebuild`"
                    )

    def _advance(self, cursor: psycopg.Cursor[psycopg.rows.TupleRow], batch: Batch) -> None:
        columns: list[list[object]] = [[], [], [], [], [], [], [], []]
        for partition, (position, at_ms, skipped) in batch.progress.items():
            values = (
                partition,
                batch.before[partition].offset,
                position.offset,
                position.token,
                position.seq,
                position.commands_from,
                at_ms,
                skipped,
            )
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        cursor.execute(self._in_schema(sql.ADVANCE), columns)
        if cursor.rowcount != len(batch.progress):
            raise Superseded("the read models are not where this projector left them")

    def _in_schema(self, statement: str) -> bytes:
        return statement.format(read=self._read).encode()
