"""One real Kafka and one real PostgreSQL per test session, gone when the session is gone.

`SCRIP_KAFKA_BOOTSTRAP` and `SCRIP_POSTGRES_URL` name servers to use instead. Tests that need
neither start neither. Make topic names per test (`topic_prefix`); a broker serves the session.
"""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from engine.guard import Guard
from engine.local import Engine
from playwright.async_api import Browser

from tests.browser import chromium
from tests.databases import database_of


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    """Kills whatever it watches when pytest ends, even by SIGKILL. Give it to every Process."""
    with Guard() as guard:
        yield guard


@pytest.fixture(scope="session")
def engine(guard: Guard) -> Iterator[Engine]:
    """Kafka and PostgreSQL on free ports, with their state in a folder of this session."""
    state = Path(tempfile.mkdtemp(prefix="scrip-tests-"))
    state.chmod(0o755)  # run by root, PostgreSQL drops to an account that must get in
    guard.discard(state)
    engine = Engine(state, guard=guard)
    try:
        engine.start()
        yield engine
    finally:
        engine.forget()


@pytest.fixture(scope="session")
def bootstrap(engine: Engine) -> str:
    """Kafka's address."""
    return engine.bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test has, for topics, groups and transactional ids."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="module")
def database(engine: Engine) -> Iterator[str]:
    """The address of a fresh, empty database for this test module."""
    with database_of(engine) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium per test session; make a context of your own for each test."""
    async with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def postgres_url(database: str) -> str:
    """The same as `database`."""
    return database
