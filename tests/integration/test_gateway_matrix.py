"""Every route of the OpenAPI document, and everybody who may not: a plain no, and no event.

The document is generated from the routes, so that a new route is asked here without being named.
"""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway import keys, keystore
from gateway.keys import Scope

from tests.integration.gateway_world import ALL, World, fresh, granted, keyed, world

DOCUMENT = msgspec.json.decode(
    (Path(__file__).parents[2] / "contracts" / "openapi.json").read_bytes()
)
OPERATIONS = [
    (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
PUBLIC = {  # whoever calls these is not known yet, or proves it in another way
    "/api/billing/estimate",
    "/api/sign-in",
    "/api/stripe/webhook",
    "/dev/sign-in",
    "/dev/sign-out",
    "/healthz",
    "/readyz",
    "/sign-in/link",
}
OF_TEAMS = {path for _, path, _ in OPERATIONS if path.startswith("/api/teams/{team}")}
OF_ACCOUNTS = {
    path
    for _, path, operation in OPERATIONS
    if {"session": []} in operation.get("security", [{}])
    and {"key": []} in operation["security"]
    and path not in PUBLIC
}
NAMED = "n1"


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services, off = ("ledger", "audit-projector"), {"SCRIP_RATE_LIMITS": "off"}
    with world(engine, database, prefix, folder, guard, services=services, gateway=off) as made:
        yield made


def closed(operation: dict[str, Any]) -> bool:
    """Whether a caller must be known."""
    return {} not in operation.get("security", [{}])


def example(schema: dict[str, Any], account: str) -> Any:
    """The smallest body that fits, with the account named wherever it can be."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example(DOCUMENT["components"]["schemas"][name], account)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], account)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            asked = {*schema.get("required", ()), *({"account"} & {*schema.get("properties", ())})}
            body = {x: example(schema["properties"][x], account) for x in sorted(asked)}
            return {**body, **({"account": account} if "account" in body else {})}
        case "array":
            return [example(schema["items"], account)]
        case "integer":
            return 1
        case "boolean":
            return True
        case _:
            return NAMED


def request(operation: dict[str, Any], path: str, account: str) -> dict[str, Any]:
    """What a call of this operation sends."""
    query = {
        x["name"]: NAMED
        for x in operation.get("parameters", ())
        if x["in"] == "query" and x.get("required")
    }
    named = path.replace("/v1/accounts/{id}", f"/v1/accounts/{account}")
    for part in ("{id}", "{purchase}", "{key}", "{gift}", "{transfer}", "{invitation}"):
        named = named.replace(part, NAMED)
    named = named.replace("{team}", account).replace("{member}", NAMED)
    sent: dict[str, Any] = {"url": named, "params": query}
    if named == "/v1/reservations/n1":
        query["account"] = account
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        sent["json"] = example(schema, account)
    return sent


async def asked(client: httpx.AsyncClient, method: str, sent: dict[str, Any]) -> httpx.Response:
    """The answer; of one that goes on for ever, its beginning."""
    async with client.stream(method, **sent) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            await answer.aread()
    return answer


def expired(api: World, account: str) -> str:
    key_id, text = keys.make("test")
    now = keystore.now_ms()
    keystore.add(
        api.database,
        keys.Key(key_id, keys.sha256(text), ALL, account, "", now - 2, expires_at=now - 1),
    )
    return text


async def entries(api: World, accounts: tuple[str, ...]) -> int:
    with psycopg.connect(api.database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM read.entries WHERE account = ANY (%s)", (list(accounts),)
        ).fetchone()
    return 0 if row is None else int(row[0])


def test_only_these_routes_are_open_to_strangers() -> None:
    assert {path for _, path, operation in OPERATIONS if not closed(operation)} == PUBLIC


async def test_every_route_says_no_to_everybody_who_may_not_and_nothing_happens(
    api: World,
) -> None:
    async with api.client(api.key()) as service:
        owner = await granted(service, 50)
    other = fresh("other")
    for _ in range(100):
        if (before := await entries(api, (owner, other))) == 1:
            break
        await asyncio.sleep(0.1)
    assert before == 1
    read_only = api.key(owner, frozenset({Scope.READ}))
    callers = {
        "none": "",
        "unknown": "scrip_test_nobody_0000",
        "expired": expired(api, owner),
        "other": api.key(other),
        "read-only": read_only,
    }
    calls, faults = 0, list[str]()
    for caller, key in callers.items():
        async with api.client(key, **{"Scrip-Account": owner}, **keyed("k1")) as client:
            for method, path, operation in OPERATIONS:
                if not closed(operation):
                    continue
                answer = await asked(client, method, request(operation, path, owner))
                calls += 1
                if not told(caller, method, path, answer):
                    faults.append(f"{caller}: {method} {path}: {answer.status_code} {answer.text}")
    async with api.client(**{"Scrip-Account": owner}, **keyed("k1")) as browser:
        await browser.post("/dev/sign-in", json={"account": other})
        for method, path, operation in OPERATIONS:
            if not closed(operation) or {"session": []} not in operation["security"]:
                continue
            if {"key": []} not in operation["security"]:
                continue  # these are about the session itself
            answer = await asked(browser, method, request(operation, path, owner))
            calls += 1
            if answer.status_code != 404:
                faults.append(f"session: {method} {path}: {answer.status_code} {answer.text}")
    await asyncio.sleep(2)
    assert not faults, "\n".join(faults)
    assert await entries(api, (owner, other)) == before
    print(f"authorisation: {calls} calls of {len(OPERATIONS)} operations, no event")


async def test_every_route_says_no_to_a_viewer_of_the_team_and_to_who_was_one(api: World) -> None:
    owner, viewer = fresh("acc"), fresh("acc")
    async with api.client() as browser:
        await browser.post("/dev/sign-in", json={"account": owner})
        team = (await browser.post("/api/teams", json={"name": "Blue"})).json()["id"]
    async with api.client(api.key()) as service:
        body = {"amount": 50, "kind": "paid", "source": f"s-{team}"}
        await service.post(f"/v1/accounts/{team}/grants", json=body, headers=keyed("grant"))
    faults = list[str]()
    async with api.client(**{"Scrip-Account": team}, **keyed("k1")) as browser:
        await browser.post("/dev/sign-in", json={"account": viewer})
        with psycopg.connect(api.database) as connection:
            seat = "INSERT INTO identity.members VALUES (%s, %s, 'viewer', 0)"
            connection.execute(seat, (team, viewer))
        for gone in (False, True):
            for method, path, operation in OPERATIONS:
                security = operation.get("security", [{}])
                if {"session": []} not in security or path not in OF_TEAMS | OF_ACCOUNTS:
                    continue
                answer = await asked(browser, method, request(operation, path, team))
                if not told_viewer(method, answer, gone=gone):
                    faults.append(f"{gone}: {method} {path}: {answer.status_code} {answer.text}")
            with psycopg.connect(api.database) as connection:
                connection.execute("DELETE FROM identity.members WHERE person = %s", (viewer,))
    await asyncio.sleep(1)
    assert not faults, "\n".join(faults)
    assert await entries(api, (team, owner, viewer)) == 1


def told_viewer(method: str, answer: httpx.Response, *, gone: bool) -> bool:
    """Whether a viewer of the team, or who was one, must hear this."""
    if gone:
        return answer.status_code == 404
    if method == "get":
        return answer.status_code in {200, 403, 404}
    return answer.status_code == 403


def told(caller: str, method: str, path: str, answer: httpx.Response) -> bool:
    """Whether this is the no that this caller must hear."""
    status = answer.status_code
    if {"key": []} not in DOCUMENT["paths"][path][method]["security"]:
        return status == 401  # of sessions alone
    if caller in {"none", "unknown", "expired"}:
        return status == 401
    if path == "/v1/batch" and status == 200:
        return all(item["status"] in {403, 404} for item in answer.json()["items"])
    if caller == "other":
        staff_only = status == 403 and answer.json()["code"] == "staff_only"
        return staff_only or status == 404
    if method == "get":
        away = path.startswith("/api/billing/") and answer.json()["code"] == "payments_unavailable"
        return away or status in {200, 403, 404}
    return status == 403
