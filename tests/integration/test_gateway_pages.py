"""The people's pages over HTTP: who may see them, what they say, and what they never do."""

import asyncio
import gzip
import hashlib
import re
from importlib.resources import files
from urllib.parse import quote

from tests.integration.gateway_world import World, fresh, granted, keyed
from tests.mailbox import Mailbox

# htmx.org 4.0.1, dist/htmx.min.js
HTMX_SHA256 = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
STYLE_BYTES_MAX = 10_000
PAGES = (
    "/account/credits",
    "/account/usage",
    "/account/history",
    "/account/settings/credits",
    "/help",
)


def test_what_is_vendored_is_what_was_published() -> None:
    script = files("gateway.pages").joinpath("vendor/htmx.min.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == HTMX_SHA256


def test_the_style_sheet_is_small() -> None:
    assert len(files("gateway.pages").joinpath("static/pages.css").read_bytes()) <= STYLE_BYTES_MAX


async def test_every_page_is_closed_to_strangers_except_help(pages_api: World) -> None:
    async with pages_api.client() as stranger:
        assert (await stranger.get("/help")).status_code == 200
        for path in ("/account/credits", "/account/history", "/account/nothing"):
            answer = await stranger.get(path)
            to = "" if path == "/account/credits" else f"?to={quote(path, safe='')}"
            assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in{to}")


async def test_a_page_may_not_be_kept_framed_or_extended(pages_api: World) -> None:
    async with pages_api.client() as person:
        await person.post("/dev/sign-in", json={"account": fresh("ada")})
        for path in PAGES:
            page = await person.get(path)
            assert page.status_code == 200, page.text
            policy = page.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert page.headers["cache-control"] == "no-store"
            assert not re.search(r"<script(?! src=)|\sstyle=|\son[a-z]+=|<style", page.text)


async def test_files_are_named_by_their_content_and_kept_for_ever(pages_api: World) -> None:
    async with pages_api.client() as person:
        page = await person.get("/help")
        named = re.findall(r'"(/static/[^"]+)"', page.text)
        assert len(named) >= 4
        for url in named:
            file = await person.get(url)
            assert file.status_code == 200
            assert "immutable" in file.headers["cache-control"]
            older = await person.get(re.sub(r"/static/\w+/", "/static/000000000000/", url))
            assert "immutable" not in older.headers["cache-control"]
        assert (await person.get("/static/x/..%2Frender.py")).status_code == 404


async def test_page_and_files_together_weigh_little(pages_api: World) -> None:
    async with pages_api.client() as service, pages_api.client() as person:
        service.headers["authorization"] = f"Bearer {pages_api.key()}"
        account = await granted(service, 500)
        await person.post("/dev/sign-in", json={"account": account})
        for _ in range(200):
            page = await person.get("/account/credits")
            if ">500<" in page.text.replace("<b>", ">").replace("</b>", "<"):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("the credits were never shown")
        urls = set(re.findall(r'"(/static/[^"]+)"', page.text))
        bodies = [page.content, *[(await person.get(url)).content for url in sorted(urls)]]
        assert sum(len(gzip.compress(body)) for body in bodies) <= 60_000


async def test_what_is_nowhere_or_another_s_is_a_plain_page(pages_api: World) -> None:
    async with pages_api.client() as person:
        await person.post("/dev/sign-in", json={"account": fresh("ada")})
        nothing = await person.get("/account/nothing")
        assert nothing.status_code == 404
        assert "There is nothing here" in nothing.text
        assert 'href="/account/usage"' in nothing.text  # whoever is lost finds the way
        assert (await person.get("/account/history?type=Nonsense")).status_code == 422
        cursor = await person.get("/account/history?cursor=x")
        assert cursor.status_code == 422
        assert "<h1>" in cursor.text


async def test_signing_in_by_mail_and_out_again_with_forms_alone(
    pages_api: World, pages_mail: Mailbox
) -> None:
    email = f"{fresh('ada')}@example.org"
    async with pages_api.client() as person:
        wrong = await person.post("/sign-in", data={"email": '"><b>@'})
        assert wrong.status_code == 422
        assert "Enter an e-mail address" in wrong.text
        assert "<b>@" not in wrong.text
        sent = await person.post("/sign-in", data={"email": email})
        assert "Look in your mailbox" in sent.text
        token = pages_mail.token(email)
        pressed = await person.post("/sign-in/press", data={"token": token})
        assert (pressed.status_code, pressed.headers["location"]) == (303, "/account/credits")
        assert email in (await person.get("/account/credits")).text
        over = await person.post("/sign-in/press", data={"token": token})
        assert over.status_code == 410
        assert "Ask for a new one" in over.text
        out = await person.post("/sign-out", data={"everywhere": "1"})
        assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
        assert (await person.get("/account/credits")).status_code == 303


async def test_on_a_machine_for_development_anybody_is_anybody(pages_api: World) -> None:
    async with pages_api.client() as person:
        assert "On this machine" in (await person.get("/sign-in")).text
        wrong = await person.post("/sign-in/as", data={"account": "no such name"})
        assert wrong.status_code == 404
        account = fresh("ada")
        entered = await person.post("/sign-in/as", data={"account": account})
        assert entered.status_code == 303
        assert account in (await person.get("/account/credits")).text


async def test_a_form_of_another_site_is_refused(pages_api: World) -> None:
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    async with pages_api.client() as person:
        await person.post("/dev/sign-in", json={"account": fresh("ada")})
        for path in ("/account/credits/buy", "/sign-out", "/sign-in", "/sign-in/press"):
            assert (await person.post(path, data={}, headers=evil)).status_code == 403
        assert (await person.get("/account/credits")).status_code == 200


async def test_without_payments_the_page_stands_and_says_so(pages_api: World) -> None:
    async with pages_api.client() as person:
        await person.post("/dev/sign-in", json={"account": fresh("ada")})
        page = await person.get("/account/credits")
        assert page.status_code == 200
        assert "Purchases cannot be shown or made right now. Nothing was taken." in page.text
        assert "No credits yet." in page.text


async def test_the_sheet_of_the_history_is_whole_and_shows_no_formula(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service, pages_api.client() as person:
        account = await granted(service, 500)
        for number in range(120):
            body = {"account": account, "amount": 1}
            await service.post("/v1/reservations", json=body, headers=keyed(f"r{number}"))
        await person.post("/dev/sign-in", json={"account": account})
        for _ in range(100):
            if "<b>380</b> available" in (await person.get("/help")).text:
                break
            await asyncio.sleep(0.1)
        sheet = await person.get("/account/history.csv")
        rows = sheet.text.split("\r\n")
        assert rows[0].startswith("at,type,tool,run,amount,moved,available_after")
        assert len(rows) == 1 + 121 + 1
        assert ",CreditsGranted," in rows[-2]
        second = await person.get("/account/history")
        assert "Older" in second.text
