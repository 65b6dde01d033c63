"""The tools' pages and the keys' page: what a run costs, how it is run, and what a key is told."""

import asyncio
import re
from html import unescape
from importlib.resources import files

import httpx
import msgspec
import pytest
from contracts.catalogue import Mode, bundled
from gateway.keys import Scope
from studio_tools.registry import tools

from tests.integration.gateway_world import World, fresh, granted, keyed

SCANNER = "dev-studio-security"
PARTIAL = {"hx-request-type": "partial"}


async def someone(pages_api: World, person: httpx.AsyncClient, credits_: int) -> str:
    """Somebody who is signed in and has credits."""
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, credits_)
    await person.post("/dev/sign-in", json={"account": account})
    return account


def form_of(page: str) -> dict[str, str]:
    """The run form as a browser would send it."""
    key = re.search(r'name="key" value="([^"]+)"', page)
    typed = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert key is not None
    assert typed is not None
    return {"key": key[1], "input": unescape(typed[1])}


def test_the_examples_are_those_of_the_tools_themselves() -> None:
    raw = files("gateway.pages").joinpath("examples.json").read_bytes()
    shown = msgspec.json.decode(raw)
    assert shown == {name: msgspec.json.decode(tool.example) for name, tool in tools().items()}


async def test_each_of_the_24_has_a_page_that_says_what_it_costs(pages_api: World) -> None:
    async with pages_api.client() as person:
        await someone(pages_api, person, 500)
        every = (await person.get("/tools")).text
        for tool in bundled().tools.values():
            assert f'href="/tools/{tool.id}"' in every
            page = await person.get(f"/tools/{tool.id}")
            assert page.status_code == 200
            free = tool.mode is Mode.CLIENT_ONLY
            assert ("costs no credits" in page.text) == free
            assert ("credits are held while it runs" in page.text) != free
        assert (await person.get("/tools/nothing")).status_code == 404


async def test_who_is_not_signed_in_sees_what_needs_no_account(pages_api: World) -> None:
    async with pages_api.client() as stranger:
        open_ = await stranger.get("/tools/dev-studio-api-designer")
        assert "credits are held while it runs" in open_.text
        closed = await stranger.get(f"/tools/{SCANNER}")
        assert closed.status_code == 200
        assert "Sign in to see what this tool costs" in closed.text
        run = await stranger.post(f"/tools/{SCANNER}/run", data={"input": "{}", "key": "k"})
        assert (run.status_code, run.headers["location"]) == (303, "/sign-in")


async def test_a_run_leads_to_its_receipt_and_sent_twice_is_paid_once(pages_api: World) -> None:
    async with pages_api.client() as person:
        await someone(pages_api, person, 500)
        form = form_of((await person.get(f"/tools/{SCANNER}")).text)
        for _ in range(2):
            sent = await person.post(f"/tools/{SCANNER}/run", data=form)
            assert sent.status_code == 303, sent.text
            assert sent.headers["location"].startswith(f"/account/runs/{form['key']}?began=")
        for _ in range(100):
            receipt = (await person.get(sent.headers["location"])).text
            if "Why this much" in receipt:
                break
            await asyncio.sleep(0.1)
        assert "Completed" in receipt
        assert "&#34;findings&#34;" in receipt
        assert receipt.count("Charged</th>") == 2  # the total, and the one step
        assert "<b>497</b> available" in receipt


