"""kill -9 of the ledger, fifty times under load: nothing told is lost, nothing decided twice.

Five ledgers of two processes each run side by side, because the group misses a killed member for
its session of 6 s. One kill in three strikes at any moment of a takeover, the others while a
partition is served.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest
from bus.topics import ensure_topics
from engine.guard import Guard
from engine.local import Engine
from msgspec import Struct, field

from tests.e2e.audit import Findings, audit
from tests.e2e.caller import Caller
from tests.e2e.finance import proved
from tests.e2e.ledgers import Ledger, all_served, until
from tests.e2e.spending import Spending

WORLDS = 5
KILLS = 50
PARTITIONS = 2
SEED = 20261122  # which process is killed when; the machine adds its own chance
SERVED_S = 1.2  # how long the victim serves at most before it is killed
TAKING_OVER_S = 8.0  # strikes anywhere between the start and the end of a takeover


class World(Struct):
    """What happened to one ledger."""

    kills: int = 0
    while_serving: int = 0
    resent: int = 0
    spent: int = 0
    longest_s: float = 0.0
    findings: Findings = field(default_factory=Findings)


@pytest.mark.timeout(280)
async def test_fifty_kills_lose_nothing_and_double_nothing(
    engine: Engine, topic_prefix: str, tmp_path: Path, guard: Guard
) -> None:
    begun, bootstrap = time.monotonic(), engine.bootstrap
    worlds = await asyncio.gather(
        *(_world(n, bootstrap, f"{topic_prefix}{n}.", tmp_path, guard) for n in range(WORLDS))
    )
    for number, world in enumerate(worlds):
        print(
            f"ledger {number}: {world.kills} kills ({world.while_serving} while it served) ·"
            f" longest wait {world.longest_s:.1f} s · asked again {world.resent} ·"
            f" spent {world.spent} · {world.findings}"
        )
        prefix = f"{topic_prefix}{number}."
        proof = await proved(bootstrap, engine.postgres_url, prefix, tmp_path, guard)
        print(f"  scrip verify: {len(proof['checks'])} checks, 0 differences")
    kills = sum(world.kills for world in worlds)
    told = sum(world.findings.told for world in worlds)
    print(f"{kills} kills · {told} answers told, all in the log · {time.monotonic() - begun:.0f} s")
    assert kills == KILLS
    assert sum(world.while_serving for world in worlds) >= KILLS // 3


async def _world(number: int, bootstrap: str, prefix: str, logs: Path, guard: Guard) -> World:
    await ensure_topics(bootstrap, partitions=PARTITIONS, single_broker=True, prefix=prefix)
    ledgers = [Ledger(f"w{number}{x}", bootstrap, prefix, logs, guard) for x in "ab"]
    chance, world = random.Random(SEED + number), World()
    for ledger in ledgers:
        ledger.start()
    async with Caller(bootstrap, prefix) as caller:
        spending = Spending(caller, f"w{number}", callers=16, pause_s=0.002)
        await spending.start()
        for turn in range(KILLS // WORLDS):
            await _kill_one(ledgers, turn, chance, world)
        await all_served(ledgers, PARTITIONS)
        await spending.stop()
        world.findings = await audit(bootstrap, prefix, caller.told)
        world.resent, world.longest_s = caller.resent, caller.longest_s
        world.spent = spending.spent
        granted = len(spending.accounts) * 1_000_000
        assert world.findings.available + world.findings.held == granted - spending.spent
        assert world.findings.held == 0
    for ledger in ledgers:
        assert await ledger.stop() == 0, ledger.process.tail()
        assert "partition_halted" not in ledger.logged()
    return world


async def _kill_one(ledgers: list[Ledger], turn: int, chance: random.Random, world: World) -> None:
    """Kill one and start it again at once; what it held goes to whom the group says."""
    if turn % 3 == 2:
        await asyncio.sleep(chance.uniform(0, TAKING_OVER_S))
        victim = chance.choice(ledgers)
    else:
        victim = await _one_that_serves(ledgers)
        await asyncio.sleep(chance.uniform(0, SERVED_S))
    world.while_serving += bool(await victim.serving())
    await victim.kill()
    victim.start()
    world.kills += 1


async def _one_that_serves(ledgers: list[Ledger]) -> Ledger:
    found: list[Ledger] = []

    async def somebody() -> bool:
        found[:] = [ledger for ledger in ledgers if await ledger.serving()]
        return bool(found)

    await until(somebody, 30.0, lambda: "\n".join(x.process.tail(8) for x in ledgers))
    return found[0]
