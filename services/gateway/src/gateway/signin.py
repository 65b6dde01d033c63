"""Development sign-in: a session for any account, only where the environment is local or test."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import bodies
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder
from gateway.sessions import ABSOLUTE_MS, COOKIE, Sessions, token_of

_body = decoder(bodies.SignInBody)


def routes(sessions: Sessions) -> APIRouter:
    """POST /dev/sign-in and /dev/sign-out."""
    router = APIRouter(tags=["development"])

    @router.post("/dev/sign-in", summary="Sign in as any account (development only)")
    async def sign_in(request: Request) -> Response:
        asked: bodies.SignInBody = _body(await read_body(request.receive, BODY_BYTES_MAX))
        token = sessions.sign_in(asked.account, time.time_ns() // 1_000_000)
        response = Response(status_code=204)
        response.set_cookie(
            COOKIE, token, max_age=ABSOLUTE_MS // 1000, httponly=True, samesite="lax", path="/"
        )
        return response

    @router.post("/dev/sign-out", summary="End the session (development only)")
    async def sign_out(request: Request) -> Response:
        token = token_of(request.headers.get("cookie", "").encode("latin-1"))
        if token is not None:
            sessions.sign_out(token)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/")
        return response

    return router
