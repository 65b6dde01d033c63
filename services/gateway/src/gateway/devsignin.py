"""Development sign-in: a session for any account, only where the environment is local or test."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import bodies
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder
from gateway.people import People
from gateway.sessions import Sessions

_body = decoder(bodies.SignInBody)


def routes(sessions: Sessions, people: People) -> APIRouter:
    """POST /dev/sign-in and /dev/sign-out."""
    router = APIRouter(tags=["development"])

    @router.post("/dev/sign-in", summary="Sign in as any account (development only)")
    async def sign_in(request: Request) -> Response:
        asked: bodies.SignInBody = _body(await read_body(request.receive, BODY_BYTES_MAX))
        now = time.time_ns() // 1_000_000
        person = await people.with_id(asked.account, now)
        return sessions.give(Response(status_code=204), await sessions.sign_in(person, now))

    @router.post("/dev/sign-out", summary="End the session (development only)")
    async def sign_out(request: Request) -> Response:
        token = sessions.token(request.headers.get("cookie", "").encode("latin-1"))
        if token is not None:
            await sessions.sign_out(token)
        return sessions.take(Response(status_code=204))

    return router
