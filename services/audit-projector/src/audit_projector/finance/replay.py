"""Balances at any time, from the events alone: the same answer for ever once that time is past."""

import hashlib

import msgspec
from contracts.events import PartitionClaimed
from contracts.units import Ms

from audit_projector.finance.amounts import Amounts, moves
from audit_projector.finance.ledgerlog import before, from_zero, records
from audit_projector.intake import partitions


class Replayed(msgspec.Struct, rename="camel"):
    """What the accounts had, how many events say so, and the hash of the answer."""

    as_of: str | None
    events: int
    totals: Amounts
    accounts: dict[str, Amounts]
    sha256: str


async def replay(bootstrap: str, prefix: str, as_of: Ms | None, said: str | None) -> Replayed:
    """Fold every event up to `as_of` (its broker's timestamp); `said` is how it was asked for."""
    intake = await from_zero(bootstrap, await partitions(bootstrap, prefix), prefix)
    accounts: dict[str, Amounts] = {}
    events, closed = 0, set[int]()
    try:
        ends = await intake.ends()
        async for taken in records(intake, ends, "replay"):
            for record in before(taken, as_of, closed):
                event = record.event
                if not record.counts or isinstance(event, PartitionClaimed):
                    continue
                events += 1
                if (move := moves(event)) is not None:
                    accounts.setdefault(event.account, Amounts()).add(move)
            if len(closed) == len(ends):
                break
    finally:
        await intake.stop()
    return summed(said, events, accounts)


def summed(as_of: str | None, events: int, accounts: dict[str, Amounts]) -> Replayed:
    """Order, total and hash: equal amounts of equal accounts always have the same hash."""
    totals, digest, ordered = Amounts(), hashlib.sha256(), {}
    for account in sorted(accounts):
        amounts = ordered[account] = accounts[account]
        totals.add(amounts)
        digest.update(msgspec.json.encode([account, *msgspec.structs.astuple(amounts)]) + b"\n")
    return Replayed(as_of, events, totals, ordered, digest.hexdigest())


def table(replayed: Replayed) -> str:
    """For people: one line per account, the totals, the hash last."""
    names = Amounts.__struct_fields__
    width = max((len(account) for account in replayed.accounts), default=7)
    rows = [f"{'account':<{width}}" + "".join(f"{name:>16}" for name in names)]
    for account, amounts in (*replayed.accounts.items(), ("TOTAL", replayed.totals)):
        numbers = "".join(f"{value:>16}" for value in msgspec.structs.astuple(amounts))
        rows.append(f"{account:<{width}}{numbers}")
    when = replayed.as_of or "now"
    rows.append(
        f"{len(replayed.accounts)} accounts, {replayed.events} events, as of {when},"
        f" difference {replayed.totals.difference}, sha256 {replayed.sha256}"
    )
    return "\n".join(rows)
