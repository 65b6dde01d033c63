"""Errors as every service of Scrip says them (RFC 9457): a stable code, and what to do."""

from contracts.codec import encode
from fastapi.responses import Response
from msgspec import UNSET, Struct, UnsetType

CONTENT_TYPE = "application/problem+json"
RETRY_SOON_S = 5  # as long as a circuit rests


class Problem(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """An error as the caller sees it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | UnsetType = UNSET
    retry_after: int | UnsetType = UNSET


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def failure(
    status: int, code: str, detail: str, retry_after: int | UnsetType = UNSET
) -> ProblemError:
    """A problem to raise; the title is the code in words."""
    return ProblemError(
        Problem(
            type=f"urn:scrip:problem:{code}",
            title=code.replace("_", " ").capitalize(),
            status=status,
            code=code,
            detail=detail,
            retry_after=retry_after,
        )
    )


def not_found() -> ProblemError:
    """The same answer for what is not there and for what is another's."""
    return failure(404, "not_found", "There is nothing here for this caller.")


def stripe_down() -> ProblemError:
    """Nothing can be bought now; everything else goes on."""
    return failure(
        503,
        "payments_unavailable",
        "Payments cannot be started now. Nothing was taken; try again with the same key.",
        RETRY_SOON_S,
    )


def shown(problem: Problem, request_id: str) -> Response:
    """A problem as a response."""
    problem.request_id = request_id
    response = Response(encode(problem), status_code=problem.status, media_type=CONTENT_TYPE)
    if isinstance(problem.retry_after, int):
        response.headers["retry-after"] = str(problem.retry_after)
    return response
