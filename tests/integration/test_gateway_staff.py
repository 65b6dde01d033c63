"""Staff's pages: who may see what, the reason before an account opens, search, events, export."""

import asyncio

import httpx
import msgspec
import psycopg
import pytest

from tests.integration.gateway_world import World, fresh, granted, keyed
from tests.integration.staffed import ROLES, hired, looks, opened, staff

SEEN = (
    "/admin",
    "/admin/why?account=acc-1",
    "/admin/accounts/acc-1",
    "/admin/events",
    "/admin/events.jsonl",
    "/admin/events/0:1",
)


async def projected(browser: httpx.AsyncClient, path: str, text: str) -> httpx.Response:
    """A page, once it shows this."""
    for _ in range(200):
        if text in (page := await browser.get(path)).text:
            return page
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} never shows {text}: {page.text}")


async def test_staff_pages_are_not_there_for_anybody_else(pages_api: World) -> None:
    async with pages_api.client() as person, pages_api.client() as stranger:
        await person.post("/dev/sign-in", json={"account": fresh("ada")})
        async with pages_api.client(pages_api.key()) as service:
            for path in SEEN:
                assert (await person.get(path)).status_code == 404, path
                assert (await service.get(path)).status_code == 404, path
                away = await stranger.get(path)
                assert (away.status_code, away.headers["location"][:8]) == (303, "/sign-in")
            for client in (person, service):
                posted = await client.post("/admin/why", data={"account": "acc-1", "why": "x"})
                assert posted.status_code == 404
    assert looks(pages_api, "acc-1") == []


