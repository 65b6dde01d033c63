"""The HTTP application: every route, and one shape for every error."""

from collections.abc import Sequence
from secrets import token_hex

import psycopg
import structlog
from eventsourcing.persistence import PersistenceError
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from payments.problems import RETRY_SOON_S, ProblemError, failure, shown

log = structlog.get_logger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed"}
_REQUEST_ID_MAX = 128


def application(routers: Sequence[APIRouter]) -> FastAPI:
    """The application from its routes."""
    app = FastAPI(title="Scrip payments", docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers:
        app.include_router(router)

    @app.exception_handler(ProblemError)
    async def told(request: Request, why: ProblemError) -> Response:
        return shown(why.problem, _request_id(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, why: RequestValidationError) -> Response:
        where = "; ".join(
            f"{'.'.join(str(part) for part in error['loc'][1:])}: {error['msg']}"
            for error in why.errors()
        )
        found = failure(422, "invalid_request", f"The request does not fit: {where}.")
        return shown(found.problem, _request_id(request))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, why: HTTPException) -> Response:
        code = _CODES.get(why.status_code, "http_error")
        return shown(failure(why.status_code, code, f"{why.detail}.").problem, _request_id(request))

    @app.exception_handler(psycopg.Error)
    @app.exception_handler(PersistenceError)
    async def stored_nowhere(request: Request, why: Exception) -> Response:
        log.warning("database_away", path=request.url.path, why=repr(why))
        detail = "Nothing can be stored now. Nothing was taken; try again with the same key."
        found = failure(503, "database_unavailable", detail, RETRY_SOON_S)
        return shown(found.problem, _request_id(request))

    @app.exception_handler(Exception)
    async def broken(request: Request, why: Exception) -> Response:
        log.error("request_failed", path=request.url.path, exc_info=why)
        detail = "Something broke on our side; name the request id when you ask for help."
        return shown(failure(500, "internal", detail).problem, _request_id(request))

    return app


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    harmless = given.isascii() and given.isprintable() and len(given) <= _REQUEST_ID_MAX
    return given if given and harmless else token_hex(8)
