"""The FastAPI application behind the hot routes: reads, settings, sign-in, health."""

from collections.abc import Sequence

import structlog
from contracts.codec import encode
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway.asgi import ClientGone, Reply
from gateway.faults import internal, of_no_answer, problem_reply
from gateway.problems import CONTENT_TYPE, ProblemError, failure
from gateway.waiting import NoAnswer

log = structlog.get_logger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def application(routers: Sequence[APIRouter]) -> FastAPI:
    """All routes, and one shape for every error."""
    app = FastAPI(title="Scrip", version="0.1.0", docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers:
        app.include_router(router)

    @app.exception_handler(ProblemError)
    async def told(request: Request, why: ProblemError) -> Response:
        return respond(problem_reply(why, request_id_of(request)))

    @app.exception_handler(NoAnswer)
    async def unanswered(request: Request, why: NoAnswer) -> Response:
        return respond(problem_reply(of_no_answer(why), request_id_of(request)))

    @app.exception_handler(ClientGone)
    async def gone(_request: Request, _why: ClientGone) -> Response:
        return Response(status_code=400)  # nobody is there to read it

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, why: RequestValidationError) -> Response:
        where = "; ".join(
            f"{'.'.join(str(part) for part in error['loc'][1:])}: {error['msg']}"
            for error in why.errors()
        )
        found = failure(422, "invalid_request", f"The request does not fit: {where}.")
        return respond(problem_reply(found, request_id_of(request)))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, why: HTTPException) -> Response:
        code = _CODES.get(why.status_code, "http_error")
        found = failure(why.status_code, code, f"{why.detail}.")
        found.headers = tuple(
            (name.lower().encode(), value.encode()) for name, value in (why.headers or {}).items()
        )
        return respond(problem_reply(found, request_id_of(request)))

    @app.exception_handler(Exception)
    async def broken(request: Request, why: Exception) -> Response:
        log.error("request_failed", request_id=request_id_of(request), exc_info=why)
        return respond(problem_reply(internal(), request_id_of(request)))

    return app


def request_id_of(request: Request) -> str:
    """The id that this request goes by."""
    return str(request.scope["scrip.trace"].request_id)


def shown(body: object, *, status: int = 200) -> Response:
    """A struct as JSON."""
    return Response(encode(body), status_code=status, media_type="application/json")


def respond(reply: Reply) -> Response:
    """A reply of the hot routes' kind."""
    kind = CONTENT_TYPE.decode() if reply.status >= 400 else "application/json"
    response = Response(reply.body, status_code=reply.status, media_type=kind)
    for name, value in reply.headers:
        response.headers[name.decode()] = value.decode()
    return response
