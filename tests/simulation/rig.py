"""What the behaviour suite of the port runs on: one empty partition, and owners that come to it."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from bus.log import Append, PartitionLog, Record
from contracts.units import SECOND, Ms

LONG: Ms = 20 * SECOND  # nobody waits this long when things work
SHORT: Ms = 300


class Port(PartitionLog, Protocol):
    """A port, and the news that its partition was given away."""

    def released(self) -> None: ...


class Rig(Protocol):
    """One partition, whatever it is made of. The topics are empty at first."""

    async def port(self) -> Port:
        """The port of another owner."""

    async def command(self, value: bytes, *, gap_after: bool = False) -> int:
        """A command lands under the key b"a"; where. `gap_after` leaves out the next offset."""

    async def delete_commands_before(self, offset: int) -> None:
        """As retention does."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something meanwhile."""

    async def sleep(self, for_ms: Ms) -> None:
        """Let time pass."""


async def landed(port: PartitionLog, append: Append) -> int:
    while not append.done:
        await port.wait(append, LONG, hungry=False)
    return append.offset()


async def write(port: PartitionLog, *values: bytes) -> int:
    return await landed(port, port.append([(b"a", value) for value in values]))


async def read(port: PartitionLog, start: int, end: int) -> list[Record]:
    return [record async for records in port.events(start, end) for record in records]


async def taken(port: PartitionLog, count: int) -> list[Record]:
    here: list[Record] = []
    while len(here) < count:
        await port.wait(None, LONG, hungry=True)
        here += port.take(100)
    return here


Case = Callable[[Rig], Coroutine[Any, Any, None]]
