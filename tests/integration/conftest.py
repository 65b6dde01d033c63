"""One gateway with everything behind it for all tests of pages: its start is dearer than they."""

from collections.abc import Iterator

import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.databases import database_of
from tests.integration.gateway_world import World, fresh, world
from tests.mailbox import Mailbox, mailbox


@pytest.fixture(scope="session")
def pages_mail() -> Iterator[Mailbox]:
    """The mail that the pages' gateway sends."""
    with mailbox() as box:
        yield box


@pytest.fixture(scope="session")
def pages_api(
    engine: Engine,
    guard: Guard,
    pages_mail: Mailbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A running world with tools and no payments; use accounts of your own."""
    folder, prefix = tmp_path_factory.mktemp("pages"), f"{fresh('t')}."
    services = ("ledger", "audit-projector", "studio-tools", "notifier")
    settings = {"SCRIP_SMTP_URL": pages_mail.url, "SCRIP_RATE_LIMITS": "off"}
    with (
        database_of(engine) as database,
        world(engine, database, prefix, folder, guard, services=services, gateway=settings) as made,
    ):
        yield made
