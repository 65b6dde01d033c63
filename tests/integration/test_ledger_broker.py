"""The broker is killed and comes back, under load: nothing is lost and nothing is double."""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bus.topics import ensure_topics
from engine.guard import Guard
from engine.local import Engine

from tests.e2e.audit import audit
from tests.e2e.caller import Caller
from tests.e2e.finance import proved
from tests.e2e.ledgers import Ledger, Probe, all_served, until
from tests.e2e.spending import Spending

DOWN_S = (0.0, 2.0, 7.0)  # at once, a restart, longer than a batch waits for its acknowledgment
SEED = 20261123


@pytest.fixture
def broker(tmp_path: Path, guard: Guard) -> Iterator[Engine]:
    """A broker that this test may kill, apart from the session's."""
    if "SCRIP_KAFKA_BOOTSTRAP" in os.environ:
        pytest.skip("SCRIP_KAFKA_BOOTSTRAP names a cluster that is not ours to kill")
    engine = Engine(tmp_path / "broker", guard=guard)
    engine.start_kafka()
    yield engine
    engine.kafka.stop()


def _hears_more(caller: Caller) -> Probe:
    enough = len(caller.told) + 32

    async def heard() -> bool:
        return len(caller.told) >= enough

    return heard


async def test_a_killed_broker_loses_nothing_and_doubles_nothing(
    broker: Engine, engine: Engine, tmp_path: Path, guard: Guard
) -> None:
    bootstrap, chance = broker.bootstrap, random.Random(SEED)
    await ensure_topics(bootstrap, partitions=2, single_broker=True)
    pair = [Ledger(name, bootstrap, "", tmp_path, guard) for name in "ab"]
    for ledger in pair:
        ledger.start()
    async with Caller(bootstrap, "") as caller:
        spending = Spending(caller, "broker", callers=32)
        await spending.start()
        back = []
        for down_s in DOWN_S:
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            await asyncio.to_thread(broker.kill_kafka)
            await asyncio.sleep(down_s)
            begun = time.monotonic()
            await asyncio.to_thread(broker.start_kafka)
            await until(_hears_more(caller), 45.0, pair[0].logged)
            back.append(time.monotonic() - begun)
        await all_served(pair, 2)
        await spending.stop()
        found = await audit(bootstrap, "", caller.told)
        print(
            f"{len(DOWN_S)} kills of the broker · served again"
            f" {', '.join(f'{s:.1f}' for s in back)} s after its start ·"
            f" longest wait {caller.longest_s:.1f} s · {caller.resent} asked again · {found}"
        )
        assert found.available + found.held == 6_000_000 - spending.spent
    proof = await proved(bootstrap, engine.postgres_url, "", tmp_path, guard)
    print(f"scrip verify: {len(proof['checks'])} checks, 0 differences")
    for ledger in pair:
        assert await ledger.stop() == 0, ledger.process.tail()
        assert "partition_halted" not in ledger.logged(), ledger.logged()
