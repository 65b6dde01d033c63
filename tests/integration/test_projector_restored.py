"""The topic is written again from the compliance log, and everything agrees as it did before."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from audit_projector.migrating import migrate
from contracts.topics import EVENTS
from engine.local import Engine

from tests.integration.projector_world import Place, fresh_database, worlds


@pytest.fixture
def place(engine: Engine, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        yield Place(engine.bootstrap, url, topic_prefix, tmp_path)


async def test_a_topic_that_is_gone_is_written_again_and_verifies(place: Place) -> None:
    await place.make_topic()
    await place.write([world.log for world in worlds(3, 300)])
    await place.keep()
    topic = place.settings.prefix + EVENTS.name
    admin = AIOKafkaAdminClient(bootstrap_servers=place.settings.bootstrap)
    await admin.start()
    await admin.delete_topics([topic])
    async with asyncio.timeout(20):
        there = True
        while there:
            await asyncio.sleep(0.1)
            there = topic in await admin.list_topics()
    await admin.close()

    restored = await place.scrip("audit-projector", "restore")
    assert restored.returncode == 0, restored.stderr
    assert "partition 1:" in restored.stdout
    await place.project()
    verified = await place.scrip("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "verify: ok" in verified.stdout

    again = await place.scrip("audit-projector", "restore")
    assert (again.returncode, "is not empty" in again.stderr) == (5, True)
