"""The courier: signs each event and delivers it to the shop's endpoint until that says 2xx.

At least once and in no order, like the real one; each try is signed anew. What was not acknowledged
when this process ended is delivered after the next start.
"""

import asyncio
import hashlib
import hmac
import random
import time

import httpx
import msgspec
import structlog

from stripe_double.records import Event
from stripe_double.shelf import Shelf

RETRY_S = (0.5, 1, 2, 5, 15, 60, 300, 3600)  # after each refusal; the last one repeats
GIVE_UP_S = 3 * 86_400  # the real one tries for three days
ANSWER_WITHIN_S = 10.0
AT_ONCE = 16  # deliveries under way
OVERTAKE_S = 1.0  # how far a reordered delivery may fall behind

log = structlog.get_logger(__name__)


class Courier:
    """Delivers to one endpoint; `secrets` are in force together while one is being rolled."""

    def __init__(self, shelf: Shelf, endpoint: str, secrets: tuple[str, ...]) -> None:
        self._shelf = shelf
        self._endpoint = endpoint
        self._secrets = secrets
        self._room = asyncio.Semaphore(AT_ONCE)
        self._http = httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False)
        self._under_way: set[asyncio.Task[None]] = set()
        self._chance = random.Random()  # noqa: S311 - who overtakes whom is no secret

    def start(self) -> None:
        """Follow new events, and go on with those of the last life."""
        for event in self._shelf.events:
            if event.pending_webhooks:
                self.take(event)
        self._shelf.made = self.take

    def take(self, event: Event) -> None:
        """Deliver an event, as the faults in force will have it."""
        faults = self._shelf.faults
        if faults.lose_event():
            return
        for _ in range(1 + faults.duplicate):
            late_s = faults.delay_ms / 1000
            late_s += self._chance.uniform(0, OVERTAKE_S) if faults.reorder else 0.0
            task = asyncio.get_running_loop().create_task(self._deliver(event, late_s))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def stop(self) -> None:
        """Leave everything as it is."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._http.aclose()

    async def _deliver(self, event: Event, late_s: float) -> None:
        await asyncio.sleep(late_s)
        begun, tries = time.monotonic(), 0
        raw = msgspec.json.encode(event)
        while not await self._try(event, raw):
            if time.monotonic() - begun > GIVE_UP_S:
                log.error("delivery_given_up", stripe_event=event.id, kind=event.type)
                return
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1
        event.pending_webhooks = 0
        self._shelf.wrote(event)

    async def _try(self, event: Event, raw: bytes) -> bool:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": signed(raw, self._secrets, int(time.time())),
        }
        async with self._room:
            try:
                answer = await self._http.post(self._endpoint, content=raw, headers=headers)
            except httpx.HTTPError as why:
                log.info("delivery_failed", stripe_event=event.id, why=repr(why))
                return False
        if not answer.is_success:
            log.info("delivery_refused", stripe_event=event.id, status=answer.status_code)
        return answer.is_success


def signed(raw: bytes, secrets: tuple[str, ...], stamp_s: int) -> str:
    """The Stripe-Signature header: one v1 for each secret in force."""
    payload = f"{stamp_s}.".encode() + raw
    macs = (hmac.new(x.encode(), payload, hashlib.sha256).hexdigest() for x in secrets)
    return ",".join((f"t={stamp_s}", *(f"v1={mac}" for mac in macs)))
