"""Two payments processes at once: both take webhooks, one does the work, the other takes over."""

import asyncio
import random
from pathlib import Path

import psycopg
from engine.guard import Guard
from engine.local import Engine

from tests.integration.payments_log import grants
from tests.integration.payments_process import Process, processes


async def test_the_second_takes_over_when_the_first_is_killed(
    engine: Engine, database: str, tmp_path: Path, guard: Guard
) -> None:
    chance = random.Random(3)
    async with processes(engine, database, "two.", tmp_path, guard) as first:
        second = Process(first.world, first.stripe)
        try:
            second.start()
            await second.ready()
            await first.buy_and_pay("ada", "by-the-first", chance)
            await second.buy_and_pay("ada", "by-the-second", chance)
            await granted(engine, 2)
            assert holders(database) == 1
            first.kill()
            await second.buy_and_pay("ada", "after-it-died", chance)
            found = await granted(engine, 3)
            assert set(found.values()) == {1}
            assert holders(database) == 1
            first.start()  # the fixture ends it
        finally:
            await second.stop()


async def granted(engine: Engine, number: int) -> dict[tuple[str, str], int]:
    async with asyncio.timeout(30):
        while True:
            found = await grants(engine.bootstrap, "two.")
            if len(found) >= number:
                return dict(found)
            await asyncio.sleep(0.2)


def holders(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    return 0 if row is None else int(row[0])