@pytest.mark.parametrize("role", ROLES)
async def test_an_account_opens_to_who_says_why_and_each_look_is_written_down(
    pages_api: World, role: str
) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 700)
    path = f"/admin/accounts/{account}"
    async with staff(pages_api, role) as browser:
        asked = await browser.get(path)
        assert asked.status_code == 303
        assert asked.headers["location"].startswith("/admin/why?account=")
        form = await browser.get(asked.headers["location"])
        assert account in form.text
        for why in ("", " ", "x" * 201, "a\u202eb"):
            said = {"account": account, "why": why, "to": path}
            assert (await browser.post("/admin/why", data=said)).status_code == 422
        assert looks(pages_api, account) == []
        said = {"account": account, "why": "ticket 7", "to": path}
        way = await browser.post("/admin/why", data=said)
        assert (way.status_code, way.headers["location"]) == (303, path)
        page = await projected(browser, path, ">700<")
        assert page.status_code == 200
        assert ("Give credits" in page.text) is (role == "admin")
    written = looks(pages_api, account)
    assert written[0][1:] == ("opened", "ticket 7")
    assert set(written[1:]) == {(written[0][0], f"GET {path}", "ticket 7")}
    with psycopg.connect(pages_api.database) as connection:
        for change in ("UPDATE identity.looks SET why = 'y'", "DELETE FROM identity.looks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change)
            connection.rollback()


async def test_a_reason_is_good_for_one_account_and_one_person(pages_api: World) -> None:
    one, other = fresh("acc"), fresh("acc")
    async with staff(pages_api, "support") as browser, staff(pages_api, "support") as colleague:
        await opened(browser, one)
        assert (await browser.get(f"/admin/accounts/{one}")).status_code == 200
        assert (await browser.get(f"/admin/accounts/{other}")).status_code == 303
        assert (await colleague.get(f"/admin/accounts/{one}")).status_code == 303
        elsewhere = {"account": one, "why": "x", "to": "//evil.example"}
        way = await browser.post("/admin/why", data=elsewhere)
        assert way.headers["location"] == f"/admin/accounts/{one}"


async def test_accounts_are_found_by_account_address_run_and_event(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 700)
        run = fresh("run")
        body = {"account": account, "amount": 5}
        await service.post("/v1/reservations", json=body, headers=keyed(run))
    email = f"{account}@example.org"
    with psycopg.connect(pages_api.database) as connection:
        connection.execute(
            "INSERT INTO identity.people (id, email, made_at) VALUES (%s, %s, 0)", (account, email)
        )
    async with staff(pages_api, "support") as browser:
        await projected(browser, f"/admin?q={run}", f'href="/admin/accounts/{account}"')
        for text in (account, email.upper()):
            page = await browser.get("/admin", params={"q": text})
            assert f'href="/admin/accounts/{account}"' in page.text
        await opened(browser, account)
        seen = (await browser.get(f"/admin/accounts/{account}")).text
        assert email in seen
        event = seen.partition('href="/admin/events/')[2].partition('"')[0]
        assert account in (await browser.get("/admin", params={"q": event})).text
        for text in ("nothing", "<b>", "7:99999999", "a@b"):
            page = await browser.get("/admin", params={"q": text})
            assert (page.status_code, "Nothing has this name" in page.text) == (200, True)
    assert "found by the address" in [why for _, _, why in looks(pages_api, account)]


async def test_read_only_sees_no_address_and_finds_nobody_by_one(pages_api: World) -> None:
    account = hired(pages_api, "owner")
    async with staff(pages_api, "read_only") as browser:
        found = await browser.get("/admin", params={"q": f"{account}@staff.example"})
        assert "Nothing has this name" in found.text
        await opened(browser, account)
        page = await browser.get(f"/admin/accounts/{account}")
        assert page.status_code == 200
        assert "staff.example" not in page.text.partition("<main")[2]


async def test_events_are_searched_page_by_page_shown_in_full_and_exported(
    pages_api: World,
) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 700)
        for number in range(60):
            body = {"account": account, "amount": 1}
            await service.post("/v1/reservations", json=body, headers=keyed(f"r{number}"))
    async with staff(pages_api, "read_only") as browser:
        path = f"/admin/events?account={account}"
        assert (await browser.get(path)).status_code == 303
        await opened(browser, account)
        await projected(browser, path.replace("?", ".jsonl?"), '"version":61,')
        lines = (await browser.get(path.replace("?", ".jsonl?"))).text.splitlines()
        events = [msgspec.json.decode(line) for line in lines]
        assert [event["version"] for event in events] == list(range(61, 0, -1))
        assert {event["account"] for event in events} == {account}
        first = await browser.get(path)
        assert first.text.count('href="/admin/events/') == 50
        older = first.text.partition('href="/admin/events?account=' + account + "&amp;cursor=")[2]
        second = await browser.get(f"{path}&cursor={older.partition(chr(34))[0]}")
        assert second.text.count('href="/admin/events/') == 11
        named = await browser.get(f"{path}&kind=CreditsReserved&command=r7")
        assert named.text.count('href="/admin/events/') == 1
        place = f"{events[0]['partition']}:{events[0]['offset']}"
        one = (await browser.get(f"/admin/events/{place}")).text
        assert place in one
        assert "r59" in one
        assert (await browser.get("/admin/events/9:9")).status_code == 404
        assert (await browser.get("/admin/events/x")).status_code == 404
        for wrong in ("from=yesterday", "cursor=x", "from=1900-01-01"):
            assert (await browser.get(f"{path}&{wrong}")).status_code == 422


async def test_events_of_any_account_need_a_reason_and_a_window(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 700)
    async with staff(pages_api, "admin") as browser:
        assert (await browser.get("/admin/events")).status_code == 303
        await opened(browser, "*")
        page = await projected(browser, "/admin/events", account)
        assert page.status_code == 200
        wide = await browser.get("/admin/events?from=2026-01-01")
        assert (wide.status_code, "at most 31 days" in wide.text) == (422, True)
        lines = (await browser.get("/admin/events.jsonl")).text.splitlines()
        places = [msgspec.json.decode(line) for line in lines]
        order = [(x["at_ms"], x["partition"], x["offset"]) for x in places]
        assert order == sorted(order, reverse=True)
        assert account in {x["account"] for x in places}


async def test_staff_without_an_account_is_led_to_their_own_pages(pages_api: World) -> None:
    async with staff(pages_api, "support") as browser:
        away = await browser.get("/account/credits")
        assert (away.status_code, away.headers["location"]) == (303, "/admin")
