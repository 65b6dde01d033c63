"""From the death of an owner to the first answer of its successor.

100,000 accounts, granted through Kafka; two ledgers, each with its partition; a light load on both.
One is killed by SIGKILL; for each partition it served, a fresh reserve is sent at once, and the
time until its answer is taken. The worst of them is the figure: session timeout, assignment,
replay of the whole partition and claim are all in it.
"""

import asyncio
import time
import uuid

import uvloop
from contracts.commands import Reserve

from tests.benchmarks.bridge import BENCH, Bridge
from tests.benchmarks.figures import Tree
from tests.benchmarks.pairs import PairLoad
from tests.benchmarks.world import PARTITIONS, CellFailed, Ledger, World

ACCOUNTS = 100_000
GRANTS_AT_ONCE = 5_000
LIGHT = 8  # in flight
CALM_S = 2.0  # of load before the kill
SPREAD_WITHIN_S = 30.0  # until each ledger has a partition
ANSWERED_WITHIN_S = 60.0


def measure(world: World, prefix: str, kills: int, accounts: int = ACCOUNTS) -> Tree:
    """Seconds, the median of so many kills."""
    world.topics(prefix)
    return uvloop.run(_measure(world, prefix, kills, accounts))


async def _measure(world: World, prefix: str, kills: int, accounts: int) -> Tree:
    ledgers = [world.ledger(prefix, "ledger-0")]
    await _spread(ledgers)
    bridge = Bridge(world.bootstrap, prefix)
    await bridge.start()
    try:
        names = [f"acct-{number}" for number in range(accounts)]
        for first in range(0, accounts, GRANTS_AT_ONCE):
            some = names[first : first + GRANTS_AT_ONCE]
            await asyncio.gather(*(bridge.grant(prefix, name) for name in some))
        took = []
        for kill in range(kills):
            ledgers.append(world.ledger(prefix, f"ledger-{kill + 1}"))
            await _spread(ledgers)
            took.append(await _killed(bridge, ledgers, names))
    finally:
        await bridge.stop()
        for ledger in ledgers:
            await asyncio.to_thread(ledger.process.stop)
    took.sort()
    return {
        "takeover_s": round(took[len(took) // 2], 2),
        "takeover_worst_s": round(took[-1], 2),
        "takeover_accounts": accounts,
        "takeover_kills": kills,
    }


async def _killed(bridge: Bridge, ledgers: list[Ledger], names: list[str]) -> float:
    """Kill the owner of most partitions; give the seconds to the last partition's first answer."""
    start = time.perf_counter()
    load = PairLoad(bridge, uuid.uuid4().hex[:12], names, start, start + ANSWERED_WITHIN_S)
    clients = [asyncio.ensure_future(load.client(number)) for number in range(LIGHT)]
    await asyncio.sleep(CALM_S)
    victim = max(ledgers, key=lambda ledger: len(ledger.owned()))
    dead = victim.owned()
    if not dead:
        raise CellFailed("no ledger serves any partition: nothing to take over")
    ledgers.remove(victim)
    died = time.perf_counter()
    victim.process.kill()
    asked = [_asked(bridge, next(n for n in names if bridge.partition(n) == p)) for p in dead]
    async with asyncio.timeout(ANSWERED_WITHIN_S):
        await asyncio.gather(*asked)
    took = time.perf_counter() - died
    load.stop()
    async with asyncio.timeout(ANSWERED_WITHIN_S):
        await asyncio.gather(*clients)
    return took


async def _asked(bridge: Bridge, account: str) -> None:
    reserve = Reserve(id=uuid.uuid4().hex, account=account, actor=BENCH, amount=1)
    answer = await bridge.ask(reserve)
    if answer != "CreditsReserved":
        raise CellFailed(f"after the takeover a reserve was answered {answer}")


async def _spread(ledgers: list[Ledger]) -> None:
    """Wait until all partitions are served, and by all ledgers if there are enough."""
    deadline = time.monotonic() + SPREAD_WITHIN_S
    while time.monotonic() < deadline:
        owned = [await asyncio.to_thread(ledger.owned) for ledger in ledgers]
        if sum(map(len, owned)) == PARTITIONS and all(owned[:PARTITIONS]):
            return
        await asyncio.sleep(0.1)
    raise CellFailed(f"after {SPREAD_WITHIN_S:.0f} s the partitions are served as {owned}")
