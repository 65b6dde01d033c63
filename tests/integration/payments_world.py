"""A world for payments: real Kafka, PostgreSQL, ledger and service, and the double of Stripe.

`deliver` signs an event and posts it to the real webhook route; everything behind it is real.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import jwt
import msgspec
from bus.topics import ensure_topics
from contracts.commands import ActorKind
from contracts.identity import ALGORITHM, HEADER, ISSUER, LIFETIME_S, PAYMENTS, TYPE
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from engine.guard import Guard
from engine.local import Engine
from engine.processes import Process
from engine.services import scrip
from payments import schema
from payments.baton import carry
from payments.circuit import Circuits
from payments.handling import Hint
from payments.main import Parts, assemble
from payments.settings import Settings
from payments.till import Till

from tests.integration.stripe_http import KEY, StripeServer

PARTITIONS = 2
SECRET = "a-secret-of-tests"
IDENTITY = Ed25519PrivateKey.generate()
SIGNS = IDENTITY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
CHECKS = (
    IDENTITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)


class World:
    """One payments service and what it stands on."""

    def __init__(self, engine: Engine, url: str, prefix: str, folder: Path, guard: Guard) -> None:
        self.engine = engine
        self.url = url
        self.prefix = prefix
        self.folder = folder
        self.guard = guard
        self.stripe = StripeServer(folder, guard)
        self.delivered = 0
        self.numbers: dict[int, str] = {}
        self.parts: Parts
        self.http: httpx.AsyncClient
        self.ledger = self.process("ledger", "ledger", "run")

    @property
    def env(self) -> dict[str, str]:
        return {
            "SCRIP_KAFKA_BOOTSTRAP": self.engine.bootstrap,
            "SCRIP_POSTGRES_URL": self.url,
            "SCRIP_TOPIC_PREFIX": self.prefix,
            "SCRIP_ENV": "test",
            "SCRIP_STATE_DIR": str(self.folder),
            "SCRIP_METRICS_PORT": "0",
            "SCRIP_IDENTITY_PUBLIC_KEYS": CHECKS,
            "SCRIP_STRIPE_WEBHOOK_SECRETS": SECRET,
        }

    def process(self, name: str, *argv: str, **env: str) -> Process:
        return Process(
            name,
            [scrip(), *argv],
            log=self.folder / f"{name}.log",
            env={**self.env, **env},
            guard=self.guard,
        )

    @property
    def settings(self) -> Settings:
        return Settings(
            kafka_bootstrap=self.engine.bootstrap,
            postgres_url=self.url,
            env="test",
            topic_prefix=self.prefix,
            webhook_secrets=(SECRET,),
            identity_keys=CHECKS,
            stripe_key=KEY,
            stripe_api_base=self.stripe.url,
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Parts]:
        """The service, working; gone at once on the way out, wherever it is."""
        async with AsyncExitStack() as opened:
            till = Till(KEY, self.stripe.url, Circuits(time.monotonic))
            parts = self.parts = await assemble(opened, self.settings, till, PARTITIONS)
            transport = httpx.ASGITransport(app=parts.app)
            self.http = await opened.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://payments")
            )
            tasks = [
                asyncio.create_task(parts.listener.run()),
                asyncio.create_task(carry(self.url, parts.work)),
            ]
            try:
                await asyncio.wait_for(parts.listener.listening.wait(), 20)
                yield parts
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def token(self, account: str, *scopes: str) -> dict[str, str]:
        """The header by which the gateway vouches for somebody."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": PAYMENTS,
            "sub": f"person:{account}",
            "iat": now,
            "exp": now + LIFETIME_S,
            "account": account,
            "scopes": scopes or ("read", "spend", "admin"),
            "kind": ActorKind.PERSON,
            "actor": account,
        }
        return {HEADER: jwt.encode(claims, IDENTITY, ALGORITHM, headers={"typ": TYPE})}

    async def checkout(
        self, account: str, pack: str = "starter", key: str = "", *, save_card: bool = False
    ) -> str:
        """Start a purchase over HTTP; gives the session."""
        named = {"idempotency-key": key} if key else {}
        answer = await self.http.post(
            "/api/billing/checkout",
            json={"packId": pack, **({"saveCard": True} if save_card else {})},
            headers={**self.token(account), **named},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["sessionId"])

    def body(self, number: int, *, live: bool = False) -> bytes:
        """The bytes of an event; the same event has the same bytes."""
        return body_of(self.stripe.events[number], f"evt_{self.prefix}{number}", live=live)

    async def deliver(self, number: int) -> httpx.Response:
        raw = self.body(number)
        return await self.post(raw, signed(raw))

    async def deliver_new(self) -> None:
        """Deliver every event that was made since the last call."""
        while self.delivered < len(self.stripe.events):
            answer = await self.deliver(self.delivered)
            assert answer.status_code == 200, answer.text
            self.delivered += 1

    async def post(self, raw: bytes, signature: str | None, **headers: str) -> httpx.Response:
        shown = {} if signature is None else {"stripe-signature": signature}
        return await self.http.post(
            "/api/stripe/webhook", content=raw, headers={**shown, **headers}
        )

    async def available(self, account: str) -> int:
        """What the ledger's log says, as the read-side would fold it."""
        from tests.integration.payments_log import balances

        return (await balances(self.engine.bootstrap, self.prefix)).get(account, 0)


def body_of(hint: Hint, event: str, *, live: bool = False) -> bytes:
    return msgspec.json.encode(
        {
            "id": event,
            "object": "event",
            "type": hint.kind,
            "created": int(time.time()),
            "livemode": live,
            "data": {
                "object": {
                    "id": hint.object,
                    "object": "thing",
                    "payment_intent": hint.intent or None,
                }
            },
        }
    )


def signed(raw: bytes, secret: str = SECRET, *, at: float = 0.0, scheme: str = "v1") -> str:
    stamp = int(at or time.time())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    return f"t={stamp},{scheme}={mac}"


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    """Wait until something holds; TimeoutError if it never does."""
    async with asyncio.timeout(within_s):
        while True:
            if await true():
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def world(
    engine: Engine,
    url: str,
    prefix: str,
    folder: Path,
    guard: Guard,
    kind: type[World] = World,
) -> AsyncIterator[World]:
    """Topics, tables, a running ledger, and a serving payments service."""
    await ensure_topics(engine.bootstrap, partitions=PARTITIONS, single_broker=True, prefix=prefix)
    schema.ensure(url)
    made = kind(engine, url, prefix, folder, guard)
    made.ledger.start()
    try:
        async with made.serving():
            yield made
    finally:
        made.stripe.stop()
        with suppress(ProcessLookupError):
            made.ledger.stop()
