"""Somebody acts for a team on the pages: chosen once, by what the role may, until they are out."""

import asyncio
import re

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute, APIRouter
from gateway import documenting

from tests.integration.gateway_world import World, fresh, keyed
from tests.integration.test_gateway_matrix import (
    NAMED,
    OF_ACCOUNTS,
    OPERATIONS,
    asked,
    entries,
    request,
)
from tests.integration.test_gateway_pages_tools import SCANNER, form_of
from tests.integration.test_gateway_teams import joined, signed_in, team_of
from tests.mailbox import Mailbox

ANYBODY_S = {  # about the visitor alone, or open to strangers
    "/sign-in", "/sign-in/press", "/sign-in/as", "/sign-out", "/account/acting",
    "/account/team/invitation", "/account/team",
}  # fmt: skip
LOOKING = {"/account/settings/credits/preview"}  # a POST that says what another would do
ASKING = {"/api/account/limits"}  # a GET that the ledger answers, and notes
REVIEW = "/account/settings/credits"


async def acts(browser: httpx.AsyncClient, account: str) -> None:
    done = await browser.post("/account/acting", data={"account": account})
    assert (done.status_code, done.headers["location"]) == (303, "/account/credits"), done.text


def acting_in(page: httpx.Response) -> set[str]:
    """For which accounts a page's forms say that it was shown."""
    return set(re.findall(r'name="acting" value="([^"]+)"', page.text))


async def test_who_acts_for_a_team_sees_and_spends_what_is_the_team_s(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner, pages_api.client() as friend:
        await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 987)
        person = await joined(owner, friend, pages_mail, team, role="member")
        assert acting_in(await friend.get("/account/credits")) == {person}
        await acts(friend, team)
        assert (await friend.get("/api/me")).json()["actsFor"] == team
        for _ in range(50):
            page = await friend.get("/account/credits")
            if "987" in page.text:
                break
            await asyncio.sleep(0.1)
        assert "Blue" in page.text
        assert acting_in(page) == {team}
        assert (await friend.get("/api/credits/balance")).json()["available"] == 987
        own = await friend.get("/api/credits/balance", headers={"Scrip-Account": person})
        assert own.json()["available"] == 0  # what a request names itself goes first
        tool = await friend.get(f"/tools/{SCANNER}")
        assert acting_in(tool) == {team}
        form = {**form_of(tool.text), "acting": team}
        run = await friend.post(f"/tools/{SCANNER}/run", data=form)
        assert run.status_code == 303, run.text
        for _ in range(100):
            members = (await owner.get(f"/api/teams/{team}")).json()["members"]
            used = next(one["used"] for one in members if one["id"] == person)
            if used["runs"]:
                break
            await asyncio.sleep(0.1)
        assert used["runs"] == 1
        await acts(friend, person)
        assert acting_in(await friend.get("/account/credits")) == {person}
        assert "actsFor" not in {k for k, v in (await friend.get("/api/me")).json().items() if v}


async def test_a_page_of_another_account_does_nothing_for_this_one(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner:
        me, _ = await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 100)
        await acts(owner, team)
        stale = {"acting": me}
        for path, form in (
            (REVIEW, {**stale, "day_limit": "5"}),
            ("/account/keys", {**stale, "scopes": "read"}),
            ("/account/credits/buy", {**stale, "pack": "starter"}),
            ("/tools/data-studio-quality/run", {**stale, "input": "{}", "key": fresh("k")}),
        ):
            no = await owner.post(path, data=form)
            assert (no.status_code, "shown for another account" in no.text) == (409, True), path
        assert (await owner.get("/api/account/keys")).json()["items"] == []
        live = f"/api/live?account={me}"
        async with owner.stream("GET", live) as stream:  # a page stays with whom it was shown for
            assert stream.status_code == 200
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    assert '"available":0' in line.replace(" ", "")
                    break
        out = await owner.post("/sign-out", data={**stale, "everywhere": "1"})
        assert out.status_code == 303
        assert (await owner.get("/api/me")).status_code == 401


async def test_only_members_choose_a_team_and_only_from_here(
    pages_api: World, pages_mail: Mailbox
) -> None:
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    async with pages_api.client() as owner, pages_api.client() as stranger:
        await signed_in(owner, pages_mail)
        other, _ = await signed_in(stranger, pages_mail)
        team = await team_of(owner, pages_api, 1)
        for account in (team, "team-nobody", fresh("acc"), "", "x" * 300, "a b"):
            no = await stranger.post("/account/acting", data={"account": account})
            assert no.status_code == 404, account
        forged = await owner.post("/account/acting", data={"account": team}, headers=evil)
        assert forged.status_code == 403
        assert (await owner.get("/account/acting")).status_code in {404, 405}
        assert acting_in(await stranger.get("/account/credits")) == {other}


