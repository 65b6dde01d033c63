"""POST /api/stripe/webhook: read raw bytes, verify, store, answer 200. Nothing else happens here.

Without a secret there is no such endpoint. A body that is refused is never stored nor logged.
"""

import time
from collections.abc import Callable

import psycopg
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from payments import inbox
from payments.inbox import Pool
from payments.metrics import Metrics
from payments.problems import failure, not_found
from payments.signatures import Refused, Webhook, verified

BODY_BYTES_MAX = 256 << 10  # Stripe's own events stay far below

log = structlog.get_logger(__name__)


class Door:
    """What the webhook stands on. `came` wakes the dispatcher."""

    def __init__(
        self,
        pool: Pool,
        metrics: Metrics,
        secrets: tuple[str, ...],
        *,
        live: bool,
        came: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._secrets = secrets
        self._live = live
        self._came = came

    async def take(self, request: Request) -> Response:
        """Answer one delivery."""
        began = time.monotonic()
        if not self._secrets:
            raise not_found()
        raw = await _raw(request)
        event = self._verified(raw, request)
        try:
            fresh = await self._stored(event, raw)
        except (psycopg.Error, OSError) as why:
            log.warning("webhook_not_stored", why=repr(why))
            raise failure(503, "not_stored", "Deliver this again later.") from why
        self._metrics.webhooks.labels("stored" if fresh else "repeated").inc()
        self._metrics.webhook_seconds.observe(time.monotonic() - began)
        if fresh:
            self._came()
        return Response(status_code=200)

    async def _stored(self, event: Webhook, raw: bytes) -> bool:
        try:
            return await inbox.store(self._pool, event, raw)
        except psycopg.OperationalError:
            await self._pool.check()  # connections that a restart of the database has cut
            return await inbox.store(self._pool, event, raw)

    def _verified(self, raw: bytes, request: Request) -> Webhook:
        header = request.headers.get("stripe-signature", "")
        try:
            _plain(request)
            return verified(raw, header, self._secrets, live=self._live, now_s=time.time())
        except Refused as why:
            self._metrics.webhooks.labels("refused").inc()
            log.warning("webhook_refused", why=str(why), size_bytes=len(raw))
            raise failure(400, "webhook_refused", "This delivery is not accepted.") from why


def routes(door: Door) -> APIRouter:
    """The one route."""
    router = APIRouter(tags=["stripe"])

    @router.post("/api/stripe/webhook", summary="Stripe's deliveries")
    async def webhook(request: Request) -> Response:
        return await door.take(request)

    return router


def _plain(request: Request) -> None:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused("a compressed body cannot be checked")


async def _raw(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise failure(413, "body_too_large", f"At most {BODY_BYTES_MAX} bytes.")
    return bytes(body)
