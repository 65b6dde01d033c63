"""Commands by the batch: so many are sent at once, and the next ones when they are answered.

    python -m tests.benchmarks.batches BOOTSTRAP PREFIX --accounts N (--seconds S | --events N)
        [--first N] [--echo]

Each account is granted once, on its first turn; a turn is a reserve of 100 and a final charge of
70. The first turns go through all accounts in order, later ones are anyone's: the worst there is
for a ledger whose accounts are at rest. `--first N` names the first turn: those before were there
already.
Two batches of 2,000 are under way at a time. Prints one JSON line; every answer is looked at.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator

import msgspec
import uvloop
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from bus.topics import partitions_of
from contracts.commands import AnyCommand, Charge, Grant, GrantKind, Reserve
from contracts.topics import COMMANDS, EVENTS

from contracts import codec
from tests.benchmarks.bridge import BENCH, GRANTED

BATCH = 2_000
UNDER_WAY = 2
SEED = 7
STALLED_AFTER_S = 120.0


class _Answer(msgspec.Struct, gc=False):
    type: str
    answer: bool = False


_decode = msgspec.json.Decoder(_Answer).decode


class Turns:
    """What is asked, for ever: the same from the same turn on."""

    def __init__(self, accounts: int, first: int) -> None:
        self._accounts = accounts
        self._chance = random.Random(SEED + first)
        self.next = first

    def batch(self) -> list[AnyCommand]:
        """The next whole turns, enough for a batch."""
        commands: list[AnyCommand] = []
        while len(commands) < BATCH:
            commands += self._turn(self.next)
            self.next += 1
        return commands

    def _turn(self, turn: int) -> Iterator[AnyCommand]:
        accounts = self._accounts
        number = turn if turn < accounts else self._chance.randrange(accounts)
        account, name = f"acct-{number:012x}", f"{turn * 2654435761 % 2**64:016x}"
        if turn < accounts:
            yield Grant(
                id=f"g{name}",
                account=account,
                actor=BENCH,
                amount=GRANTED,
                kind=GrantKind.PROMO,
                source=f"s{name}",
            )
        yield Reserve(id=f"r{name}", account=account, actor=BENCH, amount=100)
        yield Charge(id=f"c{name}", account=account, actor=BENCH, reservation=f"r{name}", amount=70)


class Batches:
    """Sends, and counts what is answered. Use between `start` and `stop`."""

    def __init__(self, bootstrap: str, prefix: str, *, echo: bool) -> None:
        self._bootstrap, self._prefix, self._echo = bootstrap, prefix, echo
        self._outbox = Outbox(bootstrap)
        self._answered = asyncio.Event()
        self.sent = 0
        self.answers = 0
        self.events = 0
        self.told: Counter[str] = Counter()

    async def start(self) -> None:
        await self._outbox.start()
        self.partitions = await partitions_of(self._bootstrap, self._prefix + COMMANDS.name)
        tps = [TopicPartition(self._prefix + EVENTS.name, p) for p in range(self.partitions)]
        ends_of = kafka.consumer(self._bootstrap)
        await ends_of.start()
        ends = await ends_of.end_offsets(tps)
        await kafka.close(ends_of)
        self._consumer = await kafka.consumer_at(self._bootstrap, ends.items())
        self._hearing = asyncio.ensure_future(self._hear())

    async def stop(self) -> None:
        self._hearing.cancel()
        await self._outbox.stop()
        await kafka.close(self._consumer)

    async def send(self, batch: list[AnyCommand]) -> None:
        """Send a batch when there is room for one."""
        await self._until(self.sent - (UNDER_WAY - 1) * BATCH)
        topic = self._prefix + COMMANDS.name
        for command in batch:
            partition = partition_of(command.account, self.partitions)
            self._outbox.put(topic, partition, command.account.encode(), codec.encode(command))
        self.sent += len(batch)

    async def settle(self) -> None:
        """Until all is answered."""
        await self._until(self.sent)

    async def _until(self, answers: int) -> None:
        while self.answers < answers:
            if self._hearing.done():
                self._hearing.result()
            self._answered.clear()
            async with asyncio.timeout(STALLED_AFTER_S):
                await self._answered.wait()

    async def _hear(self) -> None:
        while True:
            got = await self._consumer.getmany(timeout_ms=1000)
            for records in got.values():
                found = [_decode(record.value) for record in records]
                self.events += len(found)
                self.told.update(one.type for one in found if one.answer or self._echo)
            self.answers = sum(self.told.values())
            self._answered.set()


async def run(asked: argparse.Namespace) -> dict[str, object]:
    load = Batches(asked.bootstrap, asked.prefix, echo=asked.echo)
    await load.start()
    turns = Turns(asked.accounts, asked.first)
    start = time.perf_counter()
    try:
        while load.events < asked.events if asked.events else _now() - start < asked.seconds:
            await load.send(turns.batch())
        await load.settle()
    finally:
        await load.stop()
    took = time.perf_counter() - start
    wanted = {"CreditsGranted", "CreditsReserved", "CreditsCharged", "Grant", "Reserve", "Charge"}
    if strange := set(load.told) - wanted:
        raise AssertionError(f"not what was asked for: {strange}")
    return {
        "commands_per_s": round(load.sent / took),
        "events_per_s": round(load.events / took),
        "commands": load.sent,
        "events": load.events,
        "seconds": round(took, 1),
        "next_turn": turns.next,
    }


def _now() -> float:
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--echo", action="store_true")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
