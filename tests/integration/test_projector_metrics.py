"""/metrics of the running process: both projections, where they stand, and what ends with it."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_projector.auditlog import LogInUse, only_writer
from audit_projector.migrating import migrate
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port

from tests.integration.projector_world import Place, fresh_database, worlds


@pytest.fixture
def place(engine: Engine, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        yield Place(engine.bootstrap, url, topic_prefix, tmp_path)


async def test_a_running_projector_shows_where_it_stands_and_ends_in_order(
    place: Place, guard: Guard
) -> None:
    logs = [world.log for world in worlds(8, 200)]
    await place.make_topic()
    await place.write(logs)
    port = free_port()
    place.env["SCRIP_METRICS_PORT"] = str(port)
    running = place.process("projector", guard, "audit-projector", "run")
    running.start()
    try:
        shown = await asyncio.to_thread(_shown, port, [len(log) for log in logs])
        with pytest.raises(LogInUse), only_writer(place.settings.audit_folder):
            pass
    finally:
        code = await asyncio.to_thread(running.stop)

    assert code == 0, running.tail()
    for name in (
        "scrip_projection_last_applied_timestamp_seconds",
        "scrip_projection_current_timestamp_seconds",
        "scrip_consumer_lag_messages",
        "scrip_projection_skipped_events_total",
        "scrip_projection_records_total",
        "scrip_projection_commit_seconds_count",
    ):
        assert name in shown
    with only_writer(place.settings.audit_folder):  # the child is gone with its parent
        verified = await place.scrip("verify", "--json", "--wait", "0")
    assert verified.returncode == 0, verified.stdout
    assert sum(check["differences"] for check in json.loads(verified.stdout)["checks"]) == 0


def _shown(port: int, ends: list[int]) -> str:
    """The metrics, once both projections show that they reached the ends."""
    wanted = [
        f'scrip_projection_position{{partition="{n}",projection="{name}"}} {end}.0'
        for n, end in enumerate(ends)
        for name in ("read-models", "audit-log")
    ]
    text = ""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as answer:
                text = answer.read().decode()
        except OSError:
            text = ""
        if all(line in text for line in wanted) and "scrip_consumer_lag_messages" in text:
            return text
        time.sleep(0.1)
    raise AssertionError(f"{wanted} not in {text}")
