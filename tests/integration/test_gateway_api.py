"""The HTTP API on real Kafka, Postgres and ledger: spending, and reading what was spent."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.integration.gateway_world import World, granted, keyed, world


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


async def test_reserve_charge_and_the_balance_after_each(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        held = await client.post(
            "/v1/reservations", json={"account": account, "amount": 60}, headers=keyed("r1")
        )
        assert held.status_code == 201
        assert held.json()["balance"] == {"available": 40, "held": 60, "spent": 0}
        paid = await client.post(
            "/v1/reservations/r1/charge",
            json={"account": account, "amount": 42},
            headers=keyed("c1"),
        )
        assert paid.status_code == 200
        assert paid.json()["charged"] == 42
        assert paid.json()["released"] == 18
        assert paid.json()["lots"] == [{"grantId": "grant", "amount": 42}]
        assert paid.json()["balance"] == {"available": 58, "held": 0, "spent": 42}
        back = await client.post(
            "/v1/charges/c1/refund", json={"account": account, "amount": 2}, headers=keyed("f1")
        )
        assert back.status_code == 200
        assert back.json()["balance"] == {"available": 60, "held": 0, "spent": 40}


async def test_a_run_under_way_is_given_more_credits_and_more_time(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        held = await client.post(
            "/v1/reservations", json={"account": account, "amount": 60}, headers=keyed("r1")
        )
        more = await client.post(
            "/v1/reservations/r1/extend",
            json={"account": account, "amount": 15, "lifetimeMs": 600_000},
            headers=keyed("x1"),
        )
        assert more.status_code == 200, more.text
        assert (more.json()["added"], more.json()["status"]) == (15, "open")
        assert more.json()["expiresAt"] > held.json()["expiresAt"]
        assert more.json()["balance"] == {"available": 25, "held": 75, "spent": 0}
        seen = await client.get(
            "/v1/reservations/r1",
            params={"account": account, "minPosition": more.json()["position"]},
        )
        assert (seen.json()["held"], seen.json()["amount"]) == (75, 75)
        no = await client.post(
            "/v1/reservations/r1/extend",
            json={"account": account, "amount": 26},
            headers=keyed("x2"),
        )
        assert (no.status_code, no.json()["code"]) == (402, "insufficient_credits")


async def test_a_retry_gets_the_first_answer_byte_for_byte(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        body = {"account": account, "amount": 60}
        first = await client.post("/v1/reservations", json=body, headers=keyed("r1"))
        again = await client.post("/v1/reservations", json=body, headers=keyed('"r1"'))
        assert again.content == first.content
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        other = await client.post(
            "/v1/reservations", json={**body, "amount": 61}, headers=keyed("r1")
        )
        assert (other.status_code, other.json()["code"]) == (422, "id_conflict")
        assert other.json()["fields"] == ["amount"]


async def test_of_a_hundred_parallel_reserves_on_a_balance_for_ten_exactly_ten_succeed(
    api: World,
) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)

        async def reserve(number: int) -> int:
            answer = await client.post(
                "/v1/reservations",
                json={"account": account, "amount": 10},
                headers=keyed(f"r{number}"),
            )
            return answer.status_code

        statuses = await asyncio.gather(*(reserve(number) for number in range(100)))
    assert sorted(statuses) == [201] * 10 + [402] * 90


async def test_a_refusal_says_what_is_missing_and_what_helps(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 5)
        no = await client.post(
            "/v1/reservations",
            json={"account": account, "amount": 8},
            headers={**keyed("r1"), "X-Request-Id": "mine-1"},
        )
    assert no.status_code == 402
    assert no.headers["content-type"] == "application/problem+json"
    problem = no.json()
    assert problem["code"] == "insufficient_credits"
    assert problem["shortfall"] == 3
    assert problem["remedy"] == "top_up"
    assert problem["topUpUrl"] == "/account/credits"
    assert problem["requestId"] == no.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": 2**63}, 422, "amount_out_of_range"),
        ({"amount": 0}, 422, "amount_out_of_range"),
        ({"amount": -5}, 422, "amount_out_of_range"),
        ({"amount": "5"}, 422, "invalid_request"),
        ({"toolId": "no-such-tool"}, 404, "tool_unknown"),
        ({"toolId": "dev-studio-projects"}, 422, "tool_client_only"),
        (
            {"toolId": "dev-studio-security", "requestedLimits": {"cpuMs": 0}},
            422,
            "requested_limits_invalid",
        ),
        (
            {"toolId": "dev-studio-security", "requestedLimits": {"memoryMb": -1}},
            422,
            "requested_limits_invalid",
        ),
        (
            {"toolId": "dev-studio-security", "requestedLimits": {"durationMs": 10**12}},
            422,
            "requested_limits_invalid",
        ),
    ],
)
async def test_forged_amounts_and_limits_are_refused(
    api: World, body: dict[str, object], status: int, code: str
) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 1_000)
        no = await client.post(
            "/v1/reservations", json={"account": account, **body}, headers=keyed("r1")
        )
    assert (no.status_code, no.json()["code"]) == (status, code)


async def test_a_batch_has_an_outcome_for_each_item_in_order(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 1_000)
        items = [
            {"op": "reserve", "idempotencyKey": f"r{n}", "account": account, "amount": 2}
            for n in range(498)
        ]
        items += [
            {
                "op": "charge",
                "idempotencyKey": f"c{n}",
                "account": account,
                "reservationId": f"r{n}",
                "amount": 1,
            }
            for n in range(498)
        ]
        items += [{"op": "release", "idempotencyKey": "x", "account": account}, {"op": "dance"}]
        answer = await client.post("/v1/batch", json={"items": items})
        assert answer.status_code == 200
        outcomes = answer.json()["items"]
        assert [one["status"] for one in outcomes] == [201] * 498 + [200] * 498 + [422, 422]
        assert outcomes[995]["body"]["balance"] == {"available": 502, "held": 0, "spent": 498}
        many = await client.post("/v1/batch", json={"items": items * 2})
        assert many.status_code == 422


async def test_a_read_sees_what_its_position_names(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        held = await client.post(
            "/v1/reservations", json={"account": account, "amount": 60}, headers=keyed("r1")
        )
        seen = await client.get(
            f"/v1/accounts/{account}/balance", params={"minPosition": held.json()["position"]}
        )
        assert seen.status_code == 200, seen.text
        shown = seen.json()
        assert (shown["available"], shown["held"], shown["spent"]) == (40, 60, 0)
        assert shown["complete"] is True
        assert [lot["available"] for lot in shown["lots"]] == [40]
        before = await client.get(
            f"/v1/accounts/{account}/balance", params={"asOf": "2020-01-01T00:00:00Z"}
        )
        assert before.json()["available"] == 0
        open_now = await client.get(f"/v1/accounts/{account}/reservations?status=open")
        assert [one["reservationId"] for one in open_now.json()["items"]] == ["r1"]
        one = await client.get("/v1/reservations/r1", params={"account": account})
        assert one.json()["status"] == "open"
        page = (await client.get(f"/v1/accounts/{account}/transactions?limit=1")).json()
        rest = await client.get(
            f"/v1/accounts/{account}/transactions", params={"cursor": page["nextCursor"]}
        )
        kinds = [entry["type"] for entry in page["items"] + rest.json()["items"]]
        assert kinds == ["CreditsReserved", "CreditsGranted"]


async def test_a_limit_that_was_set_holds_and_is_shown(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        put = await client.put(
            f"/v1/accounts/{account}/controls", json={"dayLimit": 20, "timeZone": "Asia/Kolkata"}
        )
        assert put.status_code == 200, put.text
        assert put.json()["controls"]["dayLimit"] == 20
        no = await client.post(
            "/v1/reservations", json={"account": account, "amount": 21}, headers=keyed("r1")
        )
        assert (no.status_code, no.json()["code"]) == (402, "day_limit")
        assert no.json()["limit"]["left"] == 20
        assert no.json()["remedy"] == "raise_limit"
        read = await client.get(
            f"/v1/accounts/{account}/controls", params={"minPosition": no.json()["position"]}
        )
        assert read.json()["controls"]["timeZone"] == "Asia/Kolkata"
        balance = (await client.get(f"/v1/accounts/{account}/balance")).json()
        assert {limit["name"]: limit.get("left") for limit in balance["limits"]} == {
            "day": 20,
            "month": None,
        }
