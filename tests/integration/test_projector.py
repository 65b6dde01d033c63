"""Read models and compliance log over real Kafka and PostgreSQL: complete, published, guarded."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from audit_projector import project, schema
from audit_projector.metrics import Metrics
from audit_projector.migrating import configured, migrate
from audit_projector.models import Models
from audit_projector.project import Halted
from contracts.events import CreditsGranted
from engine.guard import Guard
from engine.local import Engine

from contracts import codec
from tests.integration.projector_world import Place, fresh_database, worlds
from tests.unit.audit_projector.world import World, counted

CONTRACT = Path(__file__).parents[2] / "contracts" / "read-models.sql"
VISIBLE_WITHIN_S = 0.2
TABLES = [
    *("balances", "lots", "reservations", "entries", "usage"),
    *("controls", "freezes", "plans", "transfers", "tool_costs"),
]


@pytest.fixture
def place(engine: Engine, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        yield Place(engine.bootstrap, url, topic_prefix, tmp_path)


@pytest.fixture
async def written(place: Place) -> list[World]:
    found = worlds(1, 700)
    await place.make_topic()
    await place.write([world.log for world in found])
    return found


async def test_everything_that_happened_is_in_the_read_models_and_in_the_log(
    place: Place, written: list[World]
) -> None:
    await asyncio.gather(place.project(), place.keep())

    verified = await place.scrip("verify")

    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "verify: ok, 25 checks" in verified.stdout
    records = sum(len(world.log) for world in written)
    assert f"compliance log, line by line with its hash: {records} compared" in verified.stdout
    for table in TABLES:
        assert place.rows(f"SELECT count(*) FROM read.{table}")[0][0] > 0
    (rejected,) = place.rows("SELECT DISTINCT type FROM read.partition_events")
    assert rejected == ("CommandRejected",)


async def test_an_entry_holds_what_its_event_says(place: Place, written: list[World]) -> None:
    await place.project()

    event = next(
        event
        for _, value in written[0].log
        if isinstance(event := codec.decode_event(value), CreditsGranted)
    )
    query = f"""SELECT seq, at_ms, type, amount, moved, available, grant_id, command_id,
        actor_kind, detail->>'source' FROM read.entries
        WHERE account = '{event.account}' AND version = {event.version}"""

    assert event.balance is not None
    assert place.rows(query) == [
        (
            *(event.seq, event.at, "CreditsGranted", event.amount, event.amount),
            *(event.balance.available, event.grant, event.grant, "payments", event.source),
        )
    ]


async def test_an_event_is_visible_at_once_when_nothing_else_happens(place: Place) -> None:
    await place.make_topic()
    world = World(5, partitions=2).go_on(0)
    await place.write([world.log, []])
    running = asyncio.create_task(
        project.project(
            place.settings.bootstrap,
            place.settings.postgres_url,
            place.settings.prefix,
            Metrics(),
            schema=schema.SCHEMA,
        )
    )
    try:
        await _reaches(place, len(world.log), 10.0)
        took = []
        for _ in range(7):
            begun = len(world.log)
            world.go_on(1)
            await place.write([world.log[begun:], []])
            before = time.perf_counter()
            await _reaches(place, len(world.log), 5.0)
            took.append(time.perf_counter() - before)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sorted(took)[3] < VISIBLE_WITHIN_S, took


async def _reaches(place: Place, offset: int, within_s: float) -> None:
    until = time.perf_counter() + within_s
    query = 'SELECT coalesce(sum("offset"), 0) FROM read.progress'
    connection = await psycopg.AsyncConnection.connect(place.settings.postgres_url, autocommit=True)
    async with connection:
        while True:
            row = await (await connection.execute(query)).fetchone()
            if row is not None and row[0] == offset:
                return
            assert time.perf_counter() < until, f"stands at {row}, not at {offset}"
            await asyncio.sleep(0.005)


async def test_an_event_of_an_unknown_kind_stops_both_with_a_clear_word(
    place: Place, written: list[World]
) -> None:
    await place.write([[(b"a", b'{"type":"CreditsTeleported","v":1}')], []])
    where = f"{place.settings.prefix}ledger.events/0 at offset {len(written[0].log)}"

    with pytest.raises(Halted, match=r"CreditsTeleported.*upgrade") as models:
        await place.project()
    with pytest.raises(Halted, match=r"CreditsTeleported.*upgrade") as log:
        await place.keep()

    before = place.rows('SELECT "offset" FROM read.progress WHERE partition = 0')
    assert before == [(len(written[0].log),)]
    assert where in str(models.value)
    assert where in str(log.value)


async def test_the_process_ends_with_failure_when_both_stand_still(
    place: Place, guard: Guard
) -> None:
    await place.make_topic()
    await place.write([[(b"a", b'{"type":"CreditsTeleported","v":1}')], []])
    running = place.process("projector", guard, "audit-projector", "run")

    running.start()

    assert await asyncio.to_thread(running.wait, 30), running.tail()
    assert running.exit_code == 1
    assert "CreditsTeleported" in running.tail()


async def test_without_its_schema_it_refuses_and_says_what_to_run(
    engine: Engine, topic_prefix: str, tmp_path: Path
) -> None:
    with fresh_database(engine.postgres_url) as url:
        place = Place(engine.bootstrap, url, topic_prefix, tmp_path)
        found = await place.scrip("audit-projector", "run")

    assert found.returncode == 5
    assert "scrip audit-projector migrate" in found.stderr


def _columns(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("""
            SELECT table_name, column_name, data_type, is_nullable
            FROM information_schema.columns
            WHERE table_schema = 'read' AND table_name <> 'alembic_version'
            UNION ALL
            SELECT tablename, indexname, indexdef, '' FROM pg_indexes
            WHERE schemaname = 'read' AND tablename <> 'alembic_version'
            ORDER BY 1, 2
        """).fetchall()


def test_the_published_contract_is_what_the_migrations_make(engine: Engine) -> None:
    with fresh_database(engine.postgres_url) as one, fresh_database(engine.postgres_url) as two:
        migrate(one)
        with psycopg.connect(two) as connection:
            connection.execute(CONTRACT.read_bytes())

        migrated, published = _columns(one), _columns(two)

    assert len(migrated) > 80
    assert migrated == published


def test_this_version_wants_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configured()).get_current_head() == schema.NEWEST


def test_migrating_again_changes_nothing(place: Place) -> None:
    before = _columns(place.settings.postgres_url)

    migrate(place.settings.postgres_url)

    assert _columns(place.settings.postgres_url) == before


@pytest.mark.parametrize(
    ("role", "statement", "allowed"),
    [
        ("scrip_gateway", "SELECT count(*) FROM read.balances", True),
        ("scrip_gateway", "SELECT count(*) FROM read.progress", True),
        ("scrip_gateway", "UPDATE read.balances SET available = 0", False),
        ("scrip_gateway", "DELETE FROM read.reservations", False),
        ("scrip_gateway", "INSERT INTO read.controls VALUES ('a', '{}', 1, 1)", False),
        ("scrip_gateway", "CREATE TABLE read.mine (a int)", False),
        ("scrip_projector", "UPDATE read.balances SET available = 0", True),
        ("scrip_projector", "UPDATE read.entries SET amount = 0", False),
        ("scrip_projector", "DELETE FROM read.entries", False),
        ("scrip_projector", "TRUNCATE read.entries", False),
        ("scrip_projector", "DELETE FROM read.partition_events", False),
        ("scrip_projector", "DELETE FROM read.balances", False),
        ("scrip", "UPDATE read.entries SET amount = 0", False),
        ("scrip", "DELETE FROM read.partition_events", False),
        ("scrip", "TRUNCATE read.entries", False),
    ],
)
def test_who_may_do_what(place: Place, role: str, statement: str, allowed: bool) -> None:
    with psycopg.connect(place.settings.postgres_url) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        if allowed:
            connection.execute(statement.encode())
        else:
            with pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)
            ):
                connection.execute(statement.encode())
        connection.rollback()


async def test_a_row_that_an_event_needs_and_that_is_gone_stops_the_projection(
    place: Place, written: list[World]
) -> None:
    await place.project()
    begun = [len(world.log) for world in written]
    with psycopg.connect(place.settings.postgres_url) as connection:
        connection.execute("DELETE FROM read.lots")
    for world in written:
        world.go_on(60)
    await place.write([w.log[at:] for w, at in zip(written, begun, strict=True)])

    with pytest.raises(Halted, match="rebuild"):
        await place.project()


async def test_a_second_projector_that_began_at_the_same_place_writes_nothing_twice(
    place: Place, written: list[World]
) -> None:
    await asyncio.gather(place.project(), place.project(), place.project())
    once = place.dump()

    events = sum(1 for w in written for _, event in counted(w.taken()) if event.account)
    assert len(once["entries"]) == events
    models = Models.connect(place.settings.postgres_url)
    try:
        stands = models.positions(2)
    finally:
        models.close()
    assert [stands[n].offset for n in range(2)] == [len(world.log) for world in written]


async def test_a_log_that_is_shorter_than_what_was_read_stops_both(
    place: Place, written: list[World]
) -> None:
    await asyncio.gather(place.project(), place.keep())
    cut = Place(
        place.settings.bootstrap,
        place.settings.postgres_url,
        f"{place.settings.prefix}cut.",
        place.folder,
    )
    await cut.make_topic()
    await cut.write([world.log[:50] for world in written])

    with pytest.raises(Halted, match="cut or made anew"):
        await cut.project()
    with pytest.raises(Halted, match="cut or made anew"):
        await cut.keep()


async def test_an_owner_that_contradicts_the_log_stops_both(
    place: Place, written: list[World]
) -> None:
    claim = written[0].ledger.claim("liar", len(written[0].log))
    claim.seq += 1
    await place.write([[(b"", codec.encode(claim))], []])

    for _ in range(2):  # not even a second attempt passes it
        with pytest.raises(Halted, match="rebuild from offset 0"):
            await place.project()
        with pytest.raises(Halted, match="rebuild from offset 0"):
            await place.keep()
