"""What staff does to an account: reviewed, once, refused at the form, much of it by two of them."""

import asyncio
import re
from collections.abc import Mapping

import httpx
import psycopg
import pytest

from tests.integration.gateway_world import World, fresh, granted, keyed
from tests.integration.staffed import opened, staff

WHY = {"reason": "outage", "note": "ticket 7"}


def key_in(page: httpx.Response) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def form(browser: httpx.AsyncClient, account: str, kind: str) -> tuple[str, str]:
    """The address of a form, and the name of what it begins."""
    path = f"/admin/accounts/{account}/do/{kind}"
    return path, key_in(await browser.get(path))


async def done(
    browser: httpx.AsyncClient, account: str, kind: str, fields: Mapping[str, str]
) -> httpx.Response:
    """Form, review, and the press that means it."""
    path, key = await form(browser, account, kind)
    sent = {**WHY, **fields, "key": key}
    review = await browser.post(path, data=sent)
    assert (review.status_code, "Review:" in review.text) == (200, True), review.text
    return await browser.post(path, data={**sent, "sure": "1"})


async def available(api: World, account: str) -> tuple[int, list[str]]:
    async with api.client(api.key()) as service:
        seen = (await service.get(f"/v1/accounts/{account}/balance")).json()
    return seen["available"], [one["reason"] for one in seen["frozen"]]


async def test_every_action_is_reviewed_done_and_shown(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 100)
        body = {"account": account, "amount": 40}
        await service.post("/v1/reservations", json=body, headers=keyed("r1"))
        await service.post("/v1/reservations/r1/charge", json=body, headers=keyed("c1"))
    async with staff(pages_api, "admin") as browser:
        await opened(browser, account)
        for kind, fields, says, left in (
            ("grant", {"amount": "50", "days": "90"}, "The credits are given.", 110),
            ("adjustment", {"amount": "-10", "target": "grant"}, "The balance is corrected", 100),
            ("adjustment", {"amount": "5"}, "The balance is corrected.", 105),
            ("refund", {"amount": "15", "target": "c1"}, "The credits are back.", 120),
            ("revoke", {"amount": "20", "target": "grant"}, "The credits are taken back.", 100),
            ("freeze", {"reason": "fraud-review"}, "Spending is stopped.", 100),
        ):
            way = await done(browser, account, kind, fields)
            assert way.status_code == 303, way.text
            page = await browser.get(way.headers["location"])
            assert says in page.text
            assert f"<dd>{left}</dd>" in page.text
        assert await available(pages_api, account) == (100, ["fraud-review"])
        thaw = await done(browser, account, "thaw", {"reason": "fraud-review"})
        await browser.get(thaw.headers["location"])
        assert await available(pages_api, account) == (100, [])
    with psycopg.connect(pages_api.database) as connection:
        actors = connection.execute(
            "SELECT DISTINCT actor_kind FROM read.entries"
            " WHERE account = %s AND command_id LIKE 'staff-%%'",
            (account,),
        ).fetchall()
    assert actors == [("admin",)]


async def test_a_form_sent_many_times_does_it_once_and_does_nothing_else(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 1)
    async with staff(pages_api, "admin") as browser:
        await opened(browser, account)
        path, key = await form(browser, account, "grant")
        sent = {**WHY, "amount": "70", "key": key, "sure": "1"}
        answers = await asyncio.gather(*[browser.post(path, data=sent) for _ in range(5)])
        assert {answer.status_code for answer in answers} == {303}
        await browser.get(answers[0].headers["location"])
        assert await available(pages_api, account) == (71, [])
        other = await browser.post(path, data={**sent, "amount": "71"})
        assert (other.status_code, "used for something else" in other.text) == (422, True)
        assert await available(pages_api, account) == (71, [])


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("grant", {"amount": "ten"}, "amount"),
        ("grant", {"amount": "-5"}, "amount"),
        ("grant", {"amount": "1.5"}, "amount"),
        ("grant", {"amount": "9" * 40}, "amount"),
        ("grant", {"amount": "0"}, "amount"),
        ("grant", {"amount": ""}, "amount"),
        ("grant", {"amount": "5", "note": " "}, "note"),
        ("grant", {"amount": "5", "note": "x" * 10_000}, "note"),
        ("grant", {"amount": "5", "reason": "<b>"}, "reason"),
        ("grant", {"amount": "5", "days": "x"}, "days"),
        ("adjustment", {"amount": "-5"}, "target"),
        ("refund", {"amount": "5", "target": "no such name"}, "target"),
    ],
)
async def test_what_is_wrong_is_said_at_the_field_and_nothing_is_asked(
    pages_api: World, kind: str, fields: dict[str, str], field: str
) -> None:
    account = fresh("acc")
    async with staff(pages_api, "admin") as browser:
        await opened(browser, account)
        path, key = await form(browser, account, kind)
        answer = await browser.post(path, data={**WHY, **fields, "key": key, "sure": "1"})
        assert (answer.status_code, f'id="{field}-fault"' in answer.text) == (422, True)
    with psycopg.connect(pages_api.database) as connection:
        kept = connection.execute("SELECT FROM identity.actions WHERE account = %s", (account,))
        assert kept.fetchall() == []


