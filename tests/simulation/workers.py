"""The workers of a world, and what their owners and gateways are made of."""

from collections.abc import Callable
from typing import Any

from contracts.catalogue import Catalogue
from contracts.units import Ms
from ledger.owner import Owner
from ledger.partition import Partition
from msgspec import Struct

from tests.simulation.gateway import SimGateway
from tests.simulation.port import SimLog


class Kit(Struct, frozen=True):
    """What a world is built from: the real parts, or a mutant's."""

    owner: type[Owner] = Owner
    partition: Callable[[int, Catalogue], Partition] | None = None
    gateway: type[SimGateway] = SimGateway
    log: type[SimLog] = SimLog
    rejoins: bool = True


class Worker:
    """One process of the ledger."""

    __slots__ = ("number", "paused_until", "prices", "rejoins_at", "skew")

    def __init__(self, number: int, prices: Catalogue) -> None:
        self.number = number
        self.prices = prices
        self.skew: Ms = 0
        self.paused_until: Ms = 0
        self.rejoins_at: Ms = 0


class Slot:
    """A worker's place for one partition: empty, or an owner that runs."""

    __slots__ = ("log", "owner", "partition", "rest", "run", "standing_by", "told", "worker")

    def __init__(self, worker: Worker, partition: int) -> None:
        self.worker = worker
        self.partition = partition
        self.run: Any = None
        self.rest: Any = None
        self.log: SimLog | None = None
        self.owner: Owner | None = None
        self.told = False
        self.standing_by = -1  # mutants only: the assignment after which it waits to be called


def seen(owner: Owner) -> dict[str, int]:
    """What an owner that ends here did with snapshots and checkpoints."""
    partition = owner.partition
    return {
        "snapshots taken": owner.snapshots.taken,
        "restored": int(partition.restored_from > 0),
        "checkpoints": partition.checkpoints.taken,
        "checkpoints compared": partition.checkpoints.compared,
    }


def failure(why: str) -> str:
    """What kind of error an owner met."""
    for kind in ("fenced", "landed", "timed out", "out of order", "newer", "given to", "read fail"):
        if kind in why:
            return kind
    return why
