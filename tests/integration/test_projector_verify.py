"""`scrip verify` finds every change; `scrip replay`, `explain` and `rebuild` say what they must."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from audit_projector import project, schema
from audit_projector.metrics import Metrics
from audit_projector.migrating import migrate
from engine.local import Engine

from tests.integration.projector_world import Place, fresh_database, worlds
from tests.unit.audit_projector.world import World

DIFFERENCE, NOT_FOUND, DEPENDENCY = 3, 4, 6


@pytest.fixture(scope="module")
def found() -> list[World]:
    return worlds(6, 300)


@pytest.fixture(scope="module")
async def place(
    engine: Engine, found: list[World], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        folder = tmp_path_factory.mktemp("verify")
        place = Place(engine.bootstrap, url, f"{url[-12:]}.", folder)
        await place.make_topic()
        await place.write([world.log for world in found])
        await asyncio.gather(place.project(), place.keep())
        yield place


@pytest.fixture
def log(place: Place) -> Iterator[Path]:
    """A file of the compliance log, put back after the test."""
    (file,) = (place.settings.audit_folder / "001").glob("*.jsonl")
    before = file.read_bytes()
    yield file
    file.write_bytes(before)


async def differs(place: Place, *words: str) -> None:
    verified = await place.scrip("verify", "--wait", "0")
    assert verified.returncode == DIFFERENCE, verified.stdout + verified.stderr
    for word in words:
        assert word in verified.stdout


def _flip(lines: list[bytes]) -> None:
    raw = bytearray(lines[40])
    raw[raw.index(b'"seq":') + 6] ^= 1
    lines[40] = bytes(raw)


def _swap(lines: list[bytes]) -> None:
    lines[40], lines[41] = lines[41], lines[40]


def _rewrite(lines: list[bytes]) -> None:
    """A cleverer hand: another amount, and every hash from there on worked out anew."""
    from hashlib import sha256

    from audit_projector import line as chained
    from audit_projector.canonical import canonical

    previous = bytes.fromhex(json.loads(lines[39])["hash"])
    for at in range(40, len(lines)):
        line = json.loads(lines[at])
        del line["hash"]
        line["prevhash"] = previous.hex()
        if at == 40:
            line["data"]["at"] += 1
        body = canonical(json.dumps(line).encode())
        previous = sha256(chained.TAG + chained.VERSION + previous + body).digest()
        line["hash"] = previous.hex()
        lines[at] = canonical(json.dumps(line).encode()) + b"\n"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_flip, "its hash is not the hash of its content"),
        (lambda lines: lines.pop(40), "does not follow the line before it"),
        (lambda lines: lines.insert(40, lines[7]), "does not follow the line before it"),
        (_swap, "does not follow the line before it"),
        (lambda lines: lines.__delitem__(slice(-3, None)), "the log ends before offset"),
        (_rewrite, "verifies by itself, but is not the record at offset 40"),
        (lambda lines: lines.append(lines[-1]), "a line that no event says"),
    ],
    ids=["flip", "delete", "insert", "swap", "truncate", "rewrite", "append"],
)
async def test_a_changed_line_is_found(
    place: Place, log: Path, change: Callable[[list[bytes]], object], word: str
) -> None:
    _change(log, change)

    await differs(place, word, "001")


def _change(file: Path, change: Callable[[list[bytes]], object]) -> bytes:
    """Edit a file's lines; returns what it held before."""
    before = file.read_bytes()
    lines = before.splitlines(keepends=True)
    change(lines)
    file.write_bytes(b"".join(lines))
    return before


def _tear(lines: list[bytes]) -> None:
    lines[-1] = lines[-1][:-20]


async def test_a_torn_line_is_no_line_and_is_written_again(place: Place, log: Path) -> None:
    whole = _change(log, _tear)
    await differs(place, "the log ends before offset")

    await place.keep()

    assert _change(log, list) == whole
    assert (await place.scrip("verify", "--wait", "0")).returncode == 0


@pytest.mark.parametrize(
    ("change", "back", "word"),
    [
        (
            "UPDATE read.balances SET available = available + 1 WHERE account = '{}'",
            "UPDATE read.balances SET available = available - 1 WHERE account = '{}'",
            "balances",
        ),
        (
            "UPDATE read.lots SET available = available - 1 WHERE account = '{}'",
            "UPDATE read.lots SET available = available + 1 WHERE account = '{}'",
            "lots",
        ),
        (
            "UPDATE read.reservations SET charged = charged + 1 WHERE account = '{}'",
            "UPDATE read.reservations SET charged = charged - 1 WHERE account = '{}'",
            "ended reservations",
        ),
        (
            "UPDATE read.usage SET runs = runs + 1 WHERE account = '{}'",
            "UPDATE read.usage SET runs = runs - 1 WHERE account = '{}'",
            "usage",
        ),
        (
            "UPDATE read.controls SET account = account || 'x' WHERE account = '{}'",
            "UPDATE read.controls SET account = '{0}' WHERE account = '{0}x'",
            "controls",
        ),
    ],
)
async def test_a_changed_row_is_found(
    place: Place, found: list[World], change: str, back: str, word: str
) -> None:
    account = place.rows("SELECT min(account) FROM read.controls")[0][0]
    with psycopg.connect(place.settings.postgres_url) as connection:
        connection.execute(change.format(account).encode())
    try:
        await differs(place, f"{word}", account, "events say")
    finally:
        with psycopg.connect(place.settings.postgres_url) as connection:
            connection.execute(back.format(account).encode())
    assert (await place.scrip("verify", "--wait", "0")).returncode == 0


