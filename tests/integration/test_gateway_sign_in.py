"""People sign in by a link sent by e-mail, at any of several gateways, and nobody else does."""

import asyncio
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from gateway.links import PER_ADDRESS_MAX
from gateway.sessions import ABSOLUTE_MS, IDLE_MS

from tests.integration.gateway_world import SCRIP, World, fresh, world
from tests.mailbox import Mailbox, mailbox


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
    folder: Path = tmp_path_factory.mktemp("sign-in")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    settings = {"SCRIP_SMTP_URL": box.url}
    with world(
        engine, database, prefix, folder, guard, services=services, gateway=settings
    ) as made:
        yield made


def someone() -> str:
    return f"{fresh('ada')}@example.org"


async def signed_in(browser: httpx.AsyncClient, box: Mailbox, email: str) -> None:
    assert (await browser.post("/api/sign-in", json={"email": email})).status_code == 202
    done = await browser.post("/sign-in/link", json={"token": box.token(email.lower())})
    assert done.status_code == 204, done.text


async def test_a_link_signs_in_once_and_the_same_address_is_the_same_account(
    api: World, box: Mailbox
) -> None:
    email = someone()
    async with api.client() as browser, api.client() as other:
        await signed_in(browser, box, email)
        me = (await browser.get("/api/me")).json()
        assert (me["email"], me["role"]) == (email, "owner")
        assert (await browser.get("/api/credits/balance")).json()["available"] == 0
        again = await other.post("/sign-in/link", json={"token": box.token(email)})
        assert (again.status_code, again.json()["code"]) == (410, "link_over")
        assert (await other.get("/api/me")).status_code == 401
        await signed_in(other, box, email.upper())
        assert (await other.get("/api/me")).json()["account"] == me["account"]


async def test_opening_a_link_changes_nothing_and_of_ten_presses_one_counts(
    api: World, box: Mailbox
) -> None:
    email = someone()
    async with api.client() as browser:
        await browser.post("/api/sign-in", json={"email": email})
        token = box.token(email)
        for _ in range(2):  # as mail scanners do
            page = await browser.get(f"/sign-in/link?token={token}")
            assert token in page.text
            assert page.headers["referrer-policy"] == "same-origin"
        hostile = await browser.get('/sign-in/link?token="><script>alert(1)</script>')
        assert "<script>" not in hostile.text
        pressed = [browser.post("/sign-in/press", data={"token": token}) for _ in range(10)]
        answers = await asyncio.gather(*pressed)
        assert sorted(answer.status_code for answer in answers) == [303] + [410] * 9


async def test_an_expired_link_is_over(api: World, box: Mailbox) -> None:
    email = someone()
    async with api.client() as browser:
        await browser.post("/api/sign-in", json={"email": email})
        with psycopg.connect(api.database) as connection:
            connection.execute(
                "UPDATE identity.links SET expires_at = made_at WHERE email = %s", (email,)
            )
        late = await browser.post("/sign-in/link", json={"token": box.token(email)})
        assert late.status_code == 410


async def test_a_mailbox_is_not_flooded(api: World, box: Mailbox) -> None:
    email = someone()
    async with api.client() as browser:
        answers = [
            (await browser.post("/api/sign-in", json={"email": email})).status_code
            for _ in range(PER_ADDRESS_MAX + 1)
        ]
    assert answers == [202] * PER_ADDRESS_MAX + [429]
    assert len(box.to(email)) == PER_ADDRESS_MAX


@pytest.mark.parametrize(
    "email",
    ["", "ada", "a@b@c", "ada@exa mple.org", "ada@example.org\nBcc: x@example.org", "@", "ä@x.org",
     "a" * 10_000 + "@example.org", "<ada@example.org>", "ada@.org"],
)  # fmt: skip
async def test_what_is_no_address_is_sent_nothing(api: World, box: Mailbox, email: str) -> None:
    before = len(box.messages)
    async with api.client() as browser:
        answer = await browser.post("/api/sign-in", json={"email": email})
    assert (answer.status_code, answer.json()["code"]) == (422, "email_invalid")
    assert len(box.messages) == before


async def test_signing_out_everywhere_ends_every_session_at_every_gateway(
    api: World, box: Mailbox
) -> None:
    email, port = someone(), free_port()
    second = api.start("gateway.2", SCRIP_HTTP_PORT=str(port), SCRIP_SMTP_URL=box.url)
    second.wait_ready(f"http://127.0.0.1:{port}/readyz")
    async with (
        api.client() as here,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as there,
    ):
        await signed_in(here, box, email)
        there.cookies.update(here.cookies)
        assert (await there.get("/api/me")).json()["email"] == email
        ended = await there.post("/api/sign-out/everywhere")
        assert ended.json() == {"sessions": 1}
        assert (await here.get("/api/me")).status_code == 401
        assert (await here.get("/api/credits/balance")).status_code == 401