async def test_limits_change_the_price_and_nonsense_is_told_at_its_field(pages_api: World) -> None:
    async with pages_api.client() as person:
        await someone(pages_api, person, 500)
        url = f"/tools/{SCANNER}/estimate"
        small = await person.post(url, data={"cpu_ms": "1", "memory_mb": "1"}, headers=PARTIAL)
        assert small.status_code == 200
        assert "<html" not in small.text
        assert "<b>497</b> of 500 left" in small.text
        for typed in ("-1", "1.5", "lots", "0", "999999999"):
            wrong = await person.post(url, data={"cpu_ms": typed, "input": "{}"})
            assert wrong.status_code == 422
            assert 'id="cpu_ms-fault"' in wrong.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("{", "This is not JSON"),
        ("", "This is not JSON"),
        ("[1]", "The input is an object"),
        ('{"a": "' + "x" * 40_000 + '"}', "The input may have 32,768 bytes"),
    ],
)
async def test_input_that_cannot_be_read_is_told_and_kept(
    pages_api: World, typed: str, says: str
) -> None:
    async with pages_api.client() as person:
        account = await someone(pages_api, person, 500)
        sent = {"input": typed, "key": "k"}
        told = await person.post(f"/tools/{SCANNER}/run", data=sent)
        assert told.status_code == 422
        assert says in told.text
        assert form_of(told.text)["input"] == typed
        async with pages_api.client(pages_api.key()) as service:
            entries = await service.get(f"/v1/accounts/{account}/transactions")
            held = [x for x in entries.json()["items"] if x["type"] == "CreditsReserved"]
            assert not held


async def test_too_few_credits_say_how_many_and_keep_the_form(pages_api: World) -> None:
    async with pages_api.client() as person:
        await someone(pages_api, person, 10)
        page = (await person.get(f"/tools/{SCANNER}")).text
        assert "6 more credits are needed" in page
        assert "/account/credits?need=6" in page
        form = form_of(page)
        told = await person.post(f"/tools/{SCANNER}/run", data={**form, "input": '{"mine": 1}'})
        assert told.status_code == 402
        assert "Not enough credits" in told.text
        assert form_of(told.text)["input"] == '{"mine": 1}'
        assert form_of(told.text)["key"] != form["key"]
        wanted = (await person.get("/account/credits?need=6")).text
        assert re.search(r'value="starter"[^>]* checked', wanted)


async def test_a_key_is_shown_once_replaced_and_revoked(pages_api: World) -> None:
    async with pages_api.client() as person:
        account = await someone(pages_api, person, 5)
        nothing = await person.post("/account/keys", data={"label": "a"})
        assert nothing.status_code == 422
        form = {"label": "<b>nightly</b>", "scopes": "read", "days": "30"}
        made = await person.post("/account/keys", data=form)
        assert made.status_code == 201
        assert "<b>nightly" not in made.text
        found = re.search(r'<code id="secret">([^<]+)</code>', made.text)
        assert found is not None
        assert found[1] not in (await person.get("/account/keys")).text
        async with pages_api.client(found[1]) as program:
            url = f"/v1/accounts/{account}/balance"
            assert (await program.get(url)).status_code == 200
            key_id = re.search(r"/account/keys/([\w-]+)/revoke", made.text)
            assert key_id is not None
            next_ = await person.post(f"/account/keys/{key_id[1]}/rotate", data={})
            assert next_.status_code == 201
            assert (await program.get(url)).status_code == 200
            gone = await person.post(f"/account/keys/{key_id[1]}/revoke", data={})
            assert "The key is revoked" in (await person.get(gone.headers["location"])).text
            for _ in range(50):
                if (await program.get(url)).status_code == 401:
                    break
                await asyncio.sleep(0.1)
            assert (await program.get(url)).status_code == 401
        async with pages_api.client() as other:
            await other.post("/dev/sign-in", json={"account": fresh("bob")})
            stolen = await other.post(f"/account/keys/{key_id[1]}/revoke", data={})
            assert stolen.status_code == 404


async def test_a_key_that_may_only_read_sees_the_pages_and_makes_nothing(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 5)
        await service.post(
            "/v1/reservations", json={"account": account, "amount": 1}, headers=keyed("r")
        )
    async with pages_api.client(pages_api.key(account, frozenset({Scope.READ}))) as reader:
        assert (await reader.get("/account/usage")).status_code == 200
        told = await reader.post("/account/keys", data={"scopes": "admin"})
        assert told.status_code == 403
        assert "You may not see this" in told.text
