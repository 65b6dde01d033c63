"""The reader rule: which events count. One rule for owner, gateway, projector, finance, verifier.

An event counts only if it names the newest claim's token **and** its `seq` is the last counted
one + 1. Everything else is skipped and counted in `skipped`, which must stay 0. A claim tells the
truth only if it is exact, that is, landed at the offset it names.
"""

from contracts.events import AnyRecord, PartitionClaimed
from msgspec import Struct


class LogDivergedError(RuntimeError):
    """An exact claim contradicts what was read: this reader missed events or the log was cut."""


class Position(Struct, frozen=True):
    """What a reader keeps with its results, to go on exactly where it stopped.

    `offset` is the next record to read, `commands_from` the next command that is not decided yet.
    """

    offset: int = 0
    token: str = ""
    seq: int = 0
    commands_from: int = 0


class Reader:
    """One partition's reader state. Feed it every record in order with its offset."""

    __slots__ = ("commands_from", "offset", "seq", "skipped", "token")

    def __init__(self, start: Position | None = None) -> None:
        start = start or Position()
        self.offset = start.offset
        self.token = start.token
        self.seq = start.seq
        self.commands_from = start.commands_from
        self.skipped = 0

    @property
    def position(self) -> Position:
        """Where this reader stands now."""
        return Position(self.offset, self.token, self.seq, self.commands_from)

    def counts(self, offset: int, event: AnyRecord) -> bool:
        """Take the record at `offset`; true for an event that counts, false for anything else."""
        self.offset = offset + 1
        if isinstance(event, PartitionClaimed):
            self._claimed(offset, event)
            return False
        if event.owner != self.token or event.seq != self.seq + 1:
            self.skipped += 1
            return False
        self.seq += 1
        if event.command is not None and event.command.offset >= self.commands_from:
            self.commands_from = event.command.offset + 1
        return True

    def _claimed(self, offset: int, claim: PartitionClaimed) -> None:
        self.token = claim.owner
        if claim.at != offset:
            return
        if claim.seq != self.seq:
            raise LogDivergedError(
                f"the claim at {offset} counts {claim.seq} events, this reader counted {self.seq}:"
                " rebuild from offset 0"
            )
        self.commands_from = claim.commands_from

    @classmethod
    def from_claim(cls, offset: int, claim: PartitionClaimed) -> "Reader":
        """A fresh reader that starts at an exact claim."""
        if claim.at != offset:
            raise ValueError("a reader starts at an exact claim only")
        return cls(Position(offset + 1, claim.owner, claim.seq, claim.commands_from))
