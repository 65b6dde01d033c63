"""The narrow port through which a partition's owner reaches Kafka.

Two implementations live by one behaviour suite: `bus.kafka_log` (aiokafka) and the simulator of
the tests.

The owner is one coroutine. It starts an append and goes on; `wait` is where it rests until
commands came, the append is over, or time has passed.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeAlias

from contracts.units import Ms
from msgspec import Struct

KeyValue: TypeAlias = tuple[bytes, bytes]


class Record(Struct, frozen=True, gc=False):
    """A record as the broker holds it; `timestamp` is the broker's, ms."""

    offset: int
    timestamp: Ms
    key: bytes
    value: bytes


class LogError(RuntimeError):
    """This owner may not go on: drop the producer and the state, join anew.

    Fenced, timed out, connection lost, landed elsewhere, outcome unknown: to an owner they are one.
    """


class Append(Protocol):
    """A batch on its way."""

    @property
    def done(self) -> bool:
        """Whether its outcome is known."""

    def offset(self) -> int:
        """Where the batch landed; raises LogError for any other outcome."""


class PartitionLog(Protocol):
    """One partition of `ledger.commands`, `ledger.events` and `ledger.snapshots`, for its owner.

    Snapshots are written under the same fence: from our first record there on, the broker refuses
    what an earlier owner still sends.
    """

    async def fence(self) -> None:
        """Raise the fence: from our next record on, the broker refuses every earlier owner's."""

    async def end(self) -> int:
        """The offset behind the last event that is safely in the log."""

    def events(self, start: int, end: int) -> AsyncIterator[Sequence[Record]]:
        """The records of `ledger.events` in [start, end), waiting until `end` is reached."""

    def append(self, records: Sequence[KeyValue]) -> Append:
        """Start one record batch of events, all or nothing; at most one at a time."""

    def snapshot(self, records: Sequence[KeyValue]) -> Append:
        """Start one record batch of snapshots; at most one at a time, beside one of events."""

    async def keeps_snapshots(self) -> bool:
        """Whether there is a topic to write them to."""

    def snapshots(self, end: int) -> AsyncIterator[Sequence[Record]]:
        """What is left of `ledger.snapshots` before `end`: of each key at least the newest."""

    async def command_at(self, offset: int) -> Record | None:
        """The command at exactly this offset; None when there is none (any more)."""

    async def first_command(self) -> int:
        """The offset of the oldest command that is still kept."""

    async def commands_from(self, offset: int) -> None:
        """Deliver commands from here on."""

    def take(self, most: int) -> Sequence[Record]:
        """The commands that are here now, at most so many, in order, each once."""

    async def wait(self, append: Append | None, timeout_ms: Ms, *, hungry: bool) -> None:
        """Rest until commands are here (if `hungry`), the append is done, or the time is over."""

    def emit(self, account: str, command: bytes) -> None:
        """Send a follow-up command; it may be lost: what is open is sent again."""

    def now(self) -> Ms:
        """This machine's clock: for patience only, no rule ever sees it."""

    def token(self) -> str:
        """A fresh claim token, never used before."""

    def mine(self) -> bool:
        """Whether the partition is still assigned to this owner."""
