"""kill -9 of payments (and of the ledger) while people buy: nothing lost, nothing double."""

import asyncio
import os
import random
from pathlib import Path

import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.integration.payments_log import balances, grants
from tests.integration.payments_process import Process, processes

KILLS = int(os.environ.get("SCRIP_KILLS", "40"))  # 200 in `make proof-payments`
LEDGER_KILLS = 4  # of these rounds; each costs a group session of six seconds
BUYERS = 6


@pytest.mark.timeout(900)
async def test_kills_lose_nothing_and_double_nothing(
    engine: Engine, database: str, tmp_path: Path, guard: Guard
) -> None:
    async with processes(engine, database, "kill.", tmp_path, guard) as process:
        over = asyncio.Event()
        bought: dict[str, int] = {}
        async with asyncio.TaskGroup() as group:
            for number in range(BUYERS):
                group.create_task(buyer(process, f"buyer-{number}", bought, over))
            await killing(process)
            over.set()
        await process.ready()
        await settled(process, sum(bought.values()))
        found = await grants(engine.bootstrap, "kill.")
        held = await balances(engine.bootstrap, "kill.")
    assert set(found.values()) == {1}, "a source that granted twice"
    assert len(found) == sum(bought.values()), "every purchase that was paid is credited"
    assert held == {account: 500 * number for account, number in bought.items()}
    print(f"{KILLS} kills of payments, {LEDGER_KILLS} of the ledger, {len(found)} purchases:")
    print("0 lost, 0 double")


async def killing(process: Process) -> None:
    chance = random.Random(11)
    for number in range(KILLS):
        await asyncio.sleep(chance.uniform(0.0, 0.35))
        process.kill()
        if number % (KILLS // LEDGER_KILLS) == 1:
            process.world.ledger.kill()
            process.world.ledger.start()
        process.start()
        if number % 3:
            await process.ready()  # else it is killed again before it is ready


async def buyer(
    process: Process, account: str, bought: dict[str, int], over: asyncio.Event
) -> None:
    chance = random.Random(account)
    while not over.is_set():
        number = bought.get(account, 0)
        await process.buy_and_pay(account, f"{account}-{number}", chance)
        bought[account] = number + 1
        await asyncio.sleep(chance.uniform(0.0, 0.2))


async def settled(process: Process, purchases: int) -> None:
    """Until as many grants as purchases are in the log."""
    async with asyncio.timeout(90):
        while True:
            found = await grants(process.world.engine.bootstrap, process.world.prefix)
            if len(found) >= purchases:
                return
            await asyncio.sleep(0.5)
