"""A closed loop of reserve + charge pairs over Kafka, no HTTP: what the ledger itself can do.

    python -m tests.benchmarks.pairs BOOTSTRAP PREFIX IN_FLIGHT SECONDS [--hot] [--echo]

A pair is a reserve of 100 and a final charge of 70, over 1,000 accounts; 1 % of the reserves ask
for more than there is and are refused. Prints one JSON line.
"""

import argparse
import asyncio
import json
import resource
import time
import uuid

import msgspec
import uvloop
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from bus.topics import partitions_of
from contracts import codec
from contracts.commands import Actor, ActorKind, Charge, Grant, GrantKind, Reserve
from contracts.topics import COMMANDS, EVENTS

ACCOUNTS = 1_000
HELD, CHARGED = 100, 70
TOO_MUCH = 10**11  # no account has that: refused
REFUSED_EVERY = 100
GRANTED = 10**10
WARM_UP_S = 1.5
_ACTOR = Actor(ActorKind.SERVICE, "bench")


class _Ref(msgspec.Struct, gc=False):
    id: str


class _Answer(msgspec.Struct, gc=False):
    """What a caller looks at; the rest of the event is skipped."""

    type: str
    command: _Ref | None = None
    answer: bool = False
    id: str = ""  # an echoed command has its id here


_decode = msgspec.json.Decoder(_Answer).decode


class Bridge:
    """Sends commands and hands out their answers."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap, self._prefix = bootstrap, prefix
        self._outbox = Outbox(bootstrap)
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._where: dict[str, int] = {}

    async def start(self) -> None:
        await self._outbox.start()
        self._count = await partitions_of(self._bootstrap, self._prefix + COMMANDS.name)
        tps = [TopicPartition(self._prefix + EVENTS.name, p) for p in range(self._count)]
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

    def ask(self, command: Reserve | Charge | Grant) -> asyncio.Future[str]:
        """The type of the answer to a command."""
        future = self._waiting[command.id] = asyncio.get_running_loop().create_future()
        account = command.account
        partition = self._where.get(account)
        if partition is None:
            partition = self._where[account] = partition_of(account, self._count)
        value = codec.encode(command)
        self._outbox.put(self._prefix + COMMANDS.name, partition, account.encode(), value)
        return future

    async def _hear(self) -> None:
        waiting = self._waiting
        while True:
            got = await self._consumer.getmany(timeout_ms=1000)
            for records in got.values():
                for record in records:
                    event = _decode(record.value)
                    if event.answer and event.command is not None:
                        future = waiting.pop(event.command.id, None)
                    else:
                        future = waiting.pop(event.id, None)
                    if future is not None:
                        future.set_result(event.type)


async def measure(
    bootstrap: str, prefix: str, in_flight: int, seconds: float, *, hot: bool, echo: bool
) -> dict[str, float]:
    """One cell: pairs per second, and milliseconds at p50 and p99."""
    bridge = Bridge(bootstrap, prefix)
    await bridge.start()
    run = uuid.uuid4().hex[:12]
    accounts = ["acct-hot"] if hot else [f"acct-{n}" for n in range(ACCOUNTS)]
    if not echo:
        grants = [
            bridge.ask(
                Grant(
                    id=f"{run}-g-{account}",
                    account=account,
                    actor=_ACTOR,
                    amount=GRANTED,
                    kind=GrantKind.PROMO,
                    source=f"{run}-{account}",
                )
            )
            for account in accounts
        ]
        await asyncio.gather(*grants)
    pairs: list[float] = []
    reserves: list[float] = []
    refused = 0
    start = time.perf_counter() + WARM_UP_S
    end = start + seconds

    async def client(number: int) -> None:
        nonlocal refused
        turn = 0
        while (begun := time.perf_counter()) < end:
            turn += 1
            account = accounts[(number * 7919 + turn * 31) % len(accounts)]
            name = f"{run}-{number}-{turn}"
            no = (number + turn) % REFUSED_EVERY == 0
            answer = await bridge.ask(
                Reserve(id=name, account=account, actor=_ACTOR, amount=TOO_MUCH if no else HELD)
            )
            held = time.perf_counter()
            if no:
                if answer not in ("CommandRefused", "Reserve"):
                    raise AssertionError(f"a reserve of too much was answered {answer}")
                refused += 1
                continue
            if answer not in ("CreditsReserved", "Reserve"):
                raise AssertionError(f"a reserve was answered {answer}")
            answer = await bridge.ask(
                Charge(
                    id=name + "c", account=account, actor=_ACTOR, reservation=name, amount=CHARGED
                )
            )
            if answer not in ("CreditsCharged", "Charge"):
                raise AssertionError(f"a charge was answered {answer}")
            if begun >= start:
                pairs.append(time.perf_counter() - begun)
                reserves.append(held - begun)

    await asyncio.gather(*(client(number) for number in range(in_flight)))
    took = time.perf_counter() - start
    await bridge.stop()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "pairs_per_s": round(len(pairs) / took, 1),
        **_percentiles("pair", pairs),
        **_percentiles("reserve", reserves),
        "refused": refused,
        "load_cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "seconds": round(took, 2),
    }


def _percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    seconds.sort()
    return {
        f"{name}_p50_ms": round(seconds[len(seconds) // 2] * 1e3, 2),
        f"{name}_p99_ms": round(seconds[len(seconds) * 99 // 100] * 1e3, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("in_flight", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--hot", action="store_true")
    parser.add_argument("--echo", action="store_true")
    asked = parser.parse_args()
    found = uvloop.run(
        measure(
            asked.bootstrap,
            asked.prefix,
            asked.in_flight,
            asked.seconds,
            hot=asked.hot,
            echo=asked.echo,
        )
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
