"""`scrip verify`: the events against themselves, the read models and the compliance log.

It takes the ends of the log, waits until both projections are there, and then compares at exactly
the positions of one snapshot of the database: traffic that goes on changes nothing.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from time import monotonic
from typing import Any

import msgspec
import psycopg
from contracts.events import PartitionClaimed
from contracts.topics import EVENTS

from audit_projector.finance import tables
from audit_projector.finance.comparing import Check
from audit_projector.finance.expected import Expected
from audit_projector.finance.ledgerlog import from_zero, records
from audit_projector.finance.logcheck import ChainCheck
from audit_projector.fold import storable
from audit_projector.intake import Taken
from audit_projector.schema import require_migrated
from audit_projector.settings import Settings
from audit_projector.standing import ends, folder_of, logged, progress_query

_LOOK_AGAIN_S = 0.1


class Behind(TimeoutError):
    """The read models did not reach the log's end in time: is the audit-projector running?"""


class Verified(msgspec.Struct, rename="camel"):
    """All checks, and a hash of what they compared."""

    positions: dict[int, int]
    checks: list[Check]
    sha256: str

    @property
    def differences(self) -> int:
        """0 when everything agrees."""
        return sum(check.differences for check in self.checks)


async def verify(settings: Settings, wait_s: float) -> Verified:
    """Compare everything; raises Behind when the read models do not come along."""
    require_migrated(settings.postgres_url)
    marks = await ends(settings.bootstrap, settings.prefix)
    await _caught_up(settings, marks, wait_s)
    with psycopg.connect(settings.postgres_url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        stands = _progress(connection)
        expected, found = await _read(settings, marks, stands)
        compared = tables.checks(connection, expected)
        all_checks = [*found, *tables.invariants(expected), *compared]
    printed = hashlib.sha256(
        msgspec.json.encode(
            [stands, sorted((n, a.version, a.stated) for n, a in expected.accounts.items())],
        )
    )
    return Verified(stands, all_checks, printed.hexdigest())


def told(verified: Verified) -> str:
    """For people: a line per check, the verdict last."""
    verdict = (
        "verify: ok" if not verified.differences else f"verify: {verified.differences} differences"
    )
    compared = sum(check.compared for check in verified.checks)
    summary = (
        f"{verdict}, {len(verified.checks)} checks, {compared} compared, sha256 {verified.sha256}"
    )
    return "\n".join((*(check.line for check in verified.checks), summary))


async def _caught_up(settings: Settings, marks: Mapping[int, int], wait_s: float) -> None:
    """Both projections are behind the marks; the compliance log only if it comes in time."""
    began = monotonic()
    with psycopg.connect(settings.postgres_url, autocommit=True) as connection:
        while True:
            stands = _progress(connection)
            models = sum(max(0, end - stands.get(number, 0)) for number, end in marks.items())
            lines = sum(
                max(0, end - logged(folder_of(settings.audit_folder, number)))
                for number, end in marks.items()
            )
            if not models and not lines:
                return
            if monotonic() - began > wait_s:
                if models:
                    raise Behind(
                        f"after {wait_s:g} s the read models are {models} records behind the log:"
                        " is the audit-projector running?"
                    )
                return
            await asyncio.sleep(_LOOK_AGAIN_S)


def _progress(connection: psycopg.Connection[Any]) -> dict[int, int]:
    return {row[0]: row[1] for row in connection.execute(progress_query()).fetchall()}


async def _read(
    settings: Settings, marks: Mapping[int, int], stands: Mapping[int, int]
) -> tuple[Expected, list[Check]]:
    """Fold the events up to where the snapshot stands, and compare the lines beside them."""
    expected = Expected()
    sense = Check("events refer to what is there")
    chain = Check("compliance log, line by line with its hash")
    skipped = Check("records that count", note="what does not count is skipped and changes nothing")
    topic = settings.prefix + EVENTS.name
    chains = {
        number: ChainCheck(folder_of(settings.audit_folder, number), topic, number, chain)
        for number in marks
    }
    intake = await from_zero(settings.bootstrap, len(marks), settings.prefix)
    try:
        async for taken in records(intake, stands, "verify"):
            for record in taken:
                required = record.offset < marks[record.partition]
                chains[record.partition].take(record, required=required)
                skipped.compared += 1
                _take(expected, record, sense)
        whole = await intake.ends() == dict(stands)
    finally:
        await intake.stop()
    for one in chains.values():
        one.end(whole=whole)
    gone = sum(intake.skips.values())
    skipped.note = f"{gone} skipped"
    return expected, [skipped, sense, chain]


def _take(expected: Expected, record: Taken, sense: Check) -> None:
    event = record.event
    if not record.counts or isinstance(event, PartitionClaimed):
        return
    if b"\\u0000" in record.raw:
        event = storable(record.raw)
    sense.compared += 1
    try:
        expected.take(event)
    except KeyError as missing:
        sense.differ(
            f"{type(event).__name__} at {record.partition}/{record.offset}"
            f" names {missing}, which no event made"
        )
