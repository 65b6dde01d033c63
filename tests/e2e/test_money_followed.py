"""The reconciler sees in the ledger what follows from money in doubt, and mends what is safe.

On the real read models: each purchase is aged in PostgreSQL, so that nothing counts as timing.
"""

import asyncio
import json
from typing import Any

import psycopg
from bus.outbox import Outbox
from bus.partition import partition_of
from contracts.commands import Thaw
from contracts.topics import COMMANDS
from payments.wishes import ACTOR, REASON

from contracts import codec
from tests.e2e.shop import Shop, available, until_credited
from tests.e2e.test_money_back import DISPUTES, FROZEN, HELD, PACK, WORKS, becomes, paid_by, settled
from tests.integration.gateway_world import PARTITIONS, fresh

DIFFERENCES = 3
HALF = 1250  # of the 25.00 that the pack costs


def rows(shop: Shop, query: str, *values: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(shop.world.database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # past what forbids changes
        done = connection.execute(query.encode(), values)
        return done.fetchall() if done.description else []


async def reconciled(shop: Shop, account: str) -> tuple[int, list[dict[str, Any]], dict[str, int]]:
    """The exit code, this account's differences, and all counts, an hour after the change."""
    rows(
        shop,
        "UPDATE payments.purchases SET changed_at = changed_at - 3600000 WHERE account = %s",
        account,
    )
    found = await asyncio.to_thread(shop.scrip, "reconcile", "stripe", "--json")
    report = json.loads(found.stdout)
    lots = rows(shop, "SELECT grant_id FROM read.lots WHERE account = %s", account)
    own = [one for one in report["differences"] if (one["name"],) in lots]
    return found.returncode, own, report["counts"]


async def test_a_disputed_lot_that_somebody_thawed_is_stopped_again(shop: Shop) -> None:
    account = fresh("fred")
    async with shop.world.client() as person:
        session = await paid_by(shop, person, account, DISPUTES)
        await becomes(person, session, "disputed")
        await settled(shop, account, "frozen", FROZEN)
        _, none, counts = await reconciled(shop, account)
        assert none == []
        assert counts["freeze:matched"] >= 1
        ((grant,),) = rows(shop, "SELECT grant_id FROM read.lots WHERE account = %s", account)
        await _ask(shop, Thaw(id="slip", account=account, actor=ACTOR, reason=REASON, grant=grant))
        await settled(shop, account, "slipped", HELD)
        _, (found,), _ = await reconciled(shop, account)
        assert (found["what"], found["state"]) == ("freeze", "missing_there")
        assert found["repaired"] is True
        await settled(shop, account, "again", FROZEN)
        _, none, _ = await reconciled(shop, account)
        assert none == []


async def test_a_refund_that_the_ledger_did_not_follow_needs_a_person(shop: Shop) -> None:
    account = fresh("gina")
    async with shop.world.client() as person:
        session = await paid_by(shop, person, account, WORKS)
        await until_credited(person, session)
        intent = shop.stripe.see(f"checkout/sessions/{session}")["payment_intent"]
        shop.stripe.refund(intent, HALF)
        await available(person, PACK // 2)
        _, none, counts = await reconciled(shop, account)
        assert none == []
        assert counts["revoke:matched"] >= 1
        forged = (
            "UPDATE read.entries SET moved = moved + %s WHERE type = 'CreditsRevoked'"
            " AND account = %s"
        )
        rows(shop, forged, "-1", account)
        try:
            code, (found,), _ = await reconciled(shop, account)
        finally:
            rows(shop, forged, "1", account)
        assert (code, found["what"], found["state"]) == (DIFFERENCES, "revoke", "amount_differs")
        assert "699 of the ledger" in found["detail"]


async def _ask(shop: Shop, command: Thaw) -> None:
    outbox = Outbox(shop.world.engine.bootstrap)
    await outbox.start()
    try:
        partition = partition_of(command.account, PARTITIONS)
        topic = shop.world.prefix + COMMANDS.name
        await outbox.send(topic, partition, command.account.encode(), codec.encode(command))
    finally:
        await outbox.stop()
