"""Liveness looks at this process only; readiness asks whether a command would be answered."""

from contracts.codec import encode
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from gateway.canary import Canary
from gateway.flight import Flight
from gateway.keyring import KeyRing
from gateway.listening import Listener


class Readiness(Struct, rename="camel"):
    """Whether requests can be answered: `ready` is about the write path."""

    ready: bool
    events_caught_up: bool
    ledger_answers: bool
    keys_loaded: bool
    partitions_stalled: list[int]
    waiting: int


def routes(listener: Listener, flight: Flight, ring: KeyRing, canary: Canary) -> APIRouter:
    """GET /healthz and /readyz."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is this process alive?")
    async def healthz() -> Response:
        return Response(b'{"alive":true}', media_type="application/json")

    @router.get("/readyz", summary="Can requests be answered?")
    async def readyz() -> Response:
        stalled = [number for number, dead in enumerate(flight.stalled) if dead]
        answers = listener.caught_up and not stalled and await canary.sings()
        ready = answers and ring.loaded
        shown = Readiness(
            ready, listener.caught_up, answers, ring.loaded, stalled, sum(flight.waiting)
        )
        return Response(
            encode(shown), status_code=200 if ready else 503, media_type="application/json"
        )

    return router
