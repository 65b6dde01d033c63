"""Why an account shows a number: the fewest events, in their order, that sum up to it.

Events that cancel out are left out: a reservation that ended and moved nothing of this number.
"""

import msgspec
from bus.partition import partition_of
from contracts.events import AnyEvent, PartitionClaimed
from contracts.units import Credits

from audit_projector.finance.amounts import moves
from audit_projector.finance.ledgerlog import from_zero, records
from audit_projector.intake import Taken, partitions
from audit_projector.line import rfc3339

PARTS = ("available", "held", "spent")


class UnknownAccount(LookupError):
    """No event ever named this account."""


class Step(msgspec.Struct, rename="camel"):
    """An event and what it did to the number."""

    partition: int
    offset: int
    version: int
    at: str
    type: str
    command: str
    about: str
    change: Credits
    total: Credits = 0


class Explained(msgspec.Struct, rename="camel"):
    """The number, what the newest event says of it, and the steps that make it."""

    account: str
    part: str
    value: Credits
    stated: Credits
    events: int
    steps: list[Step]


async def explain(bootstrap: str, prefix: str, account: str, part: str) -> Explained:
    """Read the account's partition from offset 0; raises UnknownAccount."""
    count = await partitions(bootstrap, prefix)
    intake = await from_zero(bootstrap, count, prefix, partition_of(account, count))
    found: list[tuple[Step, str]] = []
    events, newest = 0, None
    try:
        async for taken in records(intake, await intake.ends(), "explain"):
            for record in taken:
                event = record.event
                if isinstance(event, PartitionClaimed) or not record.counts:
                    continue
                if event.account != account:
                    continue
                events, newest = events + 1, event
                if (step := _step(record, event, part)) is not None:
                    found.append((step, _group(event) or f"{record.partition}/{record.offset}"))
    finally:
        await intake.stop()
    if newest is None:
        raise UnknownAccount(f"no event names the account {account!r}")
    steps = fewest(found)
    stated = 0 if newest.balance is None else getattr(newest.balance, part)
    return Explained(account, part, steps[-1].total if steps else 0, stated, events, steps)


def fewest(found: list[tuple[Step, str]]) -> list[Step]:
    """Without the groups that sum up to nothing; with running totals."""
    sums: dict[str, Credits] = {}
    for step, group in found:
        sums[group] = sums.get(group, 0) + step.change
    total, steps = 0, []
    for step, group in found:
        if sums[group]:
            total += step.change
            step.total = total
            steps.append(step)
    return steps


def told(explained: Explained) -> str:
    """For people: a line per step, the sum last."""
    rows = [
        f"{step.at}  v{step.version:<6} {step.type:<20} {step.change:>+16} {step.total:>16}"
        f"  {step.about}"
        for step in explained.steps
    ]
    agrees = (
        "as the ledger says"
        if explained.value == explained.stated
        else (f"but the ledger says {explained.stated}")
    )
    rows.append(
        f"{explained.account}: {explained.part} {explained.value} = the sum of"
        f" {len(explained.steps)} of {explained.events} events, {agrees}"
    )
    return "\n".join(rows)


def _step(record: Taken, event: AnyEvent, part: str) -> Step | None:
    move = moves(event)
    change = 0 if move is None else getattr(move, part)
    if not change:
        return None
    return Step(
        partition=record.partition,
        offset=record.offset,
        version=event.version,
        at=rfc3339(event.at).decode(),
        type=type(event).__name__,
        command="" if event.command is None else event.command.id,
        about=_group(event),
        change=change,
    )


def _group(event: AnyEvent) -> str:
    """What an event belongs to: events of one reservation, or of one grant, can cancel out."""
    for name in ("reservation", "grant", "transfer"):
        if value := getattr(event, name, None):
            return f"{name} {value}"
    return ""
