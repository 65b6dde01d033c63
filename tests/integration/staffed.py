"""Somebody of staff, signed in at the pages' gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psycopg

from tests.integration.gateway_world import World, fresh

ROLES = ("admin", "support", "read_only")


def hired(api: World, role: str) -> str:
    """A new person of staff, known by an address."""
    person = fresh(role.replace("_", "-"))
    with psycopg.connect(api.database) as connection:
        connection.execute(
            "INSERT INTO identity.people (id, email, role, made_at) VALUES (%s, %s, %s, 0)",
            (person, f"{person}@staff.example", role),
        )
    return person


@asynccontextmanager
async def staff(api: World, role: str) -> AsyncIterator[httpx.AsyncClient]:
    """Their browser, by another name each time."""
    async with api.client() as browser:
        signed = await browser.post("/dev/sign-in", json={"account": hired(api, role)})
        assert signed.status_code == 204, signed.text
        yield browser


async def opened(browser: httpx.AsyncClient, account: str, why: str = "ticket 7") -> None:
    """Say why this account is looked at."""
    answer = await browser.post("/admin/why", data={"account": account, "why": why})
    assert answer.status_code == 303, answer.text


def looks(api: World, account: str) -> list[tuple[str, str, str]]:
    """Who looked at an account, at what and why, oldest first."""
    with psycopg.connect(api.database) as connection:
        found = connection.execute(
            "SELECT staff, what, why FROM identity.looks WHERE account = %s ORDER BY number",
            (account,),
        ).fetchall()
    return [(str(who), str(what), str(why)) for who, what, why in found]
