"""Limits and nested runs over HTTP, on real Kafka, Postgres and ledger; the books agree."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.e2e.finance import scrip, verified
from tests.integration.gateway_world import World, granted, keyed, world


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("limits")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


async def test_the_limits_that_a_run_would_meet_are_asked_of_the_ledger(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        caps = [{"of": "member", "id": "ada", "limit": 9, "window": "month"}]
        controls = {"runLimit": 50, "dayLimit": 40, "concurrency": 2, "caps": caps}
        put = await client.put(f"/v1/accounts/{account}/controls", json=controls)
        assert put.json()["controls"]["caps"] == caps, put.text
        asked = {"toolId": "dev-studio-security", "member": "ada"}
        shown = await client.get(f"/v1/accounts/{account}/limits", params=asked)
        assert shown.status_code == 200, shown.text
        found = shown.json()
        assert (found["allowed"], found["reason"], found["max"]) == (False, "member_limit", 16)
        assert [(x["name"], x["left"]) for x in found["limits"]] == [
            ("run", 50),
            ("concurrency", 2),
            ("member_month", 9),
            ("day", 40),
        ]
        no = await client.post(
            "/v1/reservations",
            json={"account": account, "amount": 10, "member": "ada"},
            headers=keyed("r1"),
        )
        assert (no.status_code, no.json()["code"]) == (402, "member_limit")
        assert no.json()["limit"]["name"] == "member_month"
    async with api.client(api.key(account)) as client:
        mine = await client.get("/api/account/limits", params={"toolId": "dev-studio-security"})
        assert (mine.status_code, mine.json()["allowed"]) == (200, True), mine.text
        assert mine.json()["limit"]["name"] == "day"
        forged = await client.post(
            "/v1/reservations", json={"amount": 1, "member": "bob"}, headers=keyed("r2")
        )
        assert forged.status_code == 403


async def test_a_run_within_a_run_draws_on_what_the_outer_one_holds(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)

        async def post(path: str, key: str, **body: object) -> dict[str, object]:
            sent = await client.post(path, json={"account": account, **body}, headers=keyed(key))
            return {"http": sent.status_code, **sent.json()}

        await post("/v1/reservations", "outer", amount=60)
        inner = await post("/v1/reservations", "inner", amount=20, parent="outer")
        assert inner["balance"] == {"available": 40, "held": 60, "spent": 0}
        no = await post("/v1/reservations", "more", amount=41, parent="outer")
        assert (no["http"], no["code"]) == (402, "parent_limit")
        paid = await post("/v1/reservations/inner/charge", "c1", amount=5)
        assert paid["balance"] == {"available": 40, "held": 55, "spent": 5}
        read = await client.get(
            "/v1/reservations/inner",
            params={"account": account, "minPosition": str(paid["position"])},
        )
        assert (read.json()["parent"], read.json()["charged"]) == ("outer", 5)
        outer = (await client.get("/v1/reservations/outer", params={"account": account})).json()
        assert (outer["held"], outer["amount"]) == (55, 55)
        last = await post("/v1/reservations/outer/charge", "c2", amount=55)
        assert last["balance"] == {"available": 40, "held": 0, "spent": 60}


async def test_calibration_shows_what_runs_cost_against_what_was_estimated(api: World) -> None:
    async with api.client(api.key()) as client:
        account = await granted(client, 100)
        for number, cpu_ms in enumerate((0, 4_000)):
            asked = {"account": account, "toolId": "dev-studio-security"}
            held = await client.post("/v1/reservations", json=asked, headers=keyed(f"t{number}"))
            assert held.json()["estimate"]["typical"] == 12
            used = {"cpuMs": cpu_ms, "memoryMb": 0, "durationMs": 0}
            body = {"account": account, "usage": used}
            path = f"/v1/reservations/t{number}/charge"
            paid = await client.post(path, json=body, headers=keyed(f"u{number}"))
            assert paid.json()["charged"] == (3, 4)[number]
        await client.get(
            f"/v1/accounts/{account}/balance", params={"minPosition": paid.json()["position"]}
        )
    code, out, err = await scrip(api.env, "tools", "calibration", "--json")
    assert code == 0, err
    (found,) = [x for x in json.loads(out) if x["tool"] == "dev-studio-security"]
    assert found == {
        "tool": "dev-studio-security",
        "basis": "rule",
        "runs": 2,
        "inside": 2,
        "charged": 7,
        "typical": 24,
        "off": 17,
    }


async def test_events_read_models_and_compliance_log_agree_about_all_of_it(api: World) -> None:
    found = await verified(api.env)
    assert len(found["checks"]) > 10
