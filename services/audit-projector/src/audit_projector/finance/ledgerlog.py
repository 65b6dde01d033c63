"""The whole log of events from offset 0, once, in bounded batches, with progress on stderr."""

import sys
from collections.abc import AsyncIterator, Mapping
from time import monotonic

from bus.reader import Position
from contracts.units import Ms

from audit_projector.intake import Intake, Taken

BATCH_RECORDS_MAX = 10_000
QUIET_S = 2.0  # whoever waits longer is told how long it will take
_WAIT_MS = 500
STALLED_S = 30.0  # the broker owes records and sends none


class LogStalled(TimeoutError):
    """Kafka has records that it does not send: look at the broker, then run this again."""


async def records(
    intake: Intake, ends: Mapping[int, int], label: str
) -> AsyncIterator[list[Taken]]:
    """The records before `ends`, in order within each partition. The intake is started."""
    total = sum(ends.values()) - sum(reader.offset for reader in intake.readers.values())
    seen, began, told, heard = 0, monotonic(), monotonic(), monotonic()
    while any(intake.readers[number].offset < end for number, end in ends.items()):
        taken = await intake.next(_WAIT_MS, BATCH_RECORDS_MAX)
        now = monotonic()
        if taken:
            heard = now
        elif now - heard > STALLED_S:
            raise LogStalled("Kafka sends nothing although the log goes on")
        seen += len(taken)
        if seen and now - told > QUIET_S:
            told = now
            left = (now - began) / seen * max(0, total - seen)
            print(f"{label}: {seen:,} of {total:,} records, {left:.0f} s left", file=sys.stderr)
        yield [record for record in taken if record.offset < ends[record.partition]]


async def from_zero(
    bootstrap: str, partitions: int, prefix: str, only: int | None = None
) -> Intake:
    """A started intake at offset 0 of every partition, or of only one."""
    wanted = range(partitions) if only is None else (only,)
    intake = Intake(bootstrap, {number: Position() for number in wanted}, prefix)
    await intake.start()
    return intake


def before(taken: list[Taken], as_of: Ms | None, closed: set[int]) -> list[Taken]:
    """The records that were written up to `as_of`; behind the first later one nothing counts."""
    if as_of is None:
        return taken
    kept = []
    for record in taken:
        if record.timestamp > as_of:
            closed.add(record.partition)
        if record.partition not in closed:
            kept.append(record)
    return kept