async def test_a_no_of_the_ledger_is_said_at_the_form_which_can_be_mended(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 100)
    async with staff(pages_api, "admin") as browser:
        await opened(browser, account)
        no = await done(browser, account, "revoke", {"amount": "101", "target": "grant"})
        assert (no.status_code, "The ledger said no" in no.text) == (409, True)
        assert 'value="101"' in no.text
        mended = {**WHY, "amount": "99", "target": "grant", "key": key_in(no), "sure": "1"}
        way = await browser.post(f"/admin/accounts/{account}/do/revoke", data=mended)
        assert way.status_code == 303
        await browser.get(way.headers["location"])
        assert await available(pages_api, account) == (1, [])


async def asked(browser: httpx.AsyncClient, account: str) -> str:
    """A grant that needs two: the address where it waits."""
    await opened(browser, account)
    way = await done(browser, account, "grant", {"amount": "5000"})
    assert way.status_code == 303, way.text
    assert way.headers["location"].startswith("/admin/waiting/staff-")
    return str(way.headers["location"])


async def test_much_waits_for_another_admin_who_signs_in_themselves(pages_api: World) -> None:
    async with pages_api.client(pages_api.key()) as service:
        account = await granted(service, 1)
    async with (
        staff(pages_api, "admin") as first,
        staff(pages_api, "admin") as second,
        staff(pages_api, "admin") as third,
        staff(pages_api, "support") as support,
    ):
        path = await asked(first, account)
        own = await first.post(path, data={"approve": "1"})
        assert own.status_code == 409
        assert (await support.post(path, data={"approve": "1"})).status_code == 403
        assert "Only admins approve" in (await support.get(path)).text
        assert await available(pages_api, account) == (1, [])
        assert path in (await second.get("/admin/waiting")).text
        assert "5,000 credits" in (await second.get(path)).text
        way = await second.post(path, data={"approve": "1"})
        assert way.status_code == 303, way.text
        await second.get(way.headers["location"])
        assert await available(pages_api, account) == (5001, [])
        assert (await third.post(path, data={"approve": "1"})).status_code == 409
        assert (await second.post(path, data={"approve": "1"})).status_code == 409
        assert "does not wait any more" in (await third.get(path)).text
    with psycopg.connect(pages_api.database) as connection:
        [(detail, actor)] = connection.execute(
            "SELECT detail ->> 'approvedBy', actor_id FROM read.entries"
            " WHERE account = %s AND command_id LIKE 'staff-%%'",
            (account,),
        ).fetchall()
    assert detail.startswith("admin-")
    assert detail != actor


async def test_what_waits_is_withdrawn_declined_or_too_old_and_then_nothing_happens(
    pages_api: World,
) -> None:
    account = fresh("acc")
    async with staff(pages_api, "admin") as first, staff(pages_api, "admin") as second:
        withdrawn, declined, old = [await asked(first, account) for _ in range(3)]
        assert (await first.post(withdrawn, data={"withdraw": "1"})).status_code == 303
        assert (await second.post(declined, data={"decline": "1"})).status_code == 303
        with psycopg.connect(pages_api.database) as connection:
            connection.execute(
                "UPDATE identity.actions SET until = 0 WHERE id = %s", (old.rpartition("/")[2],)
            )
        waiting = (await second.get("/admin/waiting")).text
        for path in (withdrawn, declined, old):
            assert path not in waiting
            assert (await second.post(path, data={"approve": "1"})).status_code == 409
    assert await available(pages_api, account) == (0, [])


@pytest.mark.parametrize("role", ["support", "read_only"])
async def test_who_only_reads_changes_nothing(pages_api: World, role: str) -> None:
    account = fresh("acc")
    async with staff(pages_api, role) as browser:
        await opened(browser, account)
        for kind in ("grant", "adjustment", "refund", "revoke", "freeze", "thaw"):
            path = f"/admin/accounts/{account}/do/{kind}"
            assert (await browser.get(path)).status_code == 403
            sent = {**WHY, "amount": "5", "key": "k1", "sure": "1"}
            assert (await browser.post(path, data=sent)).status_code == 403
    async with pages_api.client() as person:
        await person.post("/dev/sign-in", json={"account": account})
        for path in ("do/grant", "do/freeze"):
            answer = await person.post(f"/admin/accounts/{account}/{path}", data=WHY)
            assert answer.status_code == 404
    assert await available(pages_api, account) == (0, [])


async def test_another_site_cannot_make_an_admin_act(pages_api: World) -> None:
    account = fresh("acc")
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    async with staff(pages_api, "admin") as browser:
        await opened(browser, account)
        sent = {**WHY, "amount": "5", "key": "k1", "sure": "1"}
        for path in ("/admin/why", f"/admin/accounts/{account}/do/grant", "/admin/waiting/k1"):
            assert (await browser.post(path, data=sent, headers=evil)).status_code == 403
    assert await available(pages_api, account) == (0, [])
