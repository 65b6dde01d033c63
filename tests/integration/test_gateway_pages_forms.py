"""Settings, usage and receipts as pages: what is typed, what is saved, and what adds up."""

import asyncio
import csv
import re

import httpx
import pytest

from tests.integration.gateway_world import World, fresh, granted, keyed

SETTINGS = "/account/settings/credits"


async def signed_in(person: httpx.AsyncClient, account: str = "") -> None:
    await person.post("/dev/sign-in", json={"account": account or fresh("ada")})


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


async def shown(person: httpx.AsyncClient, path: str, words: str) -> str:
    """The page, once it says this."""
    for _ in range(100):
        page = await person.get(path)
        if words in page.text:
            return page.text
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} never said {words!r}: {page.text}")


@pytest.mark.parametrize(
    "typed", ["-5", "1.5", "many", "١٢", "1e3", "99999999999999999999", "0x10", "<b>", "\u202e5"]
)
async def test_what_is_no_whole_number_is_told_at_its_field_and_not_saved(
    pages_api: World, typed: str
) -> None:
    async with pages_api.client() as person:
        await signed_in(person)
        form = {"version": "0", "day_limit": typed, "time_zone": "UTC"}
        told = await person.post(SETTINGS, data=form)
        assert told.status_code == 422
        assert 'id="day_limit-fault"' in told.text
        assert "<b>" not in told.text.partition("<form")[2].partition("</form>")[0]
        assert version((await person.get(SETTINGS)).text) == "0"


async def test_of_two_tabs_the_second_is_told_and_shown_both(pages_api: World) -> None:
    async with pages_api.client() as person:
        await signed_in(person)
        both = version((await person.get(SETTINGS)).text)
        first = {"version": both, "day_limit": "300", "time_zone": "UTC"}
        saved = await person.post(SETTINGS, data=first)
        assert saved.status_code == 303
        assert "Saved." in (await person.get(saved.headers["location"])).text
        second = {"version": both, "day_limit": "400", "time_zone": "UTC"}
        told = await person.post(SETTINGS, data=second)
        assert told.status_code == 412
        assert "Once 300 credits are used" in told.text
        assert "Once 400 credits are used" in told.text
        again = await person.post(SETTINGS, data={**second, "version": version(told.text)})
        assert again.status_code == 303
        after = await person.get(again.headers["location"])
        assert re.search(r'name="day_limit"[^>]* value="400"', after.text)


async def test_low_credits_are_set_on_the_page_and_told_of_by_the_run_that_leaves_few(
    pages_api: World,
) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 100)
        async with pages_api.client() as person:
            await signed_in(person, account)
            form = {"version": "0", "time_zone": "UTC", "low_balance": "20", "low_percent": "100"}
            told = await person.post(SETTINGS, data=form)
            assert told.status_code == 422
            assert 'id="low_percent-fault"' in told.text
            form["low_percent"] = ""
            effect = await person.post(f"{SETTINGS}/preview", data=form)
            assert "You are told once when fewer than 20 are available." in effect.text
            saved = await person.post(SETTINGS, data=form)
            assert saved.status_code == 303
            after = await person.get(saved.headers["location"])
            assert re.search(r'name="low_balance"[^>]* value="20"', after.text)
            most = {"account": account, "amount": 81}
            held = await service.post("/v1/reservations", json=most, headers=keyed("r1"))
            assert held.status_code == 201, held.text
            await shown(person, "/account/history", "Alert threshold reached")


async def test_what_bites_at_once_is_asked_about_first(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service, pages_api.client() as person:
        account = await granted(service, 500)
        await service.post(
            "/v1/reservations", json={"account": account, "amount": 80}, headers=keyed("r")
        )
        await signed_in(person, account)
        await shown(person, "/help", "80 held")
        form = {"version": "0", "day_limit": "50", "time_zone": "UTC"}
        asked = await person.post(SETTINGS, data=form)
        assert asked.status_code == 422
        assert "every further run is refused at once" in asked.text
        partial = {"hx-request-type": "partial"}
        preview = await person.post(f"{SETTINGS}/preview", data=form, headers=partial)
        assert "<html" not in preview.text
        assert "Once 50 credits are used" in preview.text
        sure = await person.post(SETTINGS, data={**form, "sure": "1"})
        assert sure.status_code == 303


async def test_what_the_form_does_not_show_stays(pages_api: World) -> None:
    async with pages_api.client() as person:
        await signed_in(person)
        body = {"concurrency": 3, "caps": [{"of": "tool", "id": "noop", "limit": 9}]}
        path = "/api/account/settings/credits"
        put = await person.put(path, json=body, headers={"If-Match": '"0"'})
        assert put.status_code == 200, put.text
        held = version((await person.get(SETTINGS)).text)
        form = {"version": held, "month_limit": "1,000", "time_zone": "Asia/Kolkata"}
        saved = await person.post(SETTINGS, data=form)
        assert saved.status_code == 303, saved.text
        await person.get(saved.headers["location"])
        now = (await person.get(path)).json()["controls"]
        assert (now["concurrency"], now["monthLimit"], len(now["caps"])) == (3, 1000, 1)


async def test_days_tools_total_sheet_and_json_are_one_number(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service, pages_api.client() as person:
        account = await granted(service, 900)
        for number in range(6):
            hold = {"account": account, "amount": 50}
            await service.post("/v1/reservations", json=hold, headers=keyed(f"r{number}"))
            charge = {"account": account, "amount": 10 + number}
            url = f"/v1/reservations/r{number}/charge"
            await service.post(url, json=charge, headers=keyed(f"c{number}"))
        await signed_in(person, account)
        page = await shown(person, "/account/usage?period=7d", '<dd id="used">75</dd>')
        assert page.count('<td class="num">75</td>') == 4  # by day, by tool, and both totals
        sheet = (await person.get("/account/usage.csv?period=7d")).text
        rows = list(csv.DictReader(sheet.splitlines()))
        assert sum(int(row["credits"]) for row in rows) == 75
        told = (await person.get("/api/account/usage?period=7d")).json()
        assert told["total"]["credits"] == 75
        wrong = await person.get("/account/usage?from=2026-02-30&to=x")
        assert wrong.status_code == 422
        assert "Give both days" in wrong.text


async def test_a_receipt_shows_each_step_and_only_to_its_owner(pages_api: World) -> None:
    async with (
        pages_api.client(pages_api.key()) as service,
        pages_api.client() as person,
        pages_api.client() as other,
    ):
        account = await granted(service, 100)
        hold = {"account": account, "amount": 50}
        await service.post("/v1/reservations", json=hold, headers=keyed("mine"))
        charge = {"account": account, "amount": 20}
        await service.post("/v1/reservations/mine/charge", json=charge, headers=keyed("c"))
        await signed_in(person, account)
        await shown(person, "/account/history", "/account/runs/mine")
        receipt = await shown(person, "/account/runs/mine", "Went back")
        for words in ("<b>50</b>", "<b>20</b>", "<b>30</b>", "Held for a run"):
            assert words in receipt
        await signed_in(other)
        assert (await other.get("/account/runs/mine")).status_code == 404
        assert (await person.get("/account/runs/nothing")).status_code == 404