@pytest.mark.parametrize(("column", "lifetime"), [("seen_at", IDLE_MS), ("made_at", ABSOLUTE_MS)])
async def test_a_session_ends_by_idleness_and_by_age(
    api: World, box: Mailbox, column: str, lifetime: int
) -> None:
    email = someone()
    async with api.client() as browser:
        await signed_in(browser, box, email)
        account = (await browser.get("/api/me")).json()["account"]
        with psycopg.connect(api.database) as connection:
            connection.execute(
                f"UPDATE identity.sessions SET {column} = {column} - %s WHERE person = %s".encode(),
                (lifetime, account),
            )
        assert (await browser.get("/api/credits/balance")).status_code == 401


async def test_other_sites_cannot_sign_anybody_in_or_out(api: World, box: Mailbox) -> None:
    email, evil = someone(), {"Origin": "https://evil.example"}
    async with api.client() as browser:
        await browser.post("/api/sign-in", json={"email": email})
        link = {"token": box.token(email)}
        forged = await browser.post("/sign-in/link", json=link, headers=evil)
        assert forged.status_code == 403
        await browser.post("/sign-in/link", json=link)
        for path in ("/api/sign-out", "/api/sign-out/everywhere"):
            assert (await browser.post(path, headers=evil)).status_code == 403
        assert (await browser.get("/api/me")).status_code == 200
        assert (await browser.post("/api/sign-out")).status_code == 204
        assert (await browser.get("/api/me")).status_code == 401


async def test_staff_reads_any_account_and_has_none_and_a_new_role_ends_sessions(
    api: World, box: Mailbox
) -> None:
    email, customer = someone(), fresh("acc")
    async with api.client() as browser:
        await signed_in(browser, box, email)
        elsewhere = await browser.get("/api/credits/balance", headers={"Scrip-Account": customer})
        assert elsewhere.status_code == 404
        command = [SCRIP, "gateway", "people", "role", email, "read_only"]
        env = {**api.env, "PATH": ""}
        await asyncio.to_thread(subprocess.run, command, env=env, check=True, capture_output=True)
        assert (await browser.get("/api/me")).status_code == 401
        await signed_in(browser, box, email)
        assert (await browser.get("/api/me")).json()["account"] is None
        named = {"Scrip-Account": customer}
        untold = await browser.get("/api/credits/balance", headers=named)
        assert (untold.status_code, untold.json()["code"]) == (403, "reason_missing")
        named["Scrip-Reason"] = "ticket 7"
        read = await browser.get("/api/credits/balance", headers=named)
        assert read.status_code == 200
        with psycopg.connect(api.database) as connection:
            looks = "SELECT what, why FROM identity.looks WHERE account = %s"
            seen = connection.execute(looks, (customer,)).fetchall()
        assert seen == [("GET /api/credits/balance", "ticket 7")]
        roles = [SCRIP, "gateway", "people", "roles"]
        told = await asyncio.to_thread(subprocess.run, roles, env=env, capture_output=True)
        assert b"owner -> read_only  by" in told.stdout
        spend = await browser.post(
            "/api/billing/estimate",
            json={"toolId": "dev-studio-security", "account": customer},
        )
        assert (spend.status_code, spend.json()["code"]) == (403, "scope_missing")


async def test_addresses_stand_in_the_identity_tables_alone(api: World, box: Mailbox) -> None:
    email = someone()
    async with api.client() as browser:
        await signed_in(browser, box, email)
    local = email.partition("@")[0]
    assert local not in api.log()
    assert box.token(email) not in api.log()
    with psycopg.connect(api.database) as connection:
        connection.execute("SET ROLE scrip_gateway")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM identity.people")
    with psycopg.connect(api.database) as connection:
        connection.execute("SET ROLE scrip_identity")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM read.entries")


async def test_a_rate_is_one_at_all_gateways_and_outlives_each(api: World, box: Mailbox) -> None:
    port, account = free_port(), fresh("acc")
    base = f"http://127.0.0.1:{port}"
    second = api.start("gateway.3", SCRIP_HTTP_PORT=str(port), SCRIP_SMTP_URL=box.url)
    second.wait_ready(f"{base}/readyz")
    shown = {"Authorization": f"Bearer {api.key(account)}"}
    url = "/api/credits/balance"
    async with (
        httpx.AsyncClient(base_url=api.base, headers=shown, trust_env=False) as here,
        httpx.AsyncClient(base_url=base, headers=shown, trust_env=False) as there,
    ):
        assert [(await here.get(url)).status_code for _ in range(15)] == [200] * 15
        assert [(await there.get(url)).status_code for _ in range(15)] == [200] * 15
        await asyncio.sleep(1.5)  # both have told and heard; about one call has come free
        for client in (here, there):
            statuses = [(await client.get(url)).status_code for _ in range(4)]
            assert statuses.count(429) >= 2, statuses
        second.stop()
        third = api.start("gateway.4", SCRIP_HTTP_PORT=str(port), SCRIP_SMTP_URL=box.url)
        third.wait_ready(f"{base}/readyz")
        await asyncio.sleep(1.5)
        async with httpx.AsyncClient(base_url=base, headers=shown, trust_env=False) as again:
            statuses = [(await again.get(url)).status_code for _ in range(16)]
            assert 429 in statuses, statuses
