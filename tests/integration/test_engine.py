"""The engine on its own: ready in seconds, keeps what it was given, touches only its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from engine import pidfiles
from engine.errors import EngineError, NotReady, PortInUse
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from engine.processes import Process

START_SECONDS_MAX = 10.0  # the promise; about one second on an idle machine
TOPIC = "kept"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Engine]:
    """An engine that these tests may kill, apart from the session's."""
    if {"SCRIP_KAFKA_BOOTSTRAP", "SCRIP_POSTGRES_URL", "SCRIP_ENGINE"} & os.environ.keys():
        pytest.skip("the environment names other servers; nothing here to start")
    engine = Engine(tmp_path_factory.mktemp("engine"), guard=guard)
    started = time.monotonic()
    engine.start()
    assert time.monotonic() - started < START_SECONDS_MAX
    yield engine
    engine.forget()


async def _put(bootstrap: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if TOPIC not in await admin.list_topics():
            await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value)
    finally:
        await producer.stop()


async def _all(bootstrap: str) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        values: list[bytes | None] = []
        while len(values) < sum(ends.values()):
            values.append((await consumer.getone()).value)
        return values
    finally:
        await consumer.stop()


def _kafka(engine: Engine) -> Process:
    return next(process for process in engine.processes() if process.name == "Kafka")


def _rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n")]


def _insert(url: str, n: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n bigint)")
        connection.execute("INSERT INTO kept VALUES (%s)", (n,))


async def test_kafka_keeps_what_it_acknowledged_through_kill_9(own: Engine) -> None:
    await _put(own.bootstrap, b"before")
    address = own.bootstrap
    own.kill_kafka()
    assert not _kafka(own).alive
    own.start_kafka()
    assert own.bootstrap == address
    await _put(own.bootstrap, b"after")
    assert await _all(own.bootstrap) == [b"before", b"after"]


def test_postgres_keeps_what_it_committed_through_kill_9(own: Engine) -> None:
    _insert(own.postgres_url, 1)
    with psycopg.connect(own.postgres_url):  # a session holds the memory of the dead server
        own.kill_postgres()
        own.start_postgres()
    _insert(own.postgres_url, 2)
    assert _rows(own.postgres_url) == [1, 2]


async def test_state_is_reused_after_a_stop(own: Engine) -> None:
    _insert(own.postgres_url, 3)
    await _put(own.bootstrap, b"kept")
    own.stop()
    again = Engine(own.state, guard=own.guard)  # other free ports: the state does not mind
    again.start()
    try:
        assert _rows(again.postgres_url)[-1] == 3
        assert (await _all(again.bootstrap))[-1] == b"kept"
    finally:
        again.stop()
        own.start()


def test_a_second_engine_on_the_same_state_takes_over_what_runs(own: Engine) -> None:
    second = Engine(own.state)
    second.start()
    assert (second.bootstrap, second.postgres_url) == (own.bootstrap, own.postgres_url)
    assert _kafka(second).pid == _kafka(own).pid


@pytest.mark.parametrize(("which", "what"), [("kafka_port", "Kafka"), ("postgres_port", "Postgre")])
def test_a_port_in_use_is_refused_by_number(
    tmp_path: Path, which: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCRIP_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("SCRIP_POSTGRES_URL", raising=False)
    monkeypatch.setenv("SCRIP_ENGINE", "local")
    with socket.socket() as taken:
        port = free_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        engine = Engine(tmp_path, **{which: port})  # type: ignore[arg-type]
        start = engine.kafka.start if what == "Kafka" else engine.postgres.start
        with pytest.raises(PortInUse, match=f"port {port} .* {what}.* is in use.*set SCRIP_"):
            start()


def test_a_stale_pid_file_never_hits_a_stranger(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        pid_file = tmp_path / "x.pid"
        pidfiles.write(pid_file, stranger.pid)
        true = pidfiles.load(pid_file)
        assert true is not None
        assert pidfiles.send(true, 0)
        stale = pidfiles.Record(pid=stranger.pid, born="an earlier life")
        assert not pidfiles.is_alive(stale)
        assert not pidfiles.send(stale, signal.SIGKILL)
        assert stranger.poll() is None
    finally:
        stranger.communicate()


def test_foreign_servers_are_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIP_KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setenv("SCRIP_POSTGRES_URL", "postgresql://db.example/scrip")
    engine = Engine(tmp_path)
    engine.start()
    assert (engine.bootstrap, engine.postgres_url) == (
        "kafka.example:9092",
        "postgresql://db.example/scrip",
    )
    with pytest.raises(EngineError, match="not ours"):
        engine.kill_kafka()
    with pytest.raises(EngineError, match="not ours"):
        engine.kill_postgres()
    engine.stop()


def test_a_process_that_dies_at_once_shows_its_log(tmp_path: Path) -> None:
    program = Process(
        "brief", [sys.executable, "-c", "print('why I died')"], log=tmp_path / "brief.log"
    )
    program.start()
    with pytest.raises(NotReady, match=r"brief ended with 0[\s\S]*why I died"):
        program.wait_ready("never said")


def test_a_process_is_paused_resumed_and_stopped(tmp_path: Path, guard: Guard) -> None:
    code = "import time\nprint('up', flush=True)\ntime.sleep(60)"
    program = Process(
        "sleeper", [sys.executable, "-c", code], log=tmp_path / "sleeper.log", guard=guard
    )
    program.start()
    program.wait_ready("up")
    program.pause()
    assert program.alive
    assert program.stop() == -signal.SIGTERM  # also from a pause
    assert not program.alive


def test_nothing_outlives_a_session_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
from engine.guard import Guard
from engine.processes import Process
child = Process("child", [sys.executable, "-c", "import time; time.sleep(60)"],
                log=Path({str(tmp_path)!r}) / "log", pid_file=Path({str(tmp_path)!r}) / "pid",
                guard=Guard())
child.start()
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    record = pidfiles.load(tmp_path / "pid")
    assert record is not None
    deadline = time.monotonic() + 10
    while pidfiles.is_alive(record) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not pidfiles.is_alive(record)
