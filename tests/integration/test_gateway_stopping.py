"""Revoke, freeze and thaw over HTTP: by staff alone, much of it by two of them."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway.keys import Scope

from tests.integration.gateway_world import World, granted, keyed, world


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("stopping")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


async def _spend(client: httpx.AsyncClient, account: str, amount: int) -> None:
    body = {"account": account, "amount": amount}
    held = await client.post("/v1/reservations", json=body, headers=keyed("spend"))
    assert held.status_code == 201, held.text
    paid = await client.post("/v1/reservations/spend/charge", json=body, headers=keyed("paid"))
    assert paid.status_code == 200, paid.text


async def test_credits_for_later_are_shown_as_upcoming_and_come_by_themselves(api: World) -> None:
    async with api.client(api.key()) as staff:
        account = await granted(staff, 1)
        path = f"/v1/accounts/{account}"
        begins = datetime.now(UTC) + timedelta(seconds=3)
        body = {"amount": 70, "kind": "promo", "source": uuid.uuid4().hex}
        body["effectiveFrom"] = begins.isoformat()
        given = await staff.post(f"{path}/grants", json=body, headers=keyed("later"))
        assert (given.status_code, given.json()["balance"]["available"]) == (201, 1), given.text
        params = {"minPosition": given.json()["position"]}
        seen = (await staff.get(f"{path}/balance", params=params)).json()
        assert (seen["available"], [x["amount"] for x in seen["upcoming"]]) == (1, [70])
        less = {"account": account, "amount": 20, "reason": "less"}
        taken = await staff.post("/v1/grants/later/revoke", json=less, headers=keyed("less"))
        assert (taken.status_code, taken.json()["revoked"]) == (200, 20), taken.text
        async with asyncio.timeout(20):
            while seen["available"] == 1:
                await asyncio.sleep(0.2)
                seen = (await staff.get(f"{path}/balance")).json()
        assert (seen["available"], seen["upcoming"]) == (51, [])


async def test_a_frozen_account_is_told_so_and_its_balance_says_why(api: World) -> None:
    async with api.client(api.key()) as staff:
        account = await granted(staff, 100)
        path = f"/v1/accounts/{account}"
        stopped = await staff.post(
            f"{path}/freeze", json={"reason": "fraud-review"}, headers=keyed("z1")
        )
        assert (stopped.status_code, stopped.json()["frozen"]) == (200, True)
        no = await staff.post(
            "/v1/reservations", json={"account": account, "amount": 1}, headers=keyed("r1")
        )
        assert (no.status_code, no.json()["code"]) == (403, "account_frozen")
        seen = await staff.get(
            f"{path}/balance", params={"minPosition": stopped.json()["position"]}
        )
        assert [frozen["reason"] for frozen in seen.json()["frozen"]] == ["fraud-review"]
        wrong = await staff.post(f"{path}/thaw", json={"reason": "typo"}, headers=keyed("w1"))
        assert (wrong.status_code, wrong.json()["code"]) == (409, "not_frozen")
        thawed = await staff.post(
            f"{path}/thaw", json={"reason": "fraud-review"}, headers=keyed("w2")
        )
        assert thawed.json()["frozen"] is False
        seen = await staff.get(f"{path}/balance", params={"minPosition": thawed.json()["position"]})
        assert seen.json()["frozen"] == []


async def test_a_revoke_takes_what_is_left_and_the_rest_is_owed_until_a_grant_pays(
    api: World,
) -> None:
    async with api.client(api.key()) as staff:
        account = await granted(staff, 100)
        await _spend(staff, account, 60)
        body = {"account": account, "reason": "bank-reversal"}
        back = await staff.post("/v1/grants/grant/revoke", json=body, headers=keyed("v1"))
        assert back.status_code == 200, back.text
        assert (back.json()["revoked"], back.json()["debt"]) == (40, 60)
        assert back.json()["balance"] == {"available": 0, "held": 0, "spent": 60}
        seen = await staff.get(
            f"/v1/accounts/{account}/balance", params={"minPosition": back.json()["position"]}
        )
        assert seen.json()["debt"] == 60
        more = await staff.post(
            f"/v1/accounts/{account}/grants",
            json={"amount": 75, "kind": "paid", "source": f"{account}-2"},
            headers=keyed("g2"),
        )
        assert more.json()["balance"]["available"] == 15


async def test_much_is_moved_by_two_admins_only(api: World) -> None:
    second = api.key()
    first = api.key()
    body = {"amount": 5_000, "kind": "goodwill", "reason": "outage"}
    async with api.client(first) as staff:
        account = await granted(staff, 1)
        path = f"/v1/accounts/{account}/grants"

        async def ask(name: str, **headers: str) -> httpx.Response:
            asked = {**body, "source": f"{account}-{name}"}
            return await staff.post(path, json=asked, headers={**keyed(name), **headers})

        alone = await ask("n1")
        assert (alone.status_code, alone.json()["code"]) == (403, "second_person_needed")
        oneself = await ask("n2", **{"Scrip-Approval": first})
        assert (oneself.status_code, oneself.json()["code"]) == (403, "second_person_needed")
        unknown = await ask("n3", **{"Scrip-Approval": "scrip_test_nobody"})
        assert unknown.status_code == 401
        spender = api.key(scopes=frozenset({Scope.SPEND}))
        lesser = await ask("n4", **{"Scrip-Approval": spender})
        assert (lesser.status_code, lesser.json()["code"]) == (403, "scope_missing")
        owner = api.key(account)
        theirs = await ask("n5", **{"Scrip-Approval": owner})
        assert (theirs.status_code, theirs.json()["code"]) == (403, "staff_only")
        both = await ask("n6", **{"Scrip-Approval": second})
        assert (both.status_code, both.json()["amount"]) == (201, 5_000)


@pytest.mark.parametrize("path", ["/v1/accounts/{}/freeze", "/v1/accounts/{}/thaw"])
async def test_nobody_stops_or_thaws_their_own_account(api: World, path: str) -> None:
    async with api.client(api.key()) as staff:
        account = await granted(staff, 10)
    async with api.client(api.key(account)) as owner:
        no = await owner.post(path.format(account), json={"reason": "x"}, headers=keyed("o1"))
        assert (no.status_code, no.json()["code"]) == (403, "staff_only")
    spender = api.key(scopes=frozenset({Scope.SPEND, Scope.GRANT}))
    async with api.client(spender) as service:
        no = await service.post(path.format(account), json={"reason": "x"}, headers=keyed("o2"))
        assert (no.status_code, no.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": "x", "amount": 0}, "amount_out_of_range"),
        ({"reason": "x", "amount": 101}, "exceeds_grant"),
        ({"reason": "x", "amount": "5"}, "invalid_request"),
        ({"amount": 5}, "invalid_request"),
    ],
)
async def test_a_wrong_revoke_is_refused_and_says_why(
    api: World, body: dict[str, object], code: str
) -> None:
    async with api.client(api.key()) as staff:
        account = await granted(staff, 100)
        no = await staff.post(
            "/v1/grants/grant/revoke", json={**body, "account": account}, headers=keyed("v1")
        )
        assert (no.status_code, no.json()["code"]) == (422, code)
        whole = {"account": account, "amount": 100}
        held = await staff.post("/v1/reservations", json=whole, headers=keyed("all"))
        assert held.status_code == 201, "all of it is there still"


async def test_staff_sets_a_plan_and_its_allowance_is_there(api: World) -> None:
    async with api.client(api.key()) as staff:
        account = await granted(staff, 100)
        path = f"/v1/accounts/{account}"
        put = await staff.post(f"{path}/plan", json={"plan": "free"}, headers=keyed("p1"))
        assert (put.status_code, put.json()["plan"], put.json()["given"]) == (200, "free", 300)
        assert put.json()["balance"]["available"] == 400
        seen = await staff.get(f"{path}/balance", params={"minPosition": put.json()["position"]})
        assert seen.json()["plan"] == {
            "plan": "free",
            "periodStart": put.json()["periodStart"],
            "periodEnd": put.json()["periodEnd"],
            "credits": 300,
            "dayLimit": 30,
        }
        body = {"account": account, "amount": 131}
        no = await staff.post("/v1/reservations", json=body, headers=keyed("r1"))
        assert (no.status_code, no.json()["code"]) == (402, "day_limit")
        assert (no.json()["limit"]["name"], no.json()["shortfall"]) == ("plan_day", 1)
        unknown = await staff.post(f"{path}/plan", json={"plan": "gold"}, headers=keyed("p2"))
        assert (unknown.status_code, unknown.json()["code"]) == (404, "plan_unknown")
    scopes = frozenset({Scope.READ, Scope.SPEND})
    async with api.client(api.key(account, scopes)) as person:
        no = await person.post(f"{path}/plan", json={"plan": "pro"}, headers=keyed("p3"))
        assert no.status_code == 403
