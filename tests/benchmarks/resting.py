"""What an account costs that nobody touches: one grant and one settled reservation in its past.

    python -m tests.benchmarks.resting [--accounts 100000]

A real partition decides every command. `bytes_per_idle_account` is the growth of this process's
resident memory, all accounts at rest, over their number: ids, table slots and what the allocator
cannot give back included. The times at which holds end are taken off the list first, as they are
within 15 minutes; the growth with them is told beside it, and the encoded bytes alone. One JSON
line.
"""

import argparse
import ctypes
import gc
import json
import os
import sys

from bus.log import Record
from contracts.catalogue import served
from contracts.commands import Actor, ActorKind, AnyCommand, Charge, Grant, GrantKind, Reserve
from contracts.events import PartitionClaimed
from ledger.accounts import Accounts
from ledger.dues import Dues
from ledger.partition import Partition

from contracts import codec
from tests.benchmarks.cpu import resident_bytes

T0 = 1_760_000_000_000  # any time of today
SPACING_MS = 2  # between two commands
_SERVICE = Actor(ActorKind.SERVICE, "bench-0123456789")
TOKEN = "rest-claim-token-01"


def commands(account: str, name: str) -> list[AnyCommand]:
    """The whole life of an idle account."""
    return [
        Grant(
            id=f"g{name}",
            account=account,
            actor=_SERVICE,
            amount=1_000,
            kind=GrantKind.PLAN,
            source=f"plan-2026-01-{name}",
        ),
        Reserve(id=f"r{name}", account=account, actor=_SERVICE, amount=100),
        Charge(id=f"c{name}", account=account, actor=_SERVICE, reservation=f"r{name}", amount=70),
    ]


def filled(count: int) -> Partition:
    """A partition with so many accounts, all but the last two at rest."""
    partition = Partition(0, 1, served("test"))
    partition.accounts = Accounts(young_max=1)
    claim = PartitionClaimed(v=1, owner=TOKEN, at=0, seq=0, commands_from=0, partitions=1)
    partition.replay([Record(0, T0, b"", codec.encode(claim))])
    partition.start_deciding()
    offset = 0
    for number in range(count):
        account, name = f"acct-{number:012x}", f"{number * 2654435761 % 2**64:016x}"
        for command in commands(account, name):
            raw = codec.encode(command)
            partition.decide(Record(offset, T0 + offset * SPACING_MS, account.encode(), raw))
            offset += 1
    return partition


def settled() -> int:
    """Resident bytes after everything that can be given back was."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return resident_bytes(os.getpid())


def measure(count: int) -> dict[str, object]:
    filled(100)  # what is built once is built now
    before = settled()
    partition = filled(count)
    answered = {kind: n for (kind, _), n in partition.outcomes.items()}
    wanted = dict.fromkeys(("CreditsGranted", "CreditsReserved", "CreditsCharged"), count)
    assert answered == wanted, f"not what was asked for: {answered}"
    fresh = settled() - before
    partition.dues = Dues()
    whole = settled() - before
    at_rest = sum(sys.getsizeof(body) for body in partition.accounts._rest.bodies())
    return {
        "bytes_per_idle_account": round(whole / count, 1),
        "idle_account_with_holds_listed_bytes": round(fresh / count, 1),
        "idle_account_encoded_bytes": round(at_rest / count, 1),
        "idle_accounts": count,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=100_000)
    print(json.dumps(measure(parser.parse_args().accounts)))


if __name__ == "__main__":
    main()
