"""What once went wrong with money, by name: each is impossible here.

Those of purchases that need no database stand in `tests/unit/payments`; that bought credits are the
ones which are spent stands in `tests/e2e/test_buying.py`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from engine.guard import Guard
from engine.local import Engine
from payments.handling import Hint

from tests.integration.payments_log import balances, grants
from tests.integration.payments_world import World, body_of, signed, until, world

TAKEN = 200


@pytest_asyncio.fixture(scope="module")
async def here(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("weaknesses")
    async with world(engine, database, "weak.", folder, guard) as made:
        yield made


async def status(here: World, account: str, session: str) -> str:
    answer = await here.http.get(
        "/api/billing/verify-payment",
        params={"session_id": session},
        headers=here.token(account),
    )
    return str(answer.json().get("status", answer.status_code))


async def credited(here: World, account: str, session: str) -> None:
    async def is_credited() -> bool:
        return await status(here, account, session) == "credited"

    await until(is_credited)


async def handled(here: World) -> None:
    async def all_handled() -> bool:
        text = here.parts.metrics
        await asyncio.sleep(0.3)
        return bool(text.inbox_age._value.get() == 0)

    await until(all_handled)


async def test_webhook_replay_granted_twice(here: World) -> None:
    session = await here.checkout("replay")
    here.stripe.pay(session)
    hint = here.stripe.events[-1]
    for copy in range(10):  # the same event five times, and five others about the same payment
        raw = body_of(hint, f"evt_replay_{copy % 6}")
        assert (await here.post(raw, signed(raw))).status_code == TAKEN
    await credited(here, "replay", session)
    await handled(here)
    found = await grants(here.engine.bootstrap, here.prefix)
    assert [n for (account, _), n in found.items() if account == "replay"] == [1]


async def test_purchase_lost_because_the_webhook_answered_200_after_a_failure(
    here: World,
) -> None:
    session = await here.checkout("lost")
    here.stripe.pay(session)
    raw = body_of(here.stripe.events[-1], "evt_lost")
    here.engine.kill_postgres()
    try:
        refused = await here.post(raw, signed(raw))
    finally:
        await asyncio.to_thread(here.engine.start_postgres)
    assert refused.status_code == 503
    assert "psycopg" not in refused.text
    taken = await here.post(raw, signed(raw))
    assert taken.status_code == TAKEN
    await credited(here, "lost", session)


async def test_database_down_is_said_and_nothing_is_stored_elsewhere(here: World) -> None:
    before = await balances(here.engine.bootstrap, here.prefix)
    here.engine.kill_postgres()
    try:
        answer = await here.http.post(
            "/api/billing/checkout", json={"packId": "starter"}, headers=here.token("down")
        )
    finally:
        await asyncio.to_thread(here.engine.start_postgres)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert await balances(here.engine.bootstrap, here.prefix) == before


async def test_granted_before_paid_and_amount_taken_from_metadata(here: World) -> None:
    """A signed event that claims a paid million: the object says unpaid, the order says 500."""
    session = await here.checkout("eager")
    lie = {
        "id": "evt_lie",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {
            "object": {
                "id": session,
                "object": "checkout.session",
                "payment_status": "paid",
                "amount_total": 1,
                "metadata": {"credits": "1000000", "account": "eager"},
            }
        },
    }
    raw = msgspec.json.encode(lie)
    assert (await here.post(raw, signed(raw))).status_code == TAKEN
    await handled(here)
    assert await status(here, "eager", session) == "initiated"
    assert (await balances(here.engine.bootstrap, here.prefix)).get("eager", 0) == 0
    here.stripe.pay(session)
    await credited(here, "eager", session)
    assert await here.available("eager") == 500


async def test_verified_although_unpaid(here: World) -> None:
    session = await here.checkout("unpaid")
    here.stripe.pay(session, later=True)
    assert await status(here, "unpaid", session) == "initiated"
    here.stripe.settle(session, works=False)
    raw = body_of(here.stripe.events[-1], "evt_unpaid")
    await here.post(raw, signed(raw))
    await handled(here)
    assert await status(here, "unpaid", session) == "failed"
    assert (await balances(here.engine.bootstrap, here.prefix)).get("unpaid", 0) == 0


async def test_an_event_about_nothing_of_ours_grants_nothing(here: World) -> None:
    foreign = here.stripe.session("no-order-of-ours", 1)
    here.stripe.pay(foreign)
    raw = body_of(Hint("checkout.session.completed", foreign), "evt_foreign")
    assert (await here.post(raw, signed(raw))).status_code == TAKEN
    before = await grants(here.engine.bootstrap, here.prefix)
    await asyncio.sleep(1)
    assert await grants(here.engine.bootstrap, here.prefix) == before