async def test_who_is_removed_acts_for_themselves_and_nothing_is_done_by_mistake(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner, pages_api.client() as friend:
        await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 500)
        person = await joined(owner, friend, pages_mail, team, role="admin")
        await acts(friend, team)
        assert (await owner.delete(f"/api/teams/{team}/members/{person}")).status_code == 204
        body = {"input": {"csv": "a\n1\n"}}
        no = await friend.post("/api/data-studio/quality/run", json=body, headers=keyed("r1"))
        assert (no.status_code, no.json()["code"]) == (409, "team_left"), no.text
        page = await friend.get("/account/credits")
        assert (page.status_code, acting_in(page)) == (200, {person})
        assert "Blue" not in page.text
        late = await friend.post(REVIEW, data={"acting": team, "day_limit": "5"})
        assert late.status_code == 409
        with psycopg.connect(pages_api.database) as connection:  # invited again, chosen anew
            seat = "INSERT INTO identity.members VALUES (%s, %s, 'viewer', 0)"
            connection.execute(seat, (team, person))
        assert acting_in(await friend.get("/account/credits")) == {person}
        await acts(friend, team)
        assert acting_in(await friend.get("/account/credits")) == {team}


async def pages() -> list[tuple[str, str]]:
    """Every page, by method and path: a new one is asked here without being named."""
    found = [
        (method.lower(), route.path)
        for included in (await documenting.built()).routes
        for route in getattr(included, "original_router", APIRouter()).routes
        if isinstance(route, APIRoute) and not route.include_in_schema
        for method in route.methods or ()
    ]
    assert len(found) > 30
    return [(method, path) for method, path in found if not path.startswith(("/embed", "/static"))]


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_the_role_says_what_every_page_and_route_may_do(
    pages_api: World, pages_mail: Mailbox, role: str
) -> None:
    faults, calls = list[str](), 0
    async with pages_api.client() as owner, pages_api.client() as friend:
        me, _ = await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 50)
        person = await joined(owner, friend, pages_mail, team, role=role)
        friend.headers["idempotency-key"] = fresh("k")
        await acts(friend, team)
        for method, path in await pages():
            if path in ANYBODY_S:
                continue
            url = re.sub(r"\{[^}]+\}", NAMED, path)
            form = {"acting": team, "x": "1"} if method == "post" else None
            answer = await friend.request(method.upper(), url, data=form)
            calls += 1
            may = method == "get" or path in LOOKING or path.startswith("/tools/")
            if answer.status_code >= 500 or (not may and answer.status_code not in {403, 404}):
                faults.append(f"{method} {path}: {answer.status_code}")
        for method, path, operation in OPERATIONS:
            security = operation.get("security", [{}])
            if {"session": []} not in security or path not in OF_ACCOUNTS or role != "viewer":
                continue
            answer = await asked(friend, method, request(operation, path, team))
            calls += 1
            may = method == "get"
            if answer.status_code not in ({200, 403, 404} if may else {403}):
                faults.append(f"{method} {path}: {answer.status_code} {answer.text}")
    await asyncio.sleep(0.5)
    assert not faults, "\n".join(faults)
    assert await entries(pages_api, (team, me, person)) == 1
    print(f"acting as a {role}: {calls} calls")


async def test_no_route_takes_a_choice_that_ended_for_the_own_account(
    pages_api: World, pages_mail: Mailbox
) -> None:
    faults = list[str]()
    async with pages_api.client() as owner, pages_api.client() as friend:
        await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 50)
        person = await joined(owner, friend, pages_mail, team, role="admin")
        await owner.delete(f"/api/teams/{team}/members/{person}")
        friend.headers["idempotency-key"] = fresh("k")
        again = "UPDATE identity.sessions SET team = %s WHERE person = %s"
        with psycopg.connect(pages_api.database, autocommit=True) as connection:
            for method, path, operation in OPERATIONS:
                security = operation.get("security", [{}])
                if {"session": []} not in security or path not in OF_ACCOUNTS - ASKING:
                    continue
                connection.execute(again, (team, person))
                answer = await asked(friend, method, request(operation, path, person))
                if method != "get" and answer.status_code != 409:
                    faults.append(f"{method} {path}: {answer.status_code} {answer.text}")
                if answer.is_closed and hasattr(answer, "_content") and team in answer.text:
                    faults.append(f"{method} {path}: tells of the team")
            for method, path in await pages():
                if method != "post" or path in ANYBODY_S:
                    continue
                connection.execute(again, (team, person))
                url = re.sub(r"\{[^}]+\}", NAMED, path)
                answer = await friend.post(url, data={"x": "1"})
                if answer.status_code != 409:
                    faults.append(f"{method} {path}: {answer.status_code}")
    assert not faults, "\n".join(faults)
    assert await entries(pages_api, (person,)) == 0