async def test_read_models_that_do_not_come_along_are_a_dependency_that_is_down(
    place: Place, topic_prefix: str, engine: Engine
) -> None:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        behind = Place(engine.bootstrap, url, place.settings.prefix, place.folder)
        verified = await behind.scrip("verify", "--wait", "0.2")
    assert verified.returncode == DEPENDENCY
    assert "is the audit-projector running?" in verified.stderr


@pytest.mark.parametrize("setting", ["SCRIP_KAFKA_BOOTSTRAP", "SCRIP_POSTGRES_URL"])
async def test_without_a_dependency_it_says_which_code_means_that(
    place: Place, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {
        "SCRIP_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "SCRIP_POSTGRES_URL": "postgresql://127.0.0.1:1/x",
    }
    monkeypatch.setitem(place.env, setting, away[setting])

    verified = await place.scrip("verify", "--wait", "0")

    assert verified.returncode == DEPENDENCY, verified.stderr
    assert "Traceback" not in verified.stderr


async def test_replay_says_what_the_ledger_says_and_always_the_same(
    place: Place, found: list[World]
) -> None:
    one, two = await asyncio.gather(
        place.scrip("replay", "--json"), place.scrip("replay", "--json")
    )

    replayed = json.loads(one.stdout)
    assert one.stdout == two.stdout
    assert one.returncode == 0
    for world in found:
        for account in world.ledger.accounts.all():
            if account.lots:
                amounts = replayed["accounts"][account.id]
                assert amounts["available"] == account.available
                assert amounts["held"] == account.held
                assert amounts["spent"] == account.spent
                assert amounts["expired"] == account.expired
    assert replayed["totals"]["granted"] > 0


async def test_replay_as_of_the_beginning_and_of_now(place: Place) -> None:
    before, now, wrong = await asyncio.gather(
        place.scrip("replay", "--json", "--as-of", "2020-01-01T00:00:00Z"),
        place.scrip("replay", "--json", "--as-of", "2999-01-01T00:00:00Z"),
        place.scrip("replay", "--as-of", "yesterday"),
    )
    whole = json.loads((await place.scrip("replay", "--json")).stdout)

    assert json.loads(before.stdout)["accounts"] == {}
    assert json.loads(now.stdout)["sha256"] == whole["sha256"]
    assert wrong.returncode == 2


async def test_explain_sums_up_to_the_number_shown(place: Place) -> None:
    account, available, spent = place.rows(
        "SELECT account, available, spent FROM read.balances ORDER BY spent DESC LIMIT 1"
    )[0]

    one = json.loads((await place.scrip("explain", account, "--json")).stdout)
    two = json.loads((await place.scrip("explain", account, "--part", "spent", "--json")).stdout)

    assert sum(step["change"] for step in one["steps"]) == one["value"] == available
    assert sum(step["change"] for step in two["steps"]) == two["value"] == spent > 0
    assert one["stated"] == available
    assert len(one["steps"]) < one["events"]


async def test_explain_of_an_account_that_never_was(place: Place) -> None:
    found = await place.scrip("explain", "nobody")

    assert found.returncode == NOT_FOUND
    assert "nobody" in found.stderr


async def test_status_says_where_everything_stands(place: Place, found: list[World]) -> None:
    told = json.loads((await place.scrip("audit-projector", "status", "--json")).stdout)

    ends = [len(world.log) for world in found]
    assert [one["end"] for one in told] == ends
    assert [one["readModels"] for one in told] == ends
    assert [one["auditLog"] for one in told] == ends


async def test_a_rebuild_gives_the_same_rows_while_a_projector_runs_and_readers_read(
    place: Place,
) -> None:
    before = place.dump()
    running = asyncio.create_task(
        project.project(
            place.settings.bootstrap,
            place.settings.postgres_url,
            place.settings.prefix,
            Metrics(),
            schema=schema.SCHEMA,
        )
    )
    rebuilt = asyncio.create_task(place.scrip("audit-projector", "rebuild"))
    seen = 0
    try:
        while not rebuilt.done():
            assert place.rows("SELECT count(*) FROM read.balances")[0][0] == len(before["balances"])
            seen += 1
            await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert (await rebuilt).returncode == 0, (await rebuilt).stderr
    assert seen > 5
    assert place.dump() == before
    assert place.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read%'") == [("read",)]
    assert (await place.scrip("verify", "--wait", "0")).returncode == 0
