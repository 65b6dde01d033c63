"""A gateway of the simulation: the real reader, started fresh or kept, and the callers it tells."""

from collections.abc import Callable

from bus.reader import Reader
from contracts.events import AnyEvent, PartitionClaimed

from tests.simulation.broker import SimPartition

READ_AT_ONCE = 5  # records of one poll, at most: small, so that readers differ in how far they are

Tell = Callable[[int, int, AnyEvent], None]


class SimGateway:
    """Reads all partitions; `tell` gets (partition, offset, event) of every answer that counts."""

    def __init__(self, parts: list[SimPartition], saw: Callable[[int, int, bool], None]) -> None:
        self.parts = parts
        self.saw = saw
        self.readers: list[Reader] = []
        self.waiting: set[tuple[str, str]] = set()
        self.restart()

    def restart(self) -> None:
        """Nothing remembered: each partition from its newest exact claim."""
        self.waiting.clear()
        self.readers = [self.fresh(part) for part in self.parts]

    def fresh(self, part: SimPartition) -> Reader:
        for offset in range(part.high - 1, -1, -1):
            claim = part.event(offset)
            if type(claim) is PartitionClaimed and claim.at == offset:
                return Reader.from_claim(offset, claim)
        return Reader()

    def counts(self, reader: Reader, offset: int, event: object) -> bool:
        """The reader rule; a place for mutants."""
        return reader.counts(offset, event)  # type: ignore[arg-type]

    def tells(self, *, counts: bool) -> bool:
        """Callers are told of what counts; a place for mutants."""
        return counts

    def read(self, partition: int, most: int, tell: Tell) -> None:
        """The next records."""
        part, reader = self.parts[partition], self.readers[partition]
        for offset in range(reader.offset, min(part.high, reader.offset + most)):
            event = part.event(offset)
            counts = self.counts(reader, offset, event)
            if isinstance(event, PartitionClaimed):
                continue
            self.saw(partition, offset, counts)
            ref = event.command
            if not self.tells(counts=counts) or not event.answer or ref is None:
                continue
            if (event.account, ref.id) in self.waiting:
                self.waiting.discard((event.account, ref.id))
                tell(partition, offset, event)
