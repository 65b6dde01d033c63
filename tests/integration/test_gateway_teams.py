"""A team over HTTP: invited by mail, run within an allocation, paid by the pool, removed, left."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.integration.gateway_world import World, fresh, keyed, world
from tests.mailbox import Mailbox, mailbox

TOOL = "/api/data-studio/quality/run"


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
    folder: Path = tmp_path_factory.mktemp("teams")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    settings = {"SCRIP_SMTP_URL": box.url, "SCRIP_RATE_LIMITS": "off"}
    with world(
        engine, database, prefix, folder, guard, services=services, gateway=settings
    ) as made:
        yield made


async def signed_in(browser: httpx.AsyncClient, box: Mailbox) -> tuple[str, str]:
    """Somebody new: the person's id and address."""
    email = f"{fresh('ada')}@example.org"
    await browser.post("/api/sign-in", json={"email": email})
    done = await browser.post("/sign-in/link", json={"token": box.token(email)})
    assert done.status_code == 204, done.text
    return (await browser.get("/api/me")).json()["account"], email


async def team_of(owner: httpx.AsyncClient, api: World, owned: int) -> str:
    made = await owner.post("/api/teams", json={"name": "Blue"})
    assert made.status_code == 201, made.text
    team = str(made.json()["id"])
    async with api.client(api.key()) as service:
        body = {"amount": owned, "kind": "paid", "source": f"s-{team}"}
        given = await service.post(f"/v1/accounts/{team}/grants", json=body, headers=keyed("g"))
        assert given.status_code == 201, given.text
    return team


async def joined(
    owner: httpx.AsyncClient, friend: httpx.AsyncClient, box: Mailbox, team: str, **asked: Any
) -> str:
    """A second person, in the team by an invitation."""
    person, email = await signed_in(friend, box)
    sent = await owner.post(f"/api/teams/{team}/invitations", json={"email": email, **asked})
    assert sent.status_code == 201, sent.text
    token = box.token(email)
    accepted = await friend.post("/api/team-invitations/accept", json={"token": token})
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["id"] == team
    again = await friend.post("/api/team-invitations/accept", json={"token": token})
    assert (again.status_code, again.json()["code"]) == (410, "invitation_over")
    return person


async def run(browser: httpx.AsyncClient, team: str) -> httpx.Response:
    headers = {"Scrip-Account": team, "Prefer": "wait=1", **keyed(fresh("run"))}
    return await browser.post(TOOL, json={"input": {"csv": "a\n1\n"}}, headers=headers)


async def listed(browser: httpx.AsyncClient, team: str) -> dict[str, Any]:
    found = await browser.get(f"/api/teams/{team}")
    assert found.status_code == 200, found.text
    return {member["id"]: member for member in found.json()["members"]}


async def test_a_member_runs_against_the_pool_within_the_allocation_and_no_further(
    api: World, box: Mailbox
) -> None:
    async with api.client() as owner, api.client() as friend:
        me, _ = await signed_in(owner, box)
        team = await team_of(owner, api, 1_000)
        allocation = {"limit": 0, "window": "month"}
        person = await joined(owner, friend, box, team, role="member", allocation=allocation)
        assert (await listed(owner, team))[person]["allocation"] == allocation
        no = await run(friend, team)
        assert (no.status_code, no.json()["code"]) == (402, "member_limit"), no.text
        assert no.json()["limit"]["name"] == "member_month"
        wider = {"role": "member", "allocation": {"limit": 500, "window": "month"}}
        put = await owner.put(f"/api/teams/{team}/members/{person}", json=wider)
        assert put.status_code == 200, put.text
        assert (await run(friend, team)).status_code == 202
        assert (await friend.get("/api/credits/balance")).json()["held"] == 0
        asked = {"params": {"toolId": "dev-studio-security"}, "headers": {"Scrip-Account": team}}
        chain = (await friend.get("/api/account/limits", **asked)).json()["limits"]  # type: ignore[arg-type]
        held = next(limit["held"] for limit in chain if limit["name"] == "member_month")
        assert held > 0
        for _ in range(50):
            if (used := (await listed(owner, team))[person]["used"])["held"] == held:
                break
            await asyncio.sleep(0.1)
        assert (used["runs"], used["held"]) == (1, held)
        assert (await listed(owner, team))[me]["used"]["runs"] == 0


async def test_who_is_removed_is_out_at_once_and_the_run_under_way_still_ends(
    api: World, box: Mailbox
) -> None:
    async with api.client() as owner, api.client() as friend, api.client(api.key()) as service:
        await signed_in(owner, box)
        team = await team_of(owner, api, 1_000)
        person = await joined(owner, friend, box, team, allocation={"limit": 400, "window": "ever"})
        headers = {"Scrip-Account": team}
        body = {"account": team, "amount": 40, "member": person}
        held = await service.post("/v1/reservations", json=body, headers=keyed("r1"))
        assert held.status_code == 201, held.text
        gone = await owner.delete(f"/api/teams/{team}/members/{person}")
        assert gone.status_code == 204, gone.text
        assert (await run(friend, team)).status_code == 404
        assert (await friend.get("/api/credits/balance", headers=headers)).status_code == 404
        assert (await friend.get(f"/api/teams/{team}")).status_code == 404
        body = {"account": team, "amount": 30}
        charged = await service.post("/v1/reservations/r1/charge", json=body, headers=keyed("c1"))
        assert charged.status_code == 200, charged.text
        for _ in range(50):
            if (await listed(owner, team))[person]["used"]["credits"] == 30:
                break
            await asyncio.sleep(0.1)
        left = (await listed(owner, team))[person]
        assert (left["gone"], left["used"]["credits"], left["used"]["held"]) == (True, 30, 0)
        assert "allocation" not in left
        balance = (await owner.get("/api/credits/balance", headers=headers)).json()
        assert (balance["available"], balance["held"], balance["spent"]) == (970, 0, 30)


