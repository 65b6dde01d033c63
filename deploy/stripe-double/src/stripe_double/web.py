"""The HTTP face: the API under /v1, the hosted pages, and the levers under /double.

A test key opens the API, any will do; a live key is refused: real money has no business here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from stripe_double import api, checkout, control, forms, pages
from stripe_double.courier import Courier
from stripe_double.refusals import Error, Refused
from stripe_double.shelf import Shelf

BODY_BYTES_MAX = 256 << 10
LATE_S = 60.0  # longer than any client waits
LOOK_EVERY_S = 30.0  # for sessions whose time is over
JSON = "application/json"


class Broken(Response):
    """Half an answer: the connection breaks before the rest of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin and never end; the server closes the connection."""
        del scope, receive
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", b"1000000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def application(shelf: Shelf, courier: Courier | None) -> Starlette:
    """Everything behind one port."""

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        if courier is not None:
            courier.start()
        lapsing = asyncio.create_task(_lapse(shelf))
        yield
        lapsing.cancel()
        if courier is not None:
            await courier.stop()

    return Starlette(
        routes=[
            Route("/healthz", _healthy),
            Route("/v1/{path:path}", _on(shelf, _called), methods=["GET", "POST", "DELETE"]),
            Route("/double/happenings", _on(shelf, _happened), methods=["POST"]),
            Route("/double/faults", _on(shelf, _faults), methods=["PUT"]),
            Route("/double/events", _on(shelf, _events)),
            *pages.routes(shelf),
        ],
        lifespan=running,
    )


async def _called(shelf: Shelf, request: Request) -> Response:
    path = str(request.path_params["path"])
    try:
        _test_key(request)
        form = request.url.query if request.method == "GET" else (await _body(request)).decode()
        values = forms.unfolded(form)
    except Refused as why:
        return _refused(why)
    key = request.headers.get("idempotency-key", "")
    found = api.answer(shelf, api.Call(request.method, path, values, key))
    if found.late:
        await asyncio.sleep(LATE_S)
    if found.lost or found.late:
        return Broken()
    replayed = {"idempotent-replayed": "true"} if found.replayed else {}
    return Response(found.body, found.status, headers=replayed, media_type=JSON)


async def _happened(shelf: Shelf, request: Request) -> Response:
    try:
        found = control.happen(shelf, control.decoded(await _body(request)))
    except Refused as why:
        return _refused(why)
    return Response(msgspec.json.encode(found), media_type=JSON)


async def _faults(shelf: Shelf, request: Request) -> Response:
    try:
        shelf.faults = control.faults(await _body(request))
    except Refused as why:
        return _refused(why)
    return Response(msgspec.json.encode(shelf.faults), media_type=JSON)


async def _events(shelf: Shelf, request: Request) -> Response:
    """All events but the first so many, oldest first, whatever faults are in force."""
    seen = request.query_params.get("seen", "0")
    found = shelf.events[int(seen) if seen.isdigit() else 0 :]
    return Response(msgspec.json.encode(found), media_type=JSON)


async def _healthy(_: Request) -> Response:
    return Response(b'{"alive":true}', media_type=JSON)


async def _lapse(shelf: Shelf) -> None:
    while True:
        checkout.lapse(shelf)
        await asyncio.sleep(LOOK_EVERY_S)


def _on(
    shelf: Shelf, answer: Callable[[Shelf, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await answer(shelf, request)

    return endpoint


def _test_key(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.startswith(("sk_test_", "rk_test_")):
        raise Refused("This is no Stripe but a double of it: test keys only.", status=401)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise Refused("The body is too large.", status=413)
    return bytes(body)


def _refused(why: Refused) -> Response:
    body: dict[str, Error] = {"error": why.error}
    return Response(msgspec.json.encode(body), why.status, media_type=JSON)
