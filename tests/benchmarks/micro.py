"""Where a command's microseconds go: each step of the ledger alone, in memory, without Kafka.

    python -m tests.benchmarks.micro [--turns N] [--accounts N]

Real commands against a real partition: one reserve and one charge per account and turn, warm
accounts. The figure is the best turn (what the code costs) and the median turn (what the box
makes of it), microseconds per command or per event.
"""

import argparse
import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from statistics import median
from typing import TypeVar

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from bus.log import Record
from contracts.catalogue import bundled
from contracts.commands import Actor, ActorKind, AnyCommand, Charge, Grant, GrantKind, Reserve
from contracts.digest import digest
from contracts.events import Balance, PartitionClaimed
from contracts.units import BATCH_BYTES_MAX, MINUTE
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve
from ledger.partition import Partition
from ledger.resting import Resting

from contracts import codec

T0 = 1_760_000_000_000  # any time of today
TOKEN = "micro-claim-token-0123456789abcdef"
_ACTOR = Actor(ActorKind.SERVICE, "bench")
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Stopwatch:
    """Microseconds per item of each step, a figure a turn."""

    def __init__(self) -> None:
        self.turns: dict[str, list[float]] = defaultdict(list)

    def over(self, step: str, work: Callable[[_In], _Out], items: Iterable[_In]) -> list[_Out]:
        """Do `work` on all items and note what one took."""
        todo = list(items)
        start = time.perf_counter()
        done = [work(item) for item in todo]
        self.turns[step].append((time.perf_counter() - start) / len(todo) * 1e6)
        return done

    def whole(self, step: str, work: Callable[[], _Out], count: int) -> _Out:
        """Do `work` once, which is on `count` items."""
        start = time.perf_counter()
        done = work()
        self.turns[step].append((time.perf_counter() - start) / count * 1e6)
        return done


class World:
    """A deciding partition, a replaying one, and single accounts that only evolve."""

    def __init__(self, count: int) -> None:
        catalogue = bundled()
        self.catalogue = catalogue
        self.deciding = Partition(0, 1, catalogue)
        self.replaying = Partition(0, 1, catalogue)
        self.evolving = {f"acct-{n}": Account(f"acct-{n}") for n in range(count)}
        self.offset = 0  # of the next command
        self.written = 0  # offset of the next event
        claim = PartitionClaimed(v=1, owner=TOKEN, at=0, seq=0, commands_from=0, partitions=1)
        for partition in (self.deciding, self.replaying):
            partition.replay([self._event(0, b"", codec.encode(claim))])
        self.deciding.start_deciding()
        self.written = 1

    def commands(self, made: Callable[[str], AnyCommand]) -> list[Record]:
        """One command for each account, as the broker would hand it over."""
        records = []
        for account in self.evolving:
            value = codec.encode(made(account))
            at = T0 + self.offset // 10
            records.append(Record(self.offset, at, account.encode(), value))
            self.offset += 1
        return records

    def events(self, written: Iterable[tuple[bytes, bytes]]) -> list[Record]:
        """What was decided, as the broker would hand it over."""
        records = []
        for key, value in written:
            records.append(self._event(self.written, key, value))
            self.written += 1
        return records

    @staticmethod
    def _event(offset: int, key: bytes, value: bytes) -> Record:
        return Record(offset, T0, key, value)


def turn(world: World, watch: Stopwatch, kind: str, made: Callable[[str], AnyCommand]) -> None:
    """One command of a kind for every account, each step alone and then the whole."""
    records = world.commands(made)
    deciding = world.deciding
    commands = watch.over(
        f"{kind}: decode command", codec.decode_command, [r.value for r in records]
    )
    prints = watch.over(f"{kind}: digest", digest, commands)
    found = watch.over(
        f"{kind}: find account", deciding.accounts.get, [c.account for c in commands]
    )
    now = records[-1].timestamp
    watch.over(
        f"{kind}: rule (decide)",
        lambda asked: decide(asked[0], asked[1], asked[2], now, world.catalogue),
        [(c, p, a) for c, p, a in zip(commands, prints, found, strict=True) if a is not None],
    )
    answers = watch.over(f"{kind}: WHOLE Partition.decide", deciding.decide, records)
    written = [pair for answer in answers for pair in answer]
    values = [value for _, value in written]
    events = watch.over(f"{kind}: decode event", codec.decode_event, values)
    watch.over(f"{kind}: encode event", codec.encode, events)
    watch.over(
        f"{kind}: evolve event",
        lambda event: evolve(world.evolving[event.account], event),
        [event for event in events if not isinstance(event, PartitionClaimed)],
    )
    watch.over(f"{kind}: balance struct", lambda n: Balance(n, n, n), range(len(events)))
    held = world.events(written)
    watch.whole(
        f"{kind}: WHOLE Partition.replay event",
        lambda: world.replaying.replay(held),
        len(held),
    )
    watch.turns[f"{kind}: events a command"].append(len(written) / len(records))
    watch.turns[f"{kind}: bytes an event"].append(sum(map(len, values)) / len(values))
    watch.turns[f"{kind}: bytes a command"].append(
        sum(len(r.value) for r in records) / len(records)
    )
    _through_batches(watch, kind, written)


