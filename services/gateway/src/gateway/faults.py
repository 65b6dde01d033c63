"""What a request that found no answer is told: one table from the bridge's outcomes to HTTP."""

from contracts.codec import encode

from gateway.asgi import Reply
from gateway.problems import RETRY_SOON_S, ProblemError, failure
from gateway.waiting import Conflict, Full, NoAnswer, Unreachable


def of_no_answer(why: NoAnswer) -> ProblemError:
    """Overload, outage or an unknown outcome, with what to do about it."""
    if isinstance(why, Full) and why.account:
        return failure(
            429,
            "too_many_in_flight",
            "Too many requests of this account are waiting for their answer; send fewer at once.",
            retry_after_s=RETRY_SOON_S,
        )
    if isinstance(why, Full):
        return failure(
            503,
            "overloaded",
            "More is waiting than can be answered soon. Nothing was done; try again.",
            retry_after_s=RETRY_SOON_S,
        )
    if isinstance(why, Unreachable):
        return failure(
            503,
            "ledger_unreachable",
            "The ledger cannot be reached now. Nothing was done; try again with the same key.",
            retry_after_s=RETRY_SOON_S,
        )
    if isinstance(why, Conflict):
        return failure(
            422,
            "id_conflict",
            "This Idempotency-Key is waiting for the answer to another request.",
        )
    return failure(
        504,
        "outcome_unknown",
        "No answer came in time, and whether it was done is not known:"
        " retry with the same Idempotency-Key.",
        retry_after_s=RETRY_SOON_S,
    )


def internal() -> ProblemError:
    """What a caller is told about a fault of ours: nothing but how to name it."""
    return failure(
        500, "internal", "Something broke on our side; name the request id when you ask for help."
    )


def problem_reply(why: ProblemError, request_id: str) -> Reply:
    """A problem as bytes, with the Retry-After header that belongs to it."""
    found = why.problem
    found.request_id = request_id
    headers = why.headers
    if isinstance(found.retry_after_s, int):
        headers = (*headers, (b"retry-after", b"%d" % found.retry_after_s))
    return Reply(found.status, encode(found), headers)
