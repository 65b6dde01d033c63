"""The engine's kept containers: found again with their state, by nobody's memory but their name."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from engine.containers import docker_answers
from engine.errors import PortInUse
from engine.local import DOWN, Engine
from engine.ports import free_port

pytestmark = pytest.mark.skipif(not docker_answers(), reason="no Docker engine answers here")


Ports = tuple[int, int]


@pytest.fixture
def ports() -> Ports:
    return free_port(), free_port()


@pytest.fixture
def kept(tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.delenv("SCRIP_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("SCRIP_POSTGRES_URL", raising=False)
    monkeypatch.setenv("SCRIP_ENGINE", "docker")
    engine = _engine(tmp_path, ports)
    engine.start()
    try:
        yield engine
    finally:
        engine.forget()


def _engine(state: Path, ports: Ports) -> Engine:
    return Engine(state, kafka_port=ports[0], postgres_port=ports[1], keep=True)


def _write(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (n bigint)")


async def _topics(bootstrap: str, *new: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if new:
            await admin.create_topics([NewTopic(name, 1, 1) for name in new])
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_whoever_names_the_folder_finds_them_with_their_state(
    kept: Engine, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(kept.postgres_url)
    await _topics(kept.bootstrap, "kept")
    kept.stop()
    monkeypatch.delenv("SCRIP_ENGINE")  # the folder knows how it was made
    again = _engine(kept.state, ports)
    assert set(again.states().values()) == {DOWN}
    again.start()
    assert DOWN not in again.states().values()
    with psycopg.connect(again.postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert "kept" in await _topics(again.bootstrap)


async def test_a_killed_one_comes_back(kept: Engine) -> None:
    await _topics(kept.bootstrap, "kept")
    kept.kill_kafka()
    assert kept.states()["Kafka"] == DOWN
    kept.start()
    assert "kept" in await _topics(kept.bootstrap)


def test_another_port_is_refused_and_says_how_to_go_on(kept: Engine) -> None:
    other = _engine(kept.state, (free_port(), free_port()))
    with pytest.raises(PortInUse, match=r"was made for port \d+.*SCRIP_POSTGRES_PORT=\d+"):
        other.start()
    assert DOWN not in kept.states().values()
