"""Readers, gateways, couriers and memories that leave out a step."""

from typing import Any

import msgspec
from bus.reader import Reader
from contracts.events import AnswerRepeated, PartitionClaimed
from ledger.courier import Courier
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve, remember_answer
from ledger.dues import Dues
from ledger.owner import Owner
from ledger.partition import Partition

from contracts import codec
from tests.simulation.broker import SimPartition
from tests.simulation.gateway import SimGateway
from tests.simulation.workers import Kit
from tests.simulation.world import PARTITIONS

# ---- 5: the reader rule


class Believing(Reader):
    """Believes what any claim says."""

    def _claimed(self, offset: int, claim: PartitionClaimed) -> None:
        self.token = claim.owner
        self.commands_from = claim.commands_from


class TokenOnly(Reader):
    def counts(self, offset: int, event: Any) -> bool:
        if not isinstance(event, PartitionClaimed) and event.owner == self.token:
            self.seq = event.seq - 1
        return super().counts(offset, event)


class SeqOnly(Reader):
    def counts(self, offset: int, event: Any) -> bool:
        if not isinstance(event, PartitionClaimed):
            self.token = event.owner
        return super().counts(offset, event)


def with_reader(reader: type[Reader]) -> Kit:
    """Owner and gateway with another reader."""

    class Gateway(SimGateway):
        def fresh(self, part: SimPartition) -> Reader:
            return reader(super().fresh(part).position)

    def partition(number: int, prices: Any) -> Partition:
        made = Partition(number, PARTITIONS, prices)
        made.reader = reader()
        return made

    return Kit(partition=partition, gateway=Gateway)


class FirstSeqTaken(SimGateway):
    """A fresh reader takes its `seq` from the first event that it sees."""

    def fresh(self, part: SimPartition) -> Reader:
        for offset in range(part.high - 1, -1, -1):
            claim = part.event(offset)
            if type(claim) is PartitionClaimed:
                reader = Reader()
                reader.offset, reader.token, reader.seq = offset + 1, claim.owner, -1
                return reader
        return Reader()

    def counts(self, reader: Reader, offset: int, event: Any) -> bool:
        if reader.seq == -1:
            if isinstance(event, PartitionClaimed):
                reader.offset, reader.token = offset + 1, event.owner
                return False
            if event.owner == reader.token:
                reader.seq = event.seq - 1
        return reader.counts(offset, event)


class StartsBlind(FirstSeqTaken):
    """A fresh reader starts at the end, and believes the first event that it sees."""

    def fresh(self, part: SimPartition) -> Reader:
        reader = Reader()
        reader.offset, reader.seq = part.high, -1
        return reader

    def counts(self, reader: Reader, offset: int, event: Any) -> bool:
        if reader.seq == -1 and not isinstance(event, PartitionClaimed):
            reader.token = reader.token or event.owner
        return super().counts(reader, offset, event)


# ---- 8 and 9: answers and follow-ups


class AnyEventAnswers(SimGateway):
    def tells(self, *, counts: bool) -> bool:
        return True


def repeat_evolves(account: Any, event: Any) -> None:
    """A repeated answer does again what it says."""
    evolve(account, event)
    if isinstance(event, AnswerRepeated):
        first = codec.decode_event(bytes(event.first))
        version = account.version
        evolve(account, first)  # type: ignore[arg-type]
        account.version = version


def with_courier(courier: type[Courier]) -> Kit:
    class Sender(Owner):
        def _settle_in(self, state: Partition, landed: int) -> None:
            super()._settle_in(state, landed)
            self._courier = courier(state, self._log)

    return Kit(owner=Sender)


class SentOnce(Courier):
    """Commits what it sent, and never sends it again."""

    def send(self, acknowledged: int) -> None:
        sent = self._log.site.memory.setdefault(("sent", ""), set())  # type: ignore[attr-defined]
        fresh = []
        for ready in self._ready:
            command = codec.decode_command(ready.command)
            named = (ready.account, command.reservation, command.grant)  # type: ignore[union-attr]
            if named not in sent:
                sent.add(named)
                fresh.append(ready)
        self._ready = fresh
        super().send(acknowledged)


class Unacknowledged(Courier):
    """Sends what follows from a state that is not in the log yet."""

    def look(self, expected: int) -> None:
        super().look(0)


class DuesForgotten(Owner):
    """Knows at a takeover only what becomes due from then on."""

    def _settle_in(self, state: Partition, landed: int) -> None:
        state.dues = Dues()
        super()._settle_in(state, landed)


# ---- 10: the memory of ids


def forgets_ids(account: Any, command: str, answer: bytes, at: int) -> None:
    """Remembers the newest answer only."""
    account.answers.clear()
    remember_answer(account, command, answer, at)


def forgets_sources(account: Any, command: str, answer: bytes, at: int) -> None:
    """Remembers the source of a grant for as long as its answer."""
    remember_answer(account, command, answer, at)
    for source, grant in list(account.sources.items()):
        if grant not in account.answers:
            del account.sources[source]


def decides_late(command: Any, *rest: Any) -> Any:
    """Decides a command whatever its age."""
    return decide(msgspec.structs.replace(command, issued_at=None), *rest)
