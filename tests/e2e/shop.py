"""A whole shop: gateway, payments, ledger, projector and the double of Stripe as processes.

The double delivers to the gateway by itself, as the real one would.
"""

import asyncio
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port

from tests.integration.gateway_world import SCRIP, World, keyed, world
from tests.integration.payments_world import CHECKS, SECRET, SIGNS
from tests.integration.stripe_http import KEY, StripeServer


class Shop:
    """The world, its payments service, and Stripe."""

    def __init__(self, made: World, stripe: StripeServer) -> None:
        self.world = made
        self.stripe = stripe
        self.env = {
            "SCRIP_IDENTITY_PUBLIC_KEYS": CHECKS,
            "SCRIP_STRIPE_WEBHOOK_SECRETS": SECRET,
            "SCRIP_STRIPE_KEY": KEY,
            "SCRIP_STRIPE_API_BASE": stripe.url,
            "SCRIP_PUBLIC_URL": made.base,
        }

    def scrip(self, *verb: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIP, *verb],
            env={**self.world.env, **self.env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def shop_of(
    engine: Engine,
    database: str,
    folder: Path,
    guard: Guard,
    *more: str,
) -> Iterator[Shop]:
    """A running shop; `more` services beside."""
    prefix, port = f"t{uuid.uuid4().hex[:10]}.", free_port()
    payments = f"http://127.0.0.1:{port}"
    settings = {"SCRIP_PAYMENTS_URL": payments, "SCRIP_IDENTITY_KEY": SIGNS}
    services = ("ledger", "audit-projector", *more)
    with world(
        engine, database, prefix, folder, guard, services=services, gateway=settings
    ) as made:
        delivers_to = f"{made.base}/api/stripe/webhook"
        stripe = StripeServer(folder, guard, endpoint=delivers_to, secret=SECRET)
        found = Shop(made, stripe)
        process = made.start("payments", SCRIP_HTTP_PORT=str(port), **found.env)
        process.wait_ready(f"{payments}/readyz")
        try:
            yield found
        finally:
            stripe.stop()


async def bought(person: httpx.AsyncClient, key: str, **more: bool) -> str:
    """Start a purchase; gives the session."""
    body = {"packId": "standard", **more}
    answer = await person.post("/api/billing/checkout", json=body, headers=keyed(key))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sessionId"])


async def status(person: httpx.AsyncClient, session: str) -> httpx.Response:
    return await person.get("/api/billing/verify-payment", params={"session_id": session})


async def until_credited(person: httpx.AsyncClient, session: str) -> None:
    async with asyncio.timeout(30):
        while True:
            answer = await status(person, session)
            if answer.json().get("status") == "credited":
                return
            await asyncio.sleep(1)  # a person may ask twenty times a minute


async def available(person: httpx.AsyncClient, expected: int) -> None:
    """Until the balance says so."""
    async with asyncio.timeout(30):
        while True:
            answer = await person.get("/api/credits/balance")
            if answer.status_code == 200 and answer.json()["available"] == expected:
                return
            await asyncio.sleep(1)
