"""The projector dies between any two steps, and of kill -9 at random: nothing lost or doubled."""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import pytest
from audit_projector import auditlog, models, project
from audit_projector.migrating import migrate
from engine.guard import Guard
from engine.local import Engine

from tests.integration.projector_world import Place, fresh_database, worlds


class Fate:
    """Decides that the n-th step of an attempt fails; the next attempt gets one step further."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        self.at = 1
        self.steps = 0
        self.deaths: list[str] = []

    def step(self, name: str, error: type[Exception]) -> None:
        self.steps += 1
        if self.at <= self.attempts and self.steps == self.at:
            self.at += 1
            self.steps = 0
            self.deaths.append(name)
            raise error(f"killed at {name}")


def dying(fate: Fate) -> type[psycopg.Cursor[Any]]:
    """A cursor on a real connection that may die before and after each thing it does."""

    class Copying:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __enter__(self) -> Any:
            fate.step("copy begins", psycopg.OperationalError)
            return self.inner.__enter__()

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            self.inner.__exit__(kind, error, trace)
            fate.step("copied", psycopg.OperationalError)

    class Dying(psycopg.Cursor[Any]):
        def execute(self, *arguments: Any, **named: Any) -> Any:
            fate.step("statement", psycopg.OperationalError)
            done = super().execute(*arguments, **named)
            fate.step("executed", psycopg.OperationalError)
            return done

        def copy(self, *arguments: Any, **named: Any) -> Any:
            return Copying(super().copy(*arguments, **named))

    return Dying


@pytest.fixture
def place(engine: Engine, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        yield Place(engine.bootstrap, url, topic_prefix, tmp_path)


def _after(fate: Fate, work: Callable[..., Any], name: str, error: type[Exception]) -> Any:
    def worked(*arguments: Any) -> Any:
        done = work(*arguments)
        fate.step(name, error)
        return done

    return worked


async def test_dying_at_each_step_of_a_transaction_changes_nothing(
    engine: Engine, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [world.log for world in worlds(2, 350)]
    await place.make_topic()
    await place.write(logs)
    await place.project()
    clean = place.dump()
    fate = Fate(attempts=60)
    monkeypatch.setattr(project, "BACK_OFF_S", 0.0)
    monkeypatch.setattr(project, "BATCH_RECORDS_MAX", 60)
    monkeypatch.setattr(
        models.Models,
        "write",
        _after(fate, models.Models.write, "committed, unseen", psycopg.OperationalError),
    )
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        other = Place(engine.bootstrap, url, place.settings.prefix, place.folder)
        connect = partial(psycopg.Connection.connect, cursor_factory=dying(fate))
        monkeypatch.setattr("audit_projector.models.psycopg.connect", connect)
        await other.project()
        monkeypatch.undo()

        assert len(fate.deaths) == fate.attempts
        assert set(fate.deaths) == {
            *("statement", "executed", "copy begins", "copied", "committed, unseen")
        }
        assert other.dump() == clean


async def test_dying_at_each_step_of_the_log_changes_no_byte(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [world.log for world in worlds(3, 350)]
    await place.make_topic()
    await place.write(logs)
    await place.keep()
    clean = files(place)
    fate = Fate(attempts=60)
    chance = random.Random(3)
    monkeypatch.setattr(auditlog, "BACK_OFF_S", 0.0)
    monkeypatch.setattr(auditlog, "BATCH_RECORDS_MAX", 40)
    real: Callable[[int, Any], int] = os.write

    def torn(descriptor: int, raw: Any) -> int:
        fate.step("before a write", OSError)
        if fate.steps % 3 == 0 and fate.at <= fate.attempts:
            real(descriptor, raw[: chance.randrange(1, len(raw))])
            fate.at, fate.steps = fate.at + 1, 0
            fate.deaths.append("torn")
            raise OSError("killed inside a write")
        return real(descriptor, raw)

    monkeypatch.setattr(os, "write", torn)
    monkeypatch.setattr(os, "fdatasync", _after(fate, os.fdatasync, "synced", OSError))
    again = Place(
        place.settings.bootstrap,
        place.settings.postgres_url,
        place.settings.prefix,
        place.folder / "again",
    )
    await again.keep()
    monkeypatch.undo()

    assert set(fate.deaths) == {"before a write", "torn", "synced"}
    assert files(again) == clean


async def test_kill_9_at_random_moments_under_load(place: Place, guard: Guard) -> None:
    logs = [world.log for world in worlds(4, 6_000, accounts=30)]
    chance = random.Random(4)
    await place.make_topic()
    writing = asyncio.create_task(place.write(logs, pause_s=0.5))
    running = place.process("projector", guard, "audit-projector", "run")
    kills = moved = 0
    while not writing.done():
        before = _stands(place)
        running.start()
        await asyncio.to_thread(_moves, place, before)
        await asyncio.sleep(chance.uniform(0.0, 0.7))
        await asyncio.to_thread(running.kill)
        kills += 1
        moved += before < _stands(place)
    await writing
    running.start()
    try:
        verified = await place.scrip("verify", "--wait", "60")
    finally:
        code = await asyncio.to_thread(running.stop)

    assert kills >= 4
    assert moved >= 3, "no kill met a projector at work"
    assert verified.returncode == 0, verified.stdout + verified.stderr + running.tail()
    assert code == 0


def _moves(place: Place, before: int) -> None:
    """Wait until the read models go on, or long enough."""
    until = time.monotonic() + 10.0
    while _stands(place) == before and time.monotonic() < until:
        time.sleep(0.01)


def _stands(place: Place) -> int:
    return sum(row[0] for row in place.rows('SELECT "offset" FROM read.progress'))


def files(place: Place) -> dict[str, bytes]:
    return {
        str(file.relative_to(place.settings.audit_folder)): file.read_bytes()
        for file in sorted(place.settings.audit_folder.rglob("*"))
        if file.suffix in {".jsonl", ".json"}
    }
