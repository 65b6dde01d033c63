"""Paid and not credited, credited and not paid: broken on purpose, and the gauge rises."""

from typing import Any

import psycopg
import pytest
from bus.gauges import InvariantGauges
from contracts.invariants import Invariant
from payments.watching import Watch
from prometheus_client import CollectorRegistry
from psycopg_pool import ConnectionPool

from tests.e2e.shop import Shop, until_credited
from tests.e2e.test_money_back import WORKS, paid_by
from tests.integration.gateway_world import fresh

PAID, CREDITED = Invariant.PAID_NOT_CREDITED, Invariant.CREDITED_NOT_PAID
AGED = "UPDATE payments.purchases SET {0} = {0} - 3600000 WHERE account = '{1}'"


def changed(shop: Shop, statement: str) -> None:
    with psycopg.connect(shop.world.database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())


async def looked(shop: Shop) -> dict[str, float]:
    """Violations of each invariant that was looked at."""
    registry = CollectorRegistry()
    pool: ConnectionPool[psycopg.Connection[tuple[Any, ...]]] = ConnectionPool(
        shop.world.database, min_size=1, open=True
    )
    with pool:
        await Watch(pool, InvariantGauges(registry)).sweep(rest_s=0.0)
    return {
        sample.labels["invariant"]: sample.value
        for family in registry.collect()
        for sample in family.samples
        if family.name == "scrip_invariant_violations"
    }


@pytest.mark.parametrize(
    ("change", "back", "expected"),
    [
        (
            "UPDATE payments.purchases SET credited_at = 0 WHERE account = '{}'",
            "UPDATE payments.purchases SET credited_at = paid_at WHERE account = '{}'",
            {PAID: 1, CREDITED: 0},
        ),
        (
            "UPDATE read.lots SET source = source || 'x' WHERE account = '{}'",
            "UPDATE read.lots SET source = rtrim(source, 'x') WHERE account = '{}'",
            {PAID: 1, CREDITED: 0},
        ),
        (
            "UPDATE payments.purchases SET paid_at = -paid_at WHERE account = '{}'",
            "UPDATE payments.purchases SET paid_at = -paid_at WHERE account = '{}'",
            {PAID: 0, CREDITED: 1},
        ),
    ],
    ids=["no answer of the ledger", "no such lot", "a lot that nobody paid"],
)
async def test_a_changed_row_raises_its_gauge(
    shop: Shop, change: str, back: str, expected: dict[Invariant, int]
) -> None:
    account = fresh("hal")
    async with shop.world.client() as person:
        session = await paid_by(shop, person, account, WORKS)
        await until_credited(person, session)
    for column in ("paid_at", "credited_at", "changed_at"):
        changed(shop, AGED.format(column, account))
    before = await looked(shop)
    changed(shop, change.format(account))
    try:
        after = await looked(shop)
    finally:
        changed(shop, back.format(account))
    risen = {name: after[name] - before[name] for name in after}
    assert risen == expected
    assert await looked(shop) == before