def _through_batches(watch: Stopwatch, kind: str, written: list[tuple[bytes, bytes]]) -> None:
    """What the client library takes per record, both ways."""
    packed: list[bytes] = []

    def pack() -> None:
        batch = _builder()
        for key, value in written:
            if batch.append(key=key, value=value, timestamp=None) is None:
                packed.append(_closed(batch))
                batch = _builder()
                batch.append(key=key, value=value, timestamp=None)
        packed.append(_closed(batch))

    watch.whole(f"{kind}: event into a batch", pack, len(written))
    watch.whole(f"{kind}: event out of a batch", lambda: list(_unpacked(packed)), len(written))


def _builder() -> BatchBuilder:
    return BatchBuilder(BATCH_BYTES_MAX, 0)


def _closed(batch: BatchBuilder) -> bytes:
    batch.close()
    return bytes(batch._build())


def _unpacked(packed: list[bytes]) -> Iterator[bytes]:
    for raw in packed:
        records = MemoryRecords(raw)
        while (batch := records.next_batch()) is not None:
            batch.validate_crc()
            for record in batch:
                yield record.value


def at_rest(world: World, watch: Stopwatch) -> None:
    """What waking an account and laying it to rest again costs, as large as it is by now."""
    states = list(world.evolving.values())
    resting = Resting()
    asleep = watch.over("account to rest", resting.asleep, states)
    watch.over("account woken", lambda one: resting.awake(one.sample, one.packed), asleep)
    size = sum(len(one.packed) for one in asleep) / len(asleep)
    watch.turns["account at rest: bytes"].append(size)


def measure(turns: int, count: int) -> Stopwatch:
    """All turns; the first is warm-up and not kept."""
    world, watch = World(count), Stopwatch()
    grants = world.commands(
        lambda account: Grant(
            id=f"g-{account}",
            account=account,
            actor=_ACTOR,
            amount=10**10,
            kind=GrantKind.PROMO,
            source=f"micro-{account}",
        )
    )
    granted = world.events(pair for record in grants for pair in world.deciding.decide(record))
    world.replaying.replay(granted)
    for record in granted:
        event = codec.decode_event(record.value)
        assert not isinstance(event, PartitionClaimed)
        evolve(world.evolving[event.account], event)
    for number in range(turns + 1):
        _pair(world, watch, number)
        if number == 0:
            watch.turns.clear()
    at_rest(world, watch)
    hashed = (world.deciding.accounts.state_hash(), world.replaying.accounts.state_hash())
    assert hashed[0] == hashed[1], "replay and decision disagree"
    return watch


def _pair(world: World, watch: Stopwatch, number: int) -> None:
    def reserve(account: str) -> Reserve:
        name = f"{number}-{account}-0123456789ab"
        return Reserve(id=name, account=account, actor=_ACTOR, amount=100, lifetime_ms=10 * MINUTE)

    def charge(account: str) -> Charge:
        name = f"{number}-{account}-0123456789ab"
        return Charge(id=name + "c", account=account, actor=_ACTOR, reservation=name, amount=70)

    turn(world, watch, "reserve", reserve)
    turn(world, watch, "charge", charge)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=1_000)
    asked = parser.parse_args()
    gc.set_threshold(200_000, 50, 1000)  # as the ledger runs
    watch = measure(asked.turns, asked.accounts)
    print(f"{'step':<40} {'best':>8} {'median':>8}   us each ({asked.accounts} accounts)")
    for step, found in watch.turns.items():
        print(f"{step:<40} {min(found):>8.2f} {median(found):>8.2f}")


if __name__ == "__main__":
    main()