async def test_roles_say_who_may_what(api: World, box: Mailbox) -> None:
    async with api.client() as owner, api.client() as viewer, api.client() as admin:
        me, _ = await signed_in(owner, box)
        team = await team_of(owner, api, 100)
        await joined(owner, viewer, box, team, role="viewer")
        second = await joined(owner, admin, box, team, role="admin")
        headers = {"Scrip-Account": team}
        assert (await viewer.get("/api/credits/balance", headers=headers)).status_code == 200
        assert (await run(viewer, team)).status_code == 403
        for method, path, body in (
            ("POST", f"/api/teams/{team}/invitations", {"email": "x@example.org"}),
            ("PUT", f"/api/teams/{team}/members/{second}", {"role": "viewer"}),
            ("DELETE", f"/api/teams/{team}/members/{second}", None),
        ):
            assert (await viewer.request(method, path, json=body)).status_code == 403, path
        rise = await admin.put(f"/api/teams/{team}/members/{second}", json={"role": "owner"})
        assert rise.status_code == 403
        assert (await admin.delete(f"/api/teams/{team}/members/{me}")).status_code == 403
        erase = await admin.post("/api/account/erasure", json={"account": team}, headers=headers)
        assert erase.status_code == 403
        made = await owner.post(
            f"/api/teams/{team}/invitations", json={"email": "x@example.org", "role": "owner"}
        )
        assert (made.status_code, made.json()["code"]) == (422, "role_invalid")


async def test_the_last_owner_cannot_leave_and_of_two_who_leave_at_once_one_stays(
    api: World, box: Mailbox
) -> None:
    async with api.client() as owner, api.client() as friend:
        me, _ = await signed_in(owner, box)
        team = await team_of(owner, api, 1)
        no = await owner.delete(f"/api/teams/{team}/members/{me}")
        assert (no.status_code, no.json()["code"]) == (409, "last_owner")
        demoted = await owner.put(f"/api/teams/{team}/members/{me}", json={"role": "viewer"})
        assert (demoted.status_code, demoted.json()["code"]) == (409, "last_owner")
        erased = await owner.post("/api/account/erasure", json={"account": me})
        assert (erased.status_code, erased.json()["code"]) == (409, "last_owner")
        person = await joined(owner, friend, box, team)
        await owner.put(f"/api/teams/{team}/members/{person}", json={"role": "owner"})
        both = await asyncio.gather(
            owner.delete(f"/api/teams/{team}/members/{me}"),
            friend.delete(f"/api/teams/{team}/members/{person}"),
        )
        assert sorted(answer.status_code for answer in both) == [204, 409]


async def test_an_invitation_is_for_the_address_it_was_sent_to_until_it_is_withdrawn_or_old(
    api: World, box: Mailbox
) -> None:
    async with api.client() as owner, api.client() as friend, api.client() as thief:
        await signed_in(owner, box)
        team = await team_of(owner, api, 1)
        await signed_in(thief, box)
        _, email = await signed_in(friend, box)
        path = f"/api/teams/{team}/invitations"
        sent = (await owner.post(path, json={"email": email})).json()
        token = box.token(email)
        accept = ("/api/team-invitations/accept",)
        assert (await thief.post(*accept, json={"token": token})).status_code == 410
        page = await friend.get("/account/team/invitation", params={"token": token})
        assert "Accept the invitation" in page.text
        assert (await owner.delete(f"{path}/{sent['id']}")).status_code == 204
        assert (await friend.post(*accept, json={"token": token})).status_code == 410
        await owner.post(path, json={"email": email})
        with psycopg.connect(api.database) as connection:
            connection.execute("UPDATE identity.invitations SET expires_at = made_at")
        assert (await friend.post(*accept, json={"token": box.token(email)})).status_code == 410
        await owner.post(path, json={"email": email})
        form = {"token": box.token(email)}
        pressed = await friend.post("/account/team/invitation", data=form)
        assert "You are in Blue" in pressed.text, pressed.text
        over = await friend.post("/account/team/invitation", data=form)
        assert over.status_code == 410


async def test_an_owner_closes_a_team_and_nobody_is_in_it(api: World, box: Mailbox) -> None:
    async with api.client() as owner, api.client() as friend:
        await signed_in(owner, box)
        team = await team_of(owner, api, 5)
        await joined(owner, friend, box, team, role="viewer")
        body = {"account": team, "forfeit": True}
        for _ in range(50):
            closed = await owner.post(
                "/api/account/erasure", json=body, headers={"Scrip-Account": team}
            )
            if closed.status_code == 200 and closed.json()["forfeited"] == 5:
                break
            await asyncio.sleep(0.1)
        assert closed.json() == {"account": team, "forfeited": 5}
        assert (await friend.get(f"/api/teams/{team}")).status_code == 404
        assert (await friend.get("/api/teams")).json() == {"items": []}
