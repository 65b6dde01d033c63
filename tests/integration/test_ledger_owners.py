"""Two ledgers and one log: however they meet, one decides, and nobody is told a lie."""

import asyncio
import random
import time
from pathlib import Path

from bus.kafka_log import Cluster, KafkaLog
from bus.log import LogError
from bus.topics import ensure_topics
from contracts.catalogue import served
from engine.guard import Guard
from engine.local import Engine
from ledger.owner import Owner
from ledger.partition import Partition
from msgspec import Struct

from tests.e2e.audit import audit
from tests.e2e.caller import Caller
from tests.e2e.finance import proved
from tests.e2e.ledgers import Ledger, Probe, all_served, until
from tests.e2e.spending import Spending

PAUSES = 2
PAUSES_MAX = 8  # at about every other one a batch is under way, for the fence to refuse
SESSION_S = 6.0  # how long the group misses a dead owner; a hand-over must not take that long
HAND_OVER_S = 3.0  # leave, join, claim, read: half a session on a busy machine
DUEL_S = 6.0


async def test_an_owner_that_was_paused_finds_its_late_batch_refused(
    engine: Engine, topic_prefix: str, tmp_path: Path, guard: Guard
) -> None:
    bootstrap = engine.bootstrap
    await ensure_topics(bootstrap, partitions=1, single_broker=True, prefix=topic_prefix)
    pair = _pair(bootstrap, topic_prefix, tmp_path, guard)
    async with Caller(bootstrap, topic_prefix) as caller:
        spending = Spending(caller, "paused", callers=64)
        await spending.start()
        refused = 0
        for turn in range(PAUSES_MAX):
            if refused and turn >= PAUSES:
                break
            owner = await _server(pair)
            successor = next(ledger for ledger in pair if ledger is not owner)
            drops = owner.logged().count("partition_dropped")
            owner.process.pause()
            took = await all_served([successor], 1)
            await asyncio.sleep(1.0)
            owner.process.resume()
            await until(_dropped(owner, drops), 10.0, owner.logged)
            refused += "ProducerFenced" in _last_drop(owner)
            print(f"paused {took + 1:.1f} s, then woken: {_last_drop(owner)}")
        await spending.stop()
        found = await audit(bootstrap, topic_prefix, caller.told)
        print(f"{caller.resent} asked again · spent {spending.spent} · {found}")
        assert found.available + found.held == 6_000_000 - spending.spent
        assert found.uncounted == 0, "the fence let a late batch into the log"
    await proved(bootstrap, engine.postgres_url, topic_prefix, tmp_path, guard)
    print(f"late batches refused by the fence: {refused}")
    assert refused >= 1
    await _end(pair)


async def test_two_ledgers_started_at_once(
    bootstrap: str, topic_prefix: str, tmp_path: Path, guard: Guard
) -> None:
    await ensure_topics(bootstrap, partitions=2, single_broker=True, prefix=topic_prefix)
    async with Caller(bootstrap, topic_prefix) as caller:
        spending = Spending(caller, "both", callers=16)
        begun = time.monotonic()
        asked = asyncio.get_running_loop().create_task(spending.start())
        pair = _pair(bootstrap, topic_prefix, tmp_path, guard)
        await asked
        first = time.monotonic() - begun
        await all_served(pair, 2)
        await asyncio.sleep(2.0)
        await spending.stop()
        found = await audit(bootstrap, topic_prefix, caller.told)
        print(f"first answers after {first:.2f} s · {found}")
        assert found.uncounted == 0
        assert found.available == 6_000_000 - spending.spent
    await _end(pair)


class Duel(Struct):
    """What two stubborn owners did to each other."""

    takeovers: int = 0
    superseded: int = 0


