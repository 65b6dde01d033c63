"""The auditor: a second, simpler reading of a ledger's topics, which disagrees or is content.

It asks of the whole log: does every command have exactly one decision, is every sequence gapless,
was everybody told what the log says, does the money add up, and do two replays agree?
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from bus import kafka
from bus.reader import Reader
from bus.stream import Counted
from bus.topics import partitions_of
from contracts.catalogue import served
from contracts.events import (
    AnswerRepeated,
    AnyEvent,
    CommandRejected,
    CreditsCharged,
    CreditsGranted,
    CreditsRefunded,
    GrantExpired,
    PartitionClaimed,
)
from contracts.topics import COMMANDS, EVENTS
from ledger.partition import Partition
from msgspec import Struct

from contracts import codec


class Record(Struct, frozen=True):
    """A record as it lies in a topic."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes


class Findings(Struct):
    """What an audit that found nothing wrong counted."""

    commands: int = 0
    decided: int = 0  # first outcomes; the rest are repetitions and rejects
    repeated: int = 0
    rejected: int = 0
    claims: int = 0
    inexact: int = 0
    uncounted: int = 0
    told: int = 0
    accounts: int = 0
    available: int = 0
    held: int = 0
    state_hash: str = ""

    def __str__(self) -> str:
        return " · ".join(f"{name} {value}" for name, value in self.asdict().items())

    def asdict(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__struct_fields__}


async def audit(bootstrap: str, prefix: str, told: Mapping[str, Counted]) -> Findings:
    """Read everything; raise AssertionError at the first thing that is not as promised.

    Call it when every command has been decided (see `Caller.settle`).
    """
    found = Findings(told=len(told))
    count = await partitions_of(bootstrap, prefix + EVENTS.name)
    counted: dict[tuple[int, int], bytes] = {}
    hashes = []
    for number in range(count):
        commands = await read_all(bootstrap, prefix + COMMANDS.name, number)
        events = await read_all(bootstrap, prefix + EVENTS.name, number)
        mine = _counting(events, found)
        _each_decided_once(commands, [event for _, event in mine], found)
        _adds_up([event for _, event in mine], found)
        hashes.append(_two_replays(number, count, events))
        raw = {record.offset: record.value for record in events}
        counted.update({(number, offset): raw[offset] for offset, _ in mine})
    for name, answer in told.items():
        said = counted.get((answer.partition, answer.offset))
        assert said == answer.raw, f"{name} was told what the log does not say: {answer.raw!r}"
    found.state_hash = hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
    return found


async def read_all(bootstrap: str, topic: str, partition: int) -> list[Record]:
    """Give every record of a partition, in order."""
    tp = TopicPartition(topic, partition)
    consumer = await kafka.consumer_at(bootstrap, [(tp, 0)])
    records: list[Record] = []
    try:
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for got in (await consumer.getmany(tp, timeout_ms=500)).values():
                records += [Record(r.offset, r.timestamp, r.key, r.value) for r in got]
    finally:
        await kafka.close(consumer)
    return records


def _counting(events: Sequence[Record], found: Findings) -> list[tuple[int, AnyEvent]]:
    """The events that count; their `seq` is 1, 2, 3 ... and each account's versions too."""
    reader, counting = Reader(), []
    versions: Counter[str] = Counter()
    for record in events:
        event = codec.decode_event(record.value)
        if isinstance(event, PartitionClaimed):
            found.claims += 1
            found.inexact += event.at != record.offset
            reader.counts(record.offset, event)
        elif reader.counts(record.offset, event):
            counting.append((record.offset, event))
            assert event.seq == len(counting), f"a gap in seq at offset {record.offset}"
            if event.account:
                versions[event.account] += 1
                assert event.version == versions[event.account], f"a gap in {event.account}"
    found.uncounted += reader.skipped
    return counting


def _each_decided_once(
    commands: Sequence[Record], events: Sequence[AnyEvent], found: Findings
) -> None:
    """Every record of the commands has one answer, every command id one first outcome."""
    answers = [event for event in events if event.answer]
    places = Counter(e.command.offset for e in answers if e.command is not None)
    twice = [offset for offset, times in places.items() if times > 1]
    assert not twice, f"decided twice: commands at {twice[:5]}"
    missing = {record.offset for record in commands} - places.keys()
    assert not missing, f"never decided: commands at {sorted(missing)[:5]}"
    times = {record.offset: record.timestamp for record in commands}
    firsts: Counter[str] = Counter()
    for event in answers:
        assert event.command is not None
        assert times[event.command.offset] == event.command.timestamp, "another command's time"
        if isinstance(event, AnswerRepeated):
            found.repeated += 1
            assert event.command.id in firsts, f"{event.command.id} repeated before it was decided"
        elif isinstance(event, CommandRejected):
            found.rejected += 1
        else:
            firsts[event.command.id] += 1
    again = [
        name for name, many in firsts.items() if many > 1 and not _conflicts(name, many, answers)
    ]
    assert not again, f"more than one first outcome: {again[:5]}"
    found.commands += len(commands)
    found.decided += firsts.total()


def _conflicts(name: str, many: int, answers: Sequence[AnyEvent]) -> bool:
    """Whether all but one outcome say that the id was used for another question before."""
    reasons = [
        getattr(event, "reason", None)
        for event in answers
        if event.command is not None and event.command.id == name
    ]
    return reasons.count("id_conflict") >= many - 1


def _adds_up(events: Sequence[AnyEvent], found: Findings) -> None:
    """Credits come by grants only; what an account has is what came less what was spent."""
    worth: defaultdict[str, int] = defaultdict(int)
    last: dict[str, AnyEvent] = {}
    for event in events:
        if not event.account:
            continue
        last[event.account] = event
        match event:
            case CreditsGranted() | CreditsRefunded():
                worth[event.account] += event.amount
            case CreditsCharged() | GrantExpired():
                worth[event.account] -= event.amount
        assert event.balance is not None
        assert min(event.balance.available, event.balance.held, event.balance.spent) >= 0, event
        left = event.balance.available + event.balance.held
        assert event.answer is False or left == worth[event.account], f"credits appeared: {event}"
    found.accounts += len(last)
    found.available += sum(e.balance.available for e in last.values() if e.balance)
    found.held += sum(e.balance.held for e in last.values() if e.balance)


def _two_replays(number: int, count: int, events: Sequence[Record]) -> str:
    """The state's hash: the same in one gulp and in small bites."""
    hashes = set()
    for bite in (len(events) or 1, 7):
        partition = Partition(number, count, served("test"))
        for at in range(0, len(events), bite):
            partition.replay(events[at : at + bite])  # type: ignore[arg-type]
        hashes.add(partition.accounts.state_hash())
    assert len(hashes) == 1, f"two replays of partition {number} differ"
    return hashes.pop()
