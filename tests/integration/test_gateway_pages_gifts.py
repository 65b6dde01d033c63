"""Gifts as pages, without a script: shown first, given once, taken once, or sent back."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.integration.gateway_world import World, fresh, granted

GIFTS = "/account/gifts"
PATIENCE_S = 20.0
MARKED = "<b>For you</b>"


@asynccontextmanager
async def somebody(api: World, amount: int = 0) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at home, with that many credits."""
    account = fresh("ada")
    if amount:
        async with api.client(api.key()) as service:
            account = await granted(service, amount)
    async with api.client() as person:
        assert (await person.post("/dev/sign-in", json={"account": account})).status_code == 204
        yield person


async def filled(person: httpx.AsyncClient, **typed: str) -> dict[str, str]:
    """The form as the page gives it, filled in."""
    page = await person.get(GIFTS)
    key = re.search(r'name="key" value="([^"]+)"', page.text)
    assert key is not None
    return {"key": key[1], "days": "30", "note": "", **typed}


async def given(person: httpx.AsyncClient, amount: int, note: str = "") -> str:
    """The code of a gift that was made on the page."""
    form = await filled(person, amount=str(amount), note=note)
    sure = await person.post(f"{GIFTS}/review", data=form)
    assert f"Give {amount} credits?" in sure.text
    made = await person.post(GIFTS, data=form)
    assert made.status_code == 201, made.text
    link = re.search(r'id="link">[^<]*#([\w-]+)<', made.text)
    assert link is not None
    return link[1]


async def says(person: httpx.AsyncClient, words: str) -> None:
    """Wait until the page of gifts says it, markup aside."""
    for _ in range(200):
        page = await person.get(GIFTS)
        if words in re.sub("<[^>]+>", "", page.text):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the page never said {words!r}")


async def arrived(person: httpx.AsyncClient, path: str, code: str) -> httpx.Response:
    """The page once the gift's credits have arrived in its account."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = await person.post(path, data={"code": code})
            if "still on their way" not in page.text:
                return page
            await asyncio.sleep(0.1)


async def test_a_gift_is_shown_then_given_then_opened_then_taken_once(pages_api: World) -> None:
    async with somebody(pages_api, 100) as ada, somebody(pages_api) as bob:
        code = await given(ada, 40, MARKED)
        opened = await bob.post("/gifts/open", data={"code": code})
        assert "40 credits for you" in opened.text
        assert MARKED not in opened.text, "a note is never markup"
        assert "&lt;b&gt;For you" in opened.text
        taken = await arrived(bob, "/gifts/claim", code)
        assert "It is yours" in taken.text
        async with somebody(pages_api) as eve:
            late = await eve.post("/gifts/claim", data={"code": code})
            assert (late.status_code, "claimed or went back" in late.text) == (409, True)
        await says(ada, "claimed")
        await says(bob, "40 available")


async def test_a_form_that_is_sent_twice_gives_once(pages_api: World) -> None:
    async with somebody(pages_api, 100) as ada:
        form = await filled(ada, amount="30")
        both = [await ada.post(GIFTS, data=form) for _ in range(2)]
        assert [page.status_code for page in both] == [201, 201]
        assert (await ada.get("/api/gifts")).json()["items"][0]["amount"] == 30
        assert len((await ada.get("/api/gifts")).json()["items"]) == 1


async def test_what_cannot_be_given_is_told_at_the_field_and_nothing_leaves(
    pages_api: World,
) -> None:
    async with somebody(pages_api, 10) as ada:
        for amount, says in (
            ("", "Enter how many credits"),
            ("0", "at least 1"),
            ("-3", "not a negative one"),
            ("1.5", "whole number"),
            ("many", "whole number"),
            ("9" * 30, "at most"),
            ("11", "You have 10 available"),
        ):
            form = await filled(ada, amount=amount)
            told = await ada.post(f"{GIFTS}/review", data=form)
            assert told.status_code == 422, amount
            assert says in told.text, amount
            assert 'id="amount-fault"' in told.text
        form = await filled(ada, amount="11")
        no = await ada.post(GIFTS, data=form)
        assert (no.status_code, "Nothing was done." in no.text) == (409, True)
        assert (await ada.get("/api/gifts")).json()["items"] == []


async def test_a_gift_is_taken_back_or_sent_back(pages_api: World) -> None:
    async with somebody(pages_api, 100) as ada, somebody(pages_api) as bob:
        declined = await given(ada, 20)
        gone = await arrived(bob, "/gifts/decline", declined)
        assert "It went back" in gone.text
        await given(ada, 5)
        name = next(
            gift["giftId"]
            for gift in (await ada.get("/api/gifts")).json()["items"]
            if gift["amount"] == 5
        )
        foreign = await bob.post(f"{GIFTS}/{name}/cancel")
        assert foreign.status_code == 404
        back = await arrived(ada, f"{GIFTS}/{name}/cancel", "")
        assert back.status_code == 303
        await says(ada, "100 available")


async def test_a_code_that_is_none_and_a_stranger_are_told_so(pages_api: World) -> None:
    async with somebody(pages_api) as bob:
        wrong = await bob.post("/gifts/open", data={"code": "x" * 2_000})
        assert (wrong.status_code, "No gift has this code" in wrong.text) == (422, True)
    async with pages_api.client() as stranger:
        page = await stranger.get("/gifts/claim")
        assert (page.status_code, "Sign in first" in page.text) == (200, True)
        asked = await stranger.post("/gifts/open", data={"code": "x"})
        assert (asked.status_code, asked.headers["location"][:8]) == (303, "/sign-in")
