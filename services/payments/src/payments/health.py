"""Liveness looks at this process only; readiness asks whether a webhook could be stored."""

import psycopg
from fastapi import APIRouter
from fastapi.responses import Response
from psycopg_pool import PoolTimeout

from payments.inbox import Pool
from payments.listening import Listener


def routes(pool: Pool, listener: Listener) -> APIRouter:
    """GET /healthz and /readyz."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is this process alive?")
    async def healthz() -> Response:
        return Response(b'{"alive":true}', media_type="application/json")

    @router.get("/readyz", summary="Can webhooks be stored and answers heard?")
    async def readyz() -> Response:
        stores = await _stores(pool)
        ready = stores and listener.listening.is_set()
        body = b'{"ready":true}' if ready else b'{"ready":false}'
        return Response(body, status_code=200 if ready else 503, media_type="application/json")

    return router


async def _stores(pool: Pool) -> bool:
    try:
        async with pool.connection(timeout=1) as connection:
            await connection.execute("SELECT 1")
    except (psycopg.Error, PoolTimeout, OSError):
        return False
    return True
