"""Payments as a process that is killed and started again, and buyers who do not give up."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from payments.handling import Hint

from tests.integration.payments_world import World, body_of, signed
from tests.integration.stripe_http import KEY, StripeServer
from tests.unit.payments.stripe_world import hint_of

ZYGOTE = [sys.executable, "-m", "tests.integration.payments_zygote"]


class Process:
    """One payments process at a time; `url` stays the same."""

    def __init__(self, world: World, stripe: StripeServer) -> None:
        self.world = world
        self.stripe = stripe
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.pid = 0
        self._log = (world.folder / "payments.log").open("ab")
        env = {
            **os.environ,
            **world.env,
            "SCRIP_HTTP_PORT": str(self.port),
            "SCRIP_STRIPE_KEY": KEY,
            "SCRIP_STRIPE_API_BASE": stripe.url,
        }
        self._zygote = subprocess.Popen(
            ZYGOTE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=env
        )
        self.http = httpx.AsyncClient(base_url=self.url, timeout=10, trust_env=False)

    def start(self) -> None:
        stdin, stdout = self._zygote.stdin, self._zygote.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(b"\n")
        stdin.flush()
        self.pid = int(stdout.readline())

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        self.kill()
        await self.http.aclose()
        self._zygote.kill()
        self._zygote.communicate()  # closes the pipes and reaps
        self._log.close()

    async def ready(self) -> None:
        async with asyncio.timeout(60):
            while True:
                try:
                    if (await self.http.get("/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.02)

    async def buy(self, account: str, key: str) -> str:
        """Start a purchase, asking again by the same key until there is an answer."""
        headers = {"idempotency-key": key}
        while True:
            try:
                answer = await self.http.post(
                    "/api/billing/checkout",
                    json={"packId": "starter"},
                    headers={**headers, **self.world.token(account)},
                )
                if answer.status_code == 201:
                    return str(answer.json()["sessionId"])
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)

    async def deliver(self, hint: Hint, event: str) -> float:
        """Deliver an event as Stripe does: again until it is acknowledged. Seconds of the last."""
        raw = body_of(hint, event)
        while True:
            began = asyncio.get_running_loop().time()
            try:
                answer = await self.http.post(
                    "/api/stripe/webhook", content=raw, headers={"stripe-signature": signed(raw)}
                )
                if answer.status_code == 200:
                    return asyncio.get_running_loop().time() - began
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)

    async def buy_and_pay(self, account: str, key: str, chance: random.Random) -> str:
        """A whole purchase, its events delivered twice in any order; gives the session."""
        session = await self.buy(account, key)
        await asyncio.to_thread(self.stripe.pay, session)
        made = await asyncio.to_thread(lambda: self.stripe.raw_events)
        mine = [one for one in made if hint_of(one).object == session] * 2
        chance.shuffle(mine)
        for event in mine:
            await self.deliver(hint_of(event), event.id)
        return session


@asynccontextmanager
async def processes(
    engine: Engine, url: str, prefix: str, folder: Path, guard: Guard
) -> AsyncIterator[Process]:
    """A ledger, Stripe behind HTTP, and one payments process, ready."""
    from bus.topics import ensure_topics
    from payments import schema

    await ensure_topics(engine.bootstrap, partitions=2, single_broker=True, prefix=prefix)
    schema.ensure(url)
    world = World(engine, url, prefix, folder, guard)
    world.ledger.start()
    stripe = world.stripe
    process = Process(world, stripe)
    try:
        process.start()
        await process.ready()
        yield process
    finally:
        await process.stop()
        stripe.stop()
        world.ledger.stop()
