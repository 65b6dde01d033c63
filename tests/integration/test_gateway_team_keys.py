"""A team's keys: whoever leaves it leaves none behind, whatever happens at that very moment."""

import asyncio
from typing import Any

import httpx
import psycopg

from tests.integration.gateway_world import World
from tests.integration.test_gateway_teams import joined, signed_in, team_of
from tests.mailbox import Mailbox


async def key_of(browser: httpx.AsyncClient, team: str, *scopes: str) -> dict[str, Any]:
    made = await browser.post(
        "/api/account/keys", json={"scopes": list(scopes)}, headers={"Scrip-Account": team}
    )
    assert made.status_code == 201, made.text
    return dict(made.json())


async def opens(api: World, key: dict[str, Any]) -> bool:
    async with api.client(key["key"]) as program:
        return (await program.get("/api/credits/balance")).status_code == 200


async def ended(api: World, key: dict[str, Any]) -> bool:
    """Within the five seconds that a revoked key may go on."""
    for _ in range(50):
        if not await opens(api, key):
            return True
        await asyncio.sleep(0.1)
    return False


async def test_a_key_of_the_team_ends_with_who_made_it_unless_it_was_replaced(
    pages_api: World, pages_mail: Mailbox
) -> None:
    api, box = pages_api, pages_mail
    async with api.client() as owner, api.client() as admin:
        me, _ = await signed_in(owner, box)
        team = await team_of(owner, api, 10)
        person = await joined(owner, admin, box, team, role="admin")
        mine, theirs = await key_of(owner, team, "read"), await key_of(admin, team, "read")
        kept, wide = await key_of(admin, team, "read", "spend"), await key_of(admin, team, "admin")
        assert (mine["madeBy"], theirs["madeBy"]) == (me, person)
        async with api.client(wide["key"]) as program:  # a key's key has the key's maker
            second = await program.post("/api/account/keys", json={"scopes": ["admin"]})
            assert second.json()["madeBy"] == person
        less = await owner.put(f"/api/teams/{team}/members/{person}", json={"role": "viewer"})
        assert less.status_code == 200, less.text
        assert await ended(api, wide)
        assert await ended(api, second.json())
        assert await ended(api, kept)
        assert await opens(api, theirs)
        replaced = await owner.post(
            f"/api/account/keys/{theirs['id']}/rotate", json={}, headers={"Scrip-Account": team}
        )
        assert replaced.json()["madeBy"] == me
        await owner.delete(f"/api/teams/{team}/members/{person}")
        assert await ended(api, theirs)
        assert await opens(api, replaced.json())
        assert await opens(api, mine)


async def test_a_key_made_while_its_maker_is_removed_ends_too(
    pages_api: World, pages_mail: Mailbox
) -> None:
    api, box = pages_api, pages_mail
    async with api.client() as owner, api.client() as admin:
        await signed_in(owner, box)
        team = await team_of(owner, api, 10)
        person = await joined(owner, admin, box, team, role="admin")
        wide = await key_of(admin, team, "admin")
        async with api.client(wide["key"]) as program:
            body = {"scopes": ["read"]}
            asked = [program.post("/api/account/keys", json=body) for _ in range(12)]
            asked[6:6] = [owner.delete(f"/api/teams/{team}/members/{person}")]
            await asyncio.gather(*asked)
            late = await program.post("/api/account/keys", json=body)
            assert late.status_code in {401, 409}
        usable = "SELECT FROM gateway.keys WHERE made_by = %s AND revoked_at IS NULL"
        with psycopg.connect(api.database) as connection:
            assert connection.execute(usable, (person,)).rowcount == 0