async def test_two_owners_that_each_believe_the_partition_is_theirs(
    bootstrap: str, topic_prefix: str
) -> None:
    """No group keeps them apart here: the claim, the reader rule and the fence must do."""
    await ensure_topics(bootstrap, partitions=1, single_broker=True, prefix=topic_prefix)
    over, duel = asyncio.Event(), Duel()
    async with Caller(bootstrap, topic_prefix) as caller:
        owners = [
            asyncio.get_running_loop().create_task(
                _insist(bootstrap, topic_prefix, over, duel, random.Random(seed))
            )
            for seed in (1, 2)
        ]
        spending = Spending(caller, "duel", callers=16)
        await spending.start()
        await asyncio.sleep(DUEL_S)
        await spending.stop()
        over.set()
        await asyncio.gather(*owners)
        found = await audit(bootstrap, topic_prefix, caller.told)
        print(f"{duel} · longest wait {caller.longest_s:.1f} s · {found}")
        assert duel.superseded >= 4, "they did not duel"
        assert found.available == 6_000_000 - spending.spent


async def test_partitions_are_handed_over_well_within_a_session(
    bootstrap: str, topic_prefix: str, tmp_path: Path, guard: Guard
) -> None:
    await ensure_topics(bootstrap, partitions=4, single_broker=True, prefix=topic_prefix)
    first, second = (Ledger(n, bootstrap, topic_prefix, tmp_path, guard) for n in "ab")
    async with Caller(bootstrap, topic_prefix) as caller:
        spending = Spending(caller, "handed", callers=32)
        first.start()
        await spending.start()
        await all_served([first], 4)
        second.start()
        await until(_shared(first, second), 15.0, second.logged)
        begun = time.monotonic()
        assert await first.stop() == 0
        stopped = time.monotonic() - begun
        await all_served([second], 4)
        graceful = time.monotonic() - begun
        first.start()
        await until(_shared(first, second), 15.0, first.logged)
        begun = time.monotonic()
        await second.kill()
        await all_served([first], 4)
        killed = time.monotonic() - begun
        await spending.stop()
        found = await audit(bootstrap, topic_prefix, caller.told)
        print(
            f"SIGTERM: gone after {stopped:.2f} s, all 4 partitions served again after"
            f" {graceful:.2f} s · kill -9: after {killed:.2f} s · {found}"
        )
        assert graceful < HAND_OVER_S
        assert found.uncounted == 0
        assert found.available == 6_000_000 - spending.spent
    assert await first.stop() == 0


async def _insist(
    bootstrap: str, prefix: str, over: asyncio.Event, duel: Duel, chance: random.Random
) -> None:
    """Take the partition over again and again, whoever has it."""
    while not over.is_set():
        cluster = Cluster(bootstrap, prefix, "test", 1)
        await cluster.start()
        port = KafkaLog(cluster, 0)
        running = asyncio.ensure_future(Owner(port, _fresh).run())
        told = asyncio.ensure_future(over.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        port.released()
        try:
            await running
        except LogError:
            duel.superseded += 1
        finally:
            told.cancel()
            duel.takeovers += 1
            await port.close()
            await cluster.stop()
        await asyncio.sleep(chance.uniform(0.1, 1.0))


def _fresh() -> Partition:
    return Partition(0, 1, served("test"))


def _pair(bootstrap: str, prefix: str, logs: Path, guard: Guard) -> list[Ledger]:
    pair = [Ledger(name, bootstrap, prefix, logs, guard) for name in "ab"]
    for ledger in pair:
        ledger.start()
    return pair


async def _server(pair: list[Ledger]) -> Ledger:
    await all_served(pair, 1)
    for ledger in pair:
        if await ledger.serving():
            return ledger
    raise AssertionError("nobody serves any more")


def _dropped(ledger: Ledger, before: int) -> Probe:
    async def dropped() -> bool:
        return ledger.logged().count("partition_dropped") > before

    return dropped


def _last_drop(ledger: Ledger) -> str:
    return [line for line in ledger.logged().splitlines() if "partition_dropped" in line][-1]


def _shared(one: Ledger, other: Ledger) -> Probe:
    async def shared() -> bool:
        mine, yours = await one.serving(), await other.serving()
        return len(mine) == len(yours) == 2

    return shared


async def _end(pair: list[Ledger]) -> None:
    for ledger in pair:
        assert await ledger.stop() == 0, ledger.process.tail()
        assert "partition_halted" not in ledger.logged(), ledger.logged()
