"""People sign in by an OpenID provider; nobody does by a token that does not hold."""

import asyncio
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from engine.processes import Process
from gateway.provider import KEYS_AGAIN_S

from tests.integration.gateway_world import World, fresh, world
from tests.mailbox import Mailbox, mailbox
from tests.openid import CLIENT, SECRET

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as started:
        yield started


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


def started(port: int, folder: Path, guard: Guard) -> Process:
    argv = [sys.executable, "-m", "tests.openid", str(port)]
    process = Process("openid", argv, log=folder / "openid.log", cwd=ROOT, guard=guard)
    process.start()
    process.wait_ready(f"http://127.0.0.1:{port}/keys")
    return process


@pytest.fixture(scope="module")
def api(
    engine: Engine,
    database: str,
    guard: Guard,
    box: Mailbox,
    port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("openid")
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    settings = {
        "SCRIP_SMTP_URL": box.url,
        "SCRIP_OIDC_ISSUER": f"http://127.0.0.1:{port}",
        "SCRIP_OIDC_CLIENT_ID": CLIENT,
        "SCRIP_OIDC_CLIENT_SECRET_FILE": str(secret),
        "SCRIP_OIDC_NAME": "Example Works",
        "SCRIP_RATE_LIMITS": "off",
    }
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    provider = started(port, folder, guard)
    try:
        with world(
            engine, database, prefix, folder, guard, services=services, gateway=settings
        ) as made:
            yield made
    finally:
        provider.stop()


def someone() -> str:
    return f"{fresh('ada')}@example.org"


async def sent_back(browser: httpx.AsyncClient, to: str = "", **told: str) -> httpx.URL:
    """Away to the provider, in there as somebody, and the address that it sends back to."""
    away = await browser.get("/sign-in/with", params={"to": to} if to else {})
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        page = await elsewhere.get(away.headers["location"])
        assert page.status_code == 200, page.text
        entered = await elsewhere.post(away.headers["location"], data=told)
    return httpx.URL(entered.headers["location"])


async def came(browser: httpx.AsyncClient, to: str = "", **told: str) -> httpx.Response:
    return await browser.get(await sent_back(browser, to, **told))


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/api/me")).status_code == 200


async def test_who_the_provider_knows_is_in_and_goes_on_where_they_were(api: World) -> None:
    email = someone()
    async with api.client() as browser, api.client() as later:
        closed = await browser.get("/account/usage?period=7d")
        form = await browser.get(closed.headers["location"])
        assert 'href="/sign-in/with?to=/account/usage%3Fperiod%3D7d"' in form.text
        assert "Sign in with Example Works" in form.text
        done = await came(browser, "/account/usage?period=7d", sub="s-1", email=email)
        assert (done.status_code, done.headers["location"]) == (303, "/account/usage?period=7d")
        me = (await browser.get("/api/me")).json()
        assert (me["email"], me["role"]) == (email, "owner")
        # from now on the subject is who they are, whatever the provider says of the address
        done = await came(later, sub="s-1", email=someone(), verified="no")
        assert done.headers["location"] == "/account/credits"
        assert (await later.get("/api/me")).json() == me
        told = (await browser.get("/api/account/export")).json()["logins"]
        assert [login["subject"] for login in told] == ["s-1"]


async def test_a_verified_address_is_the_account_that_its_links_open(
    api: World, box: Mailbox
) -> None:
    email = someone()
    async with api.client() as by_link, api.client() as by_provider:
        await by_link.post("/api/sign-in", json={"email": email})
        await by_link.post("/sign-in/link", json={"token": box.token(email)})
        await came(by_provider, sub=fresh("s"), email=email.upper())
        assert (await by_link.get("/api/me")).json() == (await by_provider.get("/api/me")).json()


@pytest.mark.parametrize(
    "fault",
    [
        "nonce", "no-nonce", "audience", "audiences", "party", "expired", "for-ever", "issuer",
        "hash", "no-subject", "none", "hs256", "signature", "kid", "mixed-up",
    ],
)  # fmt: skip
async def test_a_token_that_does_not_hold_lets_nobody_in(api: World, fault: str) -> None:
    email = someone()
    async with api.client() as browser:
        no = await came(browser, sub=fresh("s"), email=email, fault=fault)
        assert no.status_code == 403, no.text
        assert "cannot be believed" in no.text
        assert not await is_in(browser)
    with psycopg.connect(api.database) as connection:
        found = connection.execute("SELECT FROM identity.people WHERE email = %s", (email,))
        assert found.rowcount == 0


async def test_an_address_that_is_not_verified_links_nobody(api: World) -> None:
    async with api.client() as browser:
        for told in ({"email": someone(), "verified": "no"}, {"email": ""}, {"email": "no mail"}):
            no = await came(browser, sub=fresh("s"), **told)
            assert no.status_code == 403
            assert "not verified your e-mail address" in no.text
        refused = await came(browser, sub=fresh("s"), email=someone(), fault="denied")
        assert (refused.status_code, "did not say who you are" in refused.text) == (403, True)
        assert not await is_in(browser)


async def test_a_way_back_is_walked_once_and_in_the_browser_that_left(api: World) -> None:
    async with api.client() as browser, api.client() as other, api.client() as again:
        back = await sent_back(browser, sub=fresh("s"), email=someone())
        for stranger in (other, again):
            over = await stranger.get(back)
            assert (over.status_code, "Begin again here" in over.text) == (410, True)
            await stranger.get("/sign-in/with")  # now with a secret of its own
            assert (await stranger.get(back)).status_code == 410
        twice = await asyncio.gather(browser.get(back), browser.get(back))
        assert sorted(answer.status_code for answer in twice) == [303, 410]
        assert await is_in(browser)
        assert (await browser.get(back)).status_code == 410
        made_up = back.copy_merge_params({"state": "a" * 43})
        assert (await browser.get(made_up)).status_code == 410


async def test_a_code_of_another_s_way_is_refused(api: World) -> None:
    """PKCE: the provider gives nothing for a code that was asked for with another challenge."""
    async with api.client() as thief, api.client() as victim:
        stolen = await sent_back(victim, sub=fresh("s"), email=someone())
        own = await sent_back(thief, sub=fresh("s"), email=someone())
        code = parse_qs(urlsplit(str(stolen)).query)["code"][0]
        no = await thief.get(own.copy_merge_params({"code": code}))
        assert (no.status_code, await is_in(thief)) == (403, False)


async def test_two_tabs_may_leave_at_once_and_an_old_way_is_over(api: World) -> None:
    async with api.client() as browser:
        first = await sent_back(browser, sub=fresh("s"), email=someone())
        second = await sent_back(browser, sub=fresh("s"), email=someone())
        old = await sent_back(browser, sub=fresh("s"), email=someone())
        with psycopg.connect(api.database) as connection:
            connection.execute(
                "UPDATE identity.departures SET expires_at = 1 WHERE state = sha256(%s)",
                (old.params["state"].encode(),),
            )
        statuses = [(await browser.get(back)).status_code for back in (old, second, first)]
        assert statuses == [410, 303, 303]


async def test_what_is_stored_of_a_way_opens_nothing(api: World) -> None:
    async with api.client() as browser:
        back = await sent_back(browser, sub=fresh("s"), email=someone())
        secret = next(value for name, value in browser.cookies.items() if "departure" in name)
        with psycopg.connect(api.database) as connection:
            rows = str(connection.execute("SELECT * FROM identity.departures").fetchall())
        assert secret not in rows
        assert back.params["state"] not in rows
        await browser.get(back)
        log = api.log()
        for word in (secret, back.params["code"], back.params["state"], SECRET):
            assert word not in log


async def test_elsewhere_is_not_gone_on_to(api: World) -> None:
    async with api.client() as browser:
        for to in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"):
            done = await came(browser, to, sub=fresh("s"), email=someone())
            assert done.headers["location"] == "/account/credits"


async def test_new_keys_are_read_and_staff_is_not_made_by_a_provider(
    api: World, box: Mailbox, port: int
) -> None:
    email = someone()
    async with api.client() as browser, httpx.AsyncClient(trust_env=False) as provider:
        await browser.post("/api/sign-in", json={"email": email})
        await browser.post("/sign-in/link", json={"token": box.token(email)})
        with psycopg.connect(api.database) as connection:
            connection.execute(
                "UPDATE identity.people SET role = 'admin' WHERE email = %s", (email,)
            )
        await asyncio.sleep(KEYS_AGAIN_S)  # keys are not asked for more often
        assert (await provider.post(f"http://127.0.0.1:{port}/rotate")).status_code == 204
        async with api.client() as other:
            assert (await came(other, sub=fresh("s"), email=someone())).status_code == 303
            no = await came(other, sub=fresh("s"), email=email)
            assert (no.status_code, "Staff sign in by a link" in no.text) == (403, True)


async def test_in_production_nobody_is_anybody_and_a_provider_that_is_down_is_said_to_be(
    api: World, box: Mailbox, port: int, guard: Guard
) -> None:
    dead, email = free_port(), someone()
    second = api.start(
        "gateway.2",
        SCRIP_HTTP_PORT=str(dead),
        SCRIP_SMTP_URL=box.url,
        SCRIP_ENV="production",
        SCRIP_OIDC_ISSUER=f"https://127.0.0.1:{free_port()}",
        SCRIP_OIDC_CLIENT_ID=CLIENT,
        SCRIP_OIDC_CLIENT_SECRET=SECRET,
    )
    second.wait_ready(f"http://127.0.0.1:{dead}/readyz")
    base = f"http://127.0.0.1:{dead}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as browser:
        away = await browser.get("/sign-in/with")
        assert (away.status_code, "cannot be asked right now" in away.text) == (503, True)
        for path in ("/sign-in/as", "/dev/sign-in", "/dev/sign-out"):
            made_up = {"account": "ada"}
            assert (await browser.post(path, data=made_up)).status_code == 404, path
            assert (await browser.post(path, json=made_up)).status_code == 404, path
        assert "any account" not in (await browser.get("/sign-in")).text
        assert not browser.cookies
        await browser.post("/sign-in", data={"email": email, "to": "/account/usage"})
        pressed = await browser.post("/sign-in/press", data={"token": box.token(email)})
        assert (pressed.status_code, pressed.headers["location"]) == (303, "/account/usage")
    second.stop()
