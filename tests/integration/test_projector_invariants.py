"""Each invariant is broken on purpose, in PostgreSQL or in the compliance log: its gauge rises."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from audit_projector import line as chained
from audit_projector.canonical import canonical
from audit_projector.migrating import migrate
from audit_projector.watching import Watch
from bus.gauges import InvariantGauges
from contracts.invariants import Invariant
from engine.local import Engine
from prometheus_client import CollectorRegistry

from tests.integration.projector_world import Place, fresh_database, worlds

OURS = set(Invariant) - {Invariant.PAID_NOT_CREDITED, Invariant.CREDITED_NOT_PAID}


@pytest.fixture(scope="module")
async def place(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    with fresh_database(engine.postgres_url) as url:
        migrate(url)
        place = Place(engine.bootstrap, url, f"{url[-12:]}.", tmp_path_factory.mktemp("watched"))
        await place.make_topic()
        await place.write([world.log for world in worlds(7, 400)])
        await asyncio.gather(place.project(), place.keep())
        yield place


@pytest.fixture
def log(place: Place) -> Iterator[Path]:
    """A file of the compliance log, put back after the test."""
    (file,) = (place.settings.audit_folder / "001").glob("*.jsonl")
    before = file.read_bytes()
    yield file
    file.write_bytes(before)


async def looked(place: Place) -> tuple[set[str], set[str]]:
    """The invariants that were looked at, and those of them with violations."""
    registry = CollectorRegistry()
    watch = Watch(
        place.settings.postgres_url,
        place.settings.audit_folder,
        InvariantGauges(registry),
        rests=0.0,
    )
    await watch.sweep()
    seen, violated = set(), set()
    for family in registry.collect():
        for sample in family.samples:
            name = sample.labels["invariant"]
            if family.name == "scrip_invariant_last_check_timestamp_seconds":
                seen.add(name)
            elif sample.value:
                violated.add(name)
    return seen, violated


def changed(place: Place, statement: str) -> None:
    with psycopg.connect(place.settings.postgres_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # past what forbids changes
        connection.execute(statement.encode())


async def test_everything_is_looked_at_and_nothing_is_violated(place: Place) -> None:
    assert await looked(place) == (set(OURS), set())


REPLAY = Invariant.PROJECTION_IS_REPLAY
ROWS: dict[str, tuple[str, str, set[Invariant]]] = {
    "credits that nobody gave": (
        "UPDATE read.balances SET granted = granted + 1 WHERE account = '{}'",
        "UPDATE read.balances SET granted = granted - 1 WHERE account = '{}'",
        {Invariant.SUMS_ZERO, REPLAY},
    ),
    "a debt below nothing": (
        "UPDATE read.balances SET debt = debt - 1000000 WHERE account = '{}'",
        "UPDATE read.balances SET debt = debt + 1000000 WHERE account = '{}'",
        {Invariant.NO_NEGATIVE_PART, REPLAY},
    ),
    "held by no run": (
        "UPDATE read.balances SET held = held + 1, available = available - 1 WHERE account = '{}'",
        "UPDATE read.balances SET held = held - 1, available = available + 1 WHERE account = '{}'",
        {Invariant.HELD_IS_RESERVATIONS, Invariant.LOTS_ARE_AVAILABLE, REPLAY},
    ),
    "a lot with more than there is": (
        "UPDATE read.lots SET available = available + 1 WHERE account = '{}'",
        "UPDATE read.lots SET available = available - 1 WHERE account = '{}'",
        {Invariant.LOTS_ARE_AVAILABLE, REPLAY},
    ),
    "an event that was not projected": (
        "UPDATE read.entries SET account = account || 'x' WHERE account = '{}' AND version = 1",
        "UPDATE read.entries SET account = '{0}' WHERE account = '{0}x' AND version = 1",
        {REPLAY},
    ),
    "an account that is gone": (
        "UPDATE read.balances SET account = account || 'x' WHERE account = '{}'",
        "UPDATE read.balances SET account = '{0}' WHERE account = '{0}x'",
        {Invariant.HELD_IS_RESERVATIONS, Invariant.LOTS_ARE_AVAILABLE, REPLAY},
    ),
}


@pytest.mark.parametrize("name", ROWS)
async def test_a_changed_row_raises_its_gauge(place: Place, name: str) -> None:
    change, back, expected = ROWS[name]
    account = place.rows(
        "SELECT account FROM read.balances WHERE held > 0 AND available > 0 ORDER BY 1 LIMIT 1"
    )[0][0]
    changed(place, change.format(account))
    try:
        seen, violated = await looked(place)
    finally:
        changed(place, back.format(account))
    assert (seen, violated) == (set(OURS), set(expected))
    assert (await looked(place))[1] == set()


def _flip(lines: list[bytes]) -> None:
    raw = bytearray(lines[40])
    raw[raw.index(b'"seq":') + 6] ^= 1
    lines[40] = bytes(raw)


def _leave_out(lines: list[bytes]) -> None:
    """A cleverer hand: a line less, and every hash behind it worked out anew."""
    del lines[40]
    previous = bytes.fromhex(json.loads(lines[39])["hash"])
    for at in range(40, len(lines)):
        line = json.loads(lines[at])
        del line["hash"]
        line["prevhash"] = previous.hex()
        body = canonical(json.dumps(line).encode())
        previous = sha256(chained.TAG + chained.VERSION + previous + body).digest()
        line["hash"] = previous.hex()
        lines[at] = canonical(json.dumps(line).encode()) + b"\n"


def _change(file: Path, change: Callable[[list[bytes]], object]) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    change(lines)
    file.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_flip, Invariant.HASH_CHAIN),
        (lambda lines: lines.pop(40), Invariant.HASH_CHAIN),
        (_leave_out, Invariant.SEQUENCE_GAP),
    ],
    ids=["flip", "delete", "leave out and hash anew"],
)
async def test_a_changed_line_raises_its_gauge(
    place: Place, log: Path, change: Callable[[list[bytes]], object], expected: Invariant
) -> None:
    _change(log, change)
    seen, violated = await looked(place)
    assert expected in violated
    assert (REPLAY in seen) is (expected is Invariant.SEQUENCE_GAP)  # a broken log proves nothing


async def test_a_log_that_is_not_here_is_not_said_to_hold(place: Place, tmp_path: Path) -> None:
    elsewhere = Place(place.settings.bootstrap, place.settings.postgres_url, "", tmp_path)
    seen, violated = await looked(elsewhere)
    assert violated == set()
    assert seen == OURS - {Invariant.HASH_CHAIN, Invariant.SEQUENCE_GAP, REPLAY}
