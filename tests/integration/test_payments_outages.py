"""Stripe, PostgreSQL or Kafka away in the middle of 200 purchases: all credited once, none lost.

SCRIP_OUTAGE_S says how long each is away: 5 by default, 60 in `make proof-payments`.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from engine.guard import Guard
from engine.local import Engine

from tests.integration.payments_log import grants
from tests.integration.payments_process import Process, processes

OUTAGE_S = float(os.environ.get("SCRIP_OUTAGE_S", "5"))
PURCHASES = 200
BUYERS = 8
PAUSE_S = 0.02


@pytest_asyncio.fixture(scope="module")
async def process(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[Process]:
    folder: Path = tmp_path_factory.mktemp("outages")
    async with processes(engine, database, "out.", folder, guard) as made:
        yield made


def breaks_stripe(process: Process) -> tuple[Callable[[], None], Callable[[], None]]:
    def down() -> None:
        process.stripe.fail(down=True)

    def up() -> None:
        process.stripe.fail()

    return down, up


def breaks_postgres(process: Process) -> tuple[Callable[[], None], Callable[[], None]]:
    engine = process.world.engine
    return engine.kill_postgres, engine.start_postgres


def breaks_kafka(process: Process) -> tuple[Callable[[], None], Callable[[], None]]:
    engine = process.world.engine
    return engine.kill_kafka, engine.start_kafka


BREAKS = {"Stripe": breaks_stripe, "PostgreSQL": breaks_postgres, "Kafka": breaks_kafka}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", BREAKS)
async def test_an_outage_in_the_middle_of_200_purchases(process: Process, what: str) -> None:
    down, up = BREAKS[what](process)
    before = await grants(process.world.engine.bootstrap, process.world.prefix)
    paid: list[str] = []

    async def buyer(number: int) -> None:
        chance = random.Random(number)
        for turn in range(PURCHASES // BUYERS):
            account = f"{what}-{number}"
            paid.append(await process.buy_and_pay(account, f"{account}-{turn}", chance))
            await asyncio.sleep(PAUSE_S)

    async with asyncio.TaskGroup() as group:
        for number in range(BUYERS):
            group.create_task(buyer(number))
        await some_paid(paid)
        at = len(paid)
        await asyncio.to_thread(down)
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(up)
    back = asyncio.get_running_loop().time()
    found = await credited(process, set(before), PURCHASES)
    took = asyncio.get_running_loop().time() - back
    assert set(found.values()) == {1}, "a source that granted twice"
    assert len(found) == PURCHASES
    print(
        f"{what} away for {OUTAGE_S:.0f} s after {at} of {PURCHASES} purchases:"
        f" {len(found)} credited once, 0 lost, all of them {took:.1f} s after the last was paid"
    )


async def some_paid(paid: list[str]) -> None:
    while True:
        if len(paid) >= PURCHASES // 3:
            return
        await asyncio.sleep(0.02)


async def credited(
    process: Process, before: set[tuple[str, str]], number: int
) -> dict[tuple[str, str], int]:
    """The grants that were not there before, once there are so many."""
    async with asyncio.timeout(120):
        while True:
            found = await grants(process.world.engine.bootstrap, process.world.prefix)
            fresh = {name: times for name, times in found.items() if name not in before}
            if len(fresh) >= number:
                return fresh
            await asyncio.sleep(0.5)
