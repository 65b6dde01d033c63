"""What people own: their settings in two tabs, their keys, everything about them, its erasure."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.topics import COMMANDS, EVENTS
from engine.guard import Guard
from engine.local import Engine
from gateway.keys import Scope

from tests.integration.gateway_world import PARTITIONS, World, fresh, granted, keyed, world
from tests.integration.test_gateway_sign_in import signed_in
from tests.mailbox import Mailbox, mailbox

SETTINGS = "/api/account/settings/credits"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as started:
        yield started


@pytest.fixture(scope="module")
def api(
    engine: Engine,
    database: str,
    guard: Guard,
    box: Mailbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("own")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    settings = {"SCRIP_SMTP_URL": box.url, "SCRIP_RATE_LIMITS": "off"}
    with world(
        engine, database, prefix, folder, guard, services=services, gateway=settings
    ) as made:
        yield made


@asynccontextmanager
async def at_home(api: World, account: str) -> AsyncIterator[httpx.AsyncClient]:
    async with api.client() as browser:
        assert (await browser.post("/dev/sign-in", json={"account": account})).status_code == 204
        yield browser


async def test_settings_of_two_tabs_one_is_saved_and_the_other_sees_both(api: World) -> None:
    async with at_home(api, fresh("ada")) as browser:
        seen = await browser.get(SETTINGS)
        assert (seen.headers["etag"], seen.json()["version"]) == ('"0"', "0")
        assert (await browser.put(SETTINGS, json={"dayLimit": 5})).status_code == 428
        tag = {"If-Match": seen.headers["etag"]}
        tabs = [browser.put(SETTINGS, json={"dayLimit": n}, headers=tag) for n in (100, 200, 300)]
        answers = await asyncio.gather(*tabs)
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
        [saved] = [answer for answer in answers if answer.status_code == 200]
        lost = next(answer for answer in answers if answer.status_code == 412)
        kept = saved.json()["controls"]["dayLimit"]
        assert lost.json()["current"]["controls"]["dayLimit"] == kept
        assert lost.json()["asked"]["dayLimit"] != kept
        now = await browser.get(SETTINGS)
        assert now.json()["controls"]["dayLimit"] == kept
        assert now.headers["etag"] == saved.headers["etag"] == lost.headers["etag"]


async def test_a_refused_setting_can_be_mended_and_saved_with_the_same_version(api: World) -> None:
    async with at_home(api, fresh("ada")) as browser:
        for body, expected in (
            ({"dayLimit": -1}, 422),
            ({"dayLimit": 1.5}, 422),
            ({"dayLimit": "5"}, 422),
            ({"dayLimit": 10**30}, 422),
            ({"timeZone": "Mars/Base"}, 422),
            ({"dayLimit": 500, "timeZone": "Asia/Kolkata"}, 200),
        ):
            answer = await browser.put(SETTINGS, json=body, headers={"If-Match": '"0"'})
            assert answer.status_code == expected, answer.text
        assert (await browser.get(SETTINGS)).json()["controls"]["timeZone"] == "Asia/Kolkata"


async def test_a_key_is_made_used_rotated_and_revoked_by_its_owner(api: World) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 100)
    async with at_home(api, account) as browser:
        wanted = {"scopes": ["read", "spend"], "label": "ci"}
        made = await browser.post("/api/account/keys", json=wanted)
        assert made.status_code == 201, made.text
        async with api.client(made.json()["key"]) as client:
            held = await client.post("/v1/reservations", json={"amount": 10}, headers=keyed("r1"))
            assert held.status_code == 201, held.text
            old = made.json()["id"]
            rotated = await browser.post(
                f"/api/account/keys/{old}/rotate", json={"overlapMs": 60_000}
            )
            assert rotated.json()["scopes"] == ["read", "spend"]
            assert (await client.get("/api/credits/balance")).status_code == 200
            await asyncio.sleep(6)
            listed = {x["id"]: x for x in (await browser.get("/api/account/keys")).json()["items"]}
            assert "lastUsedAt" in listed[old]
            assert "lastUsedAt" not in listed[rotated.json()["id"]]
            assert all("key" not in item for item in listed.values())
            assert (await browser.delete(f"/api/account/keys/{old}")).status_code == 204
            await asyncio.sleep(5)
            # revoked in mid-run: the key opens nothing, and the run still ends by who runs it
            body = {"amount": 10}
            late = await client.post("/v1/reservations/r1/charge", json=body, headers=keyed("c1"))
            assert late.status_code == 401
    async with api.client(api.key()) as service:
        ended = await service.post(
            "/v1/reservations/r1/charge",
            json={"account": account, "amount": 10},
            headers=keyed("c1"),
        )
        assert ended.status_code == 200, ended.text


async def test_a_key_may_do_no_more_than_who_makes_it(api: World) -> None:
    account = fresh("acc")
    async with at_home(api, account) as browser:
        for scopes in (["grant"], ["read", "grant"]):
            no = await browser.post("/api/account/keys", json={"scopes": scopes})
            assert (no.status_code, no.json()["code"]) == (403, "scope_missing")
        wrong: tuple[dict[str, object], ...] = (
            {"scopes": []},
            {"scopes": ["root"]},
            {"scopes": ["read"], "label": "x" * 65},
            {"scopes": ["read"], "label": "a\nb"},
            {"scopes": ["read"], "expiresAt": "2020-01-01T00:00:00Z"},
            {},
        )
        for body in wrong:
            assert (await browser.post("/api/account/keys", json=body)).status_code == 422
    async with api.client(api.key(account, frozenset({Scope.READ, Scope.ADMIN}))) as narrow:
        no = await narrow.post("/api/account/keys", json={"scopes": ["spend"]})
        assert no.status_code == 403
    async with api.client(api.key(account, frozenset({Scope.READ}))) as reader:
        assert (await reader.get("/api/account/keys")).status_code == 403


async def test_another_ones_key_cannot_be_seen_rotated_or_revoked(api: World) -> None:
    async with at_home(api, fresh("ada")) as ada, at_home(api, fresh("bob")) as bob:
        made = (await ada.post("/api/account/keys", json={"scopes": ["read"]})).json()
        assert (await bob.delete(f"/api/account/keys/{made['id']}")).status_code == 404
        assert (await bob.post(f"/api/account/keys/{made['id']}/rotate")).status_code == 404
        assert (await bob.get("/api/account/keys")).json() == {"items": []}
        assert (await ada.get("/api/account/keys")).json()["items"][0]["state"] == "usable"


async def test_everything_about_me_is_exported_and_erased_and_the_sums_stay(
    api: World, box: Mailbox
) -> None:
    planted = fresh("planted")
    email = f"{planted}@example.org"
    async with api.client() as browser, api.client(api.key()) as service:
        await signed_in(browser, box, email)
        account = (await browser.get("/api/me")).json()["account"]
        grant = {"amount": 70, "kind": "paid", "source": fresh("s")}
        url = f"/v1/accounts/{account}/grants"
        assert (await service.post(url, json=grant, headers=keyed("g"))).status_code == 201
        await browser.post("/api/account/keys", json={"scopes": ["read"], "label": planted})
        await browser.put(SETTINGS, json={"dayLimit": 60}, headers={"If-Match": '"0"'})
        told = (await browser.get("/api/account/export")).json()
        assert told["person"]["email"] == email
        assert told["balance"]["available"] == 70
        assert told["settings"]["controls"]["dayLimit"] == 60
        assert [key["label"] for key in told["keys"]] == [planted]
        assert {"CreditsGranted", "ControlsChanged"} <= {x["type"] for x in told["transactions"]}

        erasure = "/api/account/erasure"
        slip = await browser.post(erasure, json={"account": "another"})
        assert slip.status_code == 422
        kept = await browser.post(erasure, json={"account": account})
        assert (kept.status_code, kept.json()["code"]) == (409, "credits_left")
        done = await browser.post(erasure, json={"account": account, "forfeit": True})
        assert done.json() == {"account": account, "forfeited": 70}, done.text
        assert (await browser.get("/api/me")).status_code == 401
        spend = {"account": account, "amount": 1}
        late = await service.post("/v1/reservations", json=spend, headers=keyed(fresh("r")))
        assert late.json()["code"] == "account_frozen"
        balance = (await service.get(f"/v1/accounts/{account}/balance")).json()
        assert (balance["available"], balance["debt"]) == (0, 0)
        await signed_in(browser, box, email)
        assert (await browser.get("/api/me")).json()["account"] != account
        again = {"account": (await browser.get("/api/me")).json()["account"]}
        assert (await browser.post(erasure, json=again)).status_code == 200
    await found_nowhere(api, planted)


async def test_an_admin_erases_for_a_person_and_a_run_under_way_ends_first(api: World) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 20)
        own = {"account": account}
        held = {**own, "amount": 5}
        await service.post("/v1/reservations", json=held, headers=keyed(f"{account}-r"))
        url, header = "/api/account/erasure", {"Scrip-Account": account}
        body = {**own, "forfeit": True}
        await asyncio.sleep(1)
        no = await service.post(url, json=body, headers=header)
        assert (no.status_code, no.json()["code"]) == (409, "runs_open")
        await service.post(
            f"/v1/reservations/{account}-r/release", json=own, headers=keyed(f"{account}-x")
        )
        await asyncio.sleep(1)
        for forfeited in (20, 0):  # asked again, it is done already
            done = await service.post(url, json=body, headers=header)
            assert done.json() == {"account": account, "forfeited": forfeited}, done.text
            await asyncio.sleep(1)


async def found_nowhere(api: World, planted: str) -> None:
    """In no table, no topic, no log and no file of the compliance log."""
    with psycopg.connect(api.database) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            " AND schemaname NOT LIKE 'pg_temp%'"
        ).fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            row = connection.execute(
                f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s".encode(),
                (f"%{planted}%",),
            ).fetchone()
            assert row == (0,), table
    consumer = AIOKafkaConsumer(bootstrap_servers=api.engine.bootstrap, group_id=None)
    await consumer.start()
    try:
        places = [
            TopicPartition(api.prefix + topic.name, number)
            for topic in (COMMANDS, EVENTS)
            for number in range(PARTITIONS)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        read = 0
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    read += 1
                    assert planted.encode() not in (record.value or b"")
        assert read > 0
    finally:
        await consumer.stop()
    files = [path for path in api.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in files)
    for path in files:
        assert planted.encode() not in path.read_bytes(), path
