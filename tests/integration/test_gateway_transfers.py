"""Credits move to another account over HTTP, through real Kafka, whichever partition it lies in."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway.keys import Scope

from tests.integration.gateway_world import World, granted, keyed, world

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("transfers")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


async def _settled(client: httpx.AsyncClient, account: str, transfer: str) -> dict[str, object]:
    """The transfer once it is known what became of it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen = await client.get(f"/v1/accounts/{account}/transfers/{transfer}")
            if seen.status_code == 200 and seen.json()["status"] != "sent":
                found: dict[str, object] = seen.json()
                return found
            await asyncio.sleep(0.05)


async def _available(client: httpx.AsyncClient, account: str) -> int:
    seen = await client.get(f"/v1/accounts/{account}/balance")
    available: int = seen.json()["available"]
    return available


async def test_credits_arrive_in_accounts_of_every_partition(api: World) -> None:
    async with api.client(api.key()) as client:
        sender = await granted(client, 100)
        receivers = [f"to-{uuid.uuid4().hex[:8]}" for _ in range(6)]
        for place, receiver in enumerate(receivers):
            sent = await client.post(
                f"/v1/accounts/{sender}/transfers",
                json={"to": receiver, "amount": 10},
                headers=keyed(f"t{place}"),
            )
            assert (sent.status_code, sent.json()["status"]) == (201, "sent"), sent.text
            assert sent.json()["balance"]["available"] == 90 - 10 * place
        for place in range(len(receivers)):
            seen = await _settled(client, sender, f"t{place}")
            assert (seen["status"], seen["amount"]) == ("received", 10)
        assert [await _available(client, one) for one in receivers] == [10] * 6
        listed = await client.get(f"/v1/accounts/{sender}/transfers")
        assert {one["to"] for one in listed.json()["items"]} == set(receivers)


async def test_a_transfer_that_is_asked_again_moves_once(api: World) -> None:
    async with api.client(api.key()) as client:
        sender, receiver = await granted(client, 50), f"to-{uuid.uuid4().hex[:8]}"
        path, body = f"/v1/accounts/{sender}/transfers", {"to": receiver, "amount": 20}
        first, again = [await client.post(path, json=body, headers=keyed("t1")) for _ in "ab"]
        assert (again.status_code, again.json()) == (201, first.json())
        other = await client.post(path, json={**body, "amount": 21}, headers=keyed("t1"))
        assert (other.status_code, other.json()["code"]) == (422, "id_conflict")
        await _settled(client, sender, "t1")
        assert (await _available(client, sender), await _available(client, receiver)) == (30, 20)


async def test_what_cannot_be_sent_is_refused_with_its_reason(api: World) -> None:
    may_spend = api.key(scopes=frozenset({Scope.SPEND}))
    async with api.client(api.key()) as client, api.client(may_spend) as spender:
        sender = await granted(client, 50)
        path = f"/v1/accounts/{sender}/transfers"
        for name, body, expected in (
            ("a", {"to": "other", "amount": 51}, (402, "insufficient_credits")),
            ("b", {"to": sender, "amount": 1}, (422, "receiver_invalid")),
            ("c", {"to": "anonymous", "amount": 1}, (422, "receiver_invalid")),
            ("d", {"to": "other", "amount": 0}, (422, "amount_out_of_range")),
            ("e", {"to": "other", "amount": 1.5}, (422, "invalid_request")),
            ("f", {"amount": 1}, (422, "invalid_request")),
        ):
            no = await client.post(path, json=body, headers=keyed(name))
            assert (no.status_code, no.json()["code"]) == expected, no.text
        may_not = await spender.post(path, json={"to": "o", "amount": 1}, headers=keyed("g"))
        assert may_not.status_code == 403, "a key that may only spend gives nothing away"
        unknown = await client.get(f"{path}/nothing")
        assert unknown.status_code == 404
