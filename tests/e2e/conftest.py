"""One shop for all tests that only buy in it: starting it costs more than most of them."""

from collections.abc import Iterator

import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.databases import database_of
from tests.e2e.shop import Shop, shop_of


@pytest.fixture(scope="session")
def shop(engine: Engine, guard: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A running shop; use accounts of your own."""
    folder = tmp_path_factory.mktemp("shop")
    with database_of(engine) as database, shop_of(engine, database, folder, guard) as made:
        yield made
