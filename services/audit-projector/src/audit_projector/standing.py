"""Where the read models and the compliance log stand against the log of events."""

from pathlib import Path

import msgspec
import psycopg
from bus.reader import Position
from contracts.topics import EVENTS
from msgspec import Struct

from audit_projector import statements as sql
from audit_projector.intake import Intake, partitions
from audit_projector.line import Line
from audit_projector.schema import SCHEMA, require_migrated
from audit_projector.settings import Settings

_line = msgspec.json.Decoder(Line).decode
_LINE_BYTES_MAX = 4 << 20  # a record is at most a batch of 1 MiB; escaping may double it twice


class Standing(Struct, rename="camel"):
    """One partition: the end of the log, and the next offset that each projection will apply."""

    partition: int
    end: int
    read_models: int
    audit_log: int
    skipped: int


async def ends(bootstrap: str, prefix: str) -> dict[int, int]:
    """The end of each partition's log, now."""
    count = await partitions(bootstrap, prefix)
    intake = Intake(bootstrap, {number: Position() for number in range(count)}, prefix)
    await intake.start()
    try:
        return await intake.ends()
    finally:
        await intake.stop()


async def standing(settings: Settings) -> list[Standing]:
    """All partitions; raises NotMigrated, KafkaError, psycopg.OperationalError."""
    require_migrated(settings.postgres_url)
    found = await ends(settings.bootstrap, settings.prefix)
    with psycopg.connect(settings.postgres_url) as connection:
        stored = {row[0]: row for row in connection.execute(progress_query()).fetchall()}
    nothing = (0,) * 7
    return [
        Standing(
            partition=number,
            end=end,
            read_models=stored.get(number, nothing)[1],
            audit_log=logged(folder_of(settings.audit_folder, number)),
            skipped=stored.get(number, nothing)[6],
        )
        for number, end in sorted(found.items())
    ]


def progress_query() -> bytes:
    """Read all positions of the read models."""
    return sql.POSITIONS.format(read=f'"{SCHEMA}"').encode()


def folder_of(audit_folder: Path, partition: int) -> Path:
    """Where a partition's chain lies."""
    return audit_folder / f"{partition:03d}"


def logged(folder: Path) -> int:
    """The offset behind the last whole line of a chain; 0 when there is none."""
    for file in sorted(folder.glob("*.jsonl"), reverse=True):
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - _LINE_BYTES_MAX))
            whole, newline, _ = opened.read().rpartition(b"\n")
        if newline:
            try:
                return _line(whole[whole.rfind(b"\n") + 1 :]).offset + 1
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
                return 0
    return 0


def shown(found: list[Standing], *, as_json: bool) -> str:
    """For programs or for people."""
    if as_json:
        return msgspec.json.encode(found).decode()
    return "\n".join(
        f"{EVENTS.name}/{one.partition}: log {one.end}, read models {one.read_models}"
        f" ({one.end - one.read_models} behind), compliance log {one.audit_log}"
        f" ({one.end - one.audit_log} behind), skipped {one.skipped}"
        for one in found
    )
