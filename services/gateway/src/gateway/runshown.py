"""What a caller is told of a run: its result and price, why there is none, or where to look."""

from datetime import datetime

from contracts.codec import encode
from contracts.events import Balance, CreditsReserved
from contracts.runs import RunOutcome, RunResult
from msgspec import Raw, Struct

from gateway import positions
from gateway.moments import moment
from gateway.problems import Problem, problem
from gateway.waiting import Answer
from gateway.watching import Ending

RESULT_GONE = "The run was paid and its result was delivered before; results are kept for minutes."


class CreditsOfRun(Struct, rename="camel"):
    """What a run was expected to cost, what it did cost, and what is left."""

    estimated: int
    charged: int
    balance: Balance


class RunShown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A run that was paid for. Without `result` when it is no longer kept (see `detail`)."""

    success: bool
    run_id: str
    request_id: str
    result: Raw | None = None
    result_available: bool
    credits: CreditsOfRun
    execution_time_ms: int
    balance: Balance
    position: str
    detail: str | None = None


class RunAccepted(Struct, rename="camel", kw_only=True):
    """The run goes on; look at `status_url`."""

    run_id: str
    status_url: str
    request_id: str
    expires_at: datetime
    balance: Balance
    position: str


class Told(Struct, frozen=True):
    """A reply, and the outcome for the metrics."""

    outcome: str
    status: int
    body: bytes


def told(
    answer: Answer,
    held: CreditsReserved,
    result: RunResult | None,
    ending: Ending | None,
    request_id: str,
    *,
    over: bool,
) -> Told:
    """The reply to a run as far as it is known."""
    position = positions.shown(answer.partition, answer.seq)
    balance = answer.balance
    if ending is not None and ending.position:  # one looked up later may lag behind the answer
        balance, position = ending.balance, ending.position
    if not over and ending is None:
        accepted = RunAccepted(
            run_id=held.reservation,
            status_url=status_url(held.reservation),
            request_id=request_id,
            expires_at=moment(held.expires_at),
            balance=balance,
            position=position,
        )
        return Told("accepted", 202, encode(accepted))
    paid = _charged(result, ending)
    if result is None or result.outcome is RunOutcome.COMPLETED:
        if ending is not None and ending.status in {"expired", "released"}:
            found = _no_result(ending.status)
            return _problem(
                found, held, charged=paid, balance=balance, position=position, request_id=request_id
            )
        shown = RunShown(
            success=True,
            run_id=held.reservation,
            request_id=request_id,
            result=None if result is None else result.result or Raw(b"null"),
            result_available=result is not None,
            credits=CreditsOfRun(
                held.amount if held.typical is None else held.typical, paid, balance
            ),
            execution_time_ms=_took(result),
            balance=balance,
            position=position,
            detail=RESULT_GONE if result is None else None,
        )
        return Told("completed", 200, encode(shown))
    return _problem(
        _failed(result),
        held,
        charged=paid,
        balance=balance,
        position=position,
        request_id=request_id,
    )


def status_url(run: str) -> str:
    """Where a run can be looked at."""
    return f"/api/runs/{run}"


def _charged(result: RunResult | None, ending: Ending | None) -> int:
    if ending is not None:
        return ending.charged
    return 0 if result is None or result.charged is None else result.charged


def _took(result: RunResult | None) -> int:
    return 0 if result is None or result.usage is None else result.usage.duration_ms


def _failed(result: RunResult) -> Problem:
    code = "tool_failed" if result.error is None else result.error.code
    message = "" if result.error is None else result.error.message
    match result.outcome:
        case RunOutcome.INVALID_INPUT:
            return problem(422, "invalid_input", message or "The tool cannot use this input.")
        case RunOutcome.NOT_AVAILABLE:
            return problem(501, "not_available_yet", message or "This tool is not available yet.")
        case _:
            status = 504 if code == "timeout" else 502
            return problem(
                status, "tool_timeout" if code == "timeout" else "tool_failed", message or code
            )


def _no_result(status: str) -> Problem:
    if status == "expired":
        return problem(
            504,
            "run_expired",
            "No worker finished the run while its credits were held; they are back. Run it again.",
        )
    return problem(
        502, "tool_failed", "The run failed and cost nothing; run it again with a new key."
    )


def _problem(
    found: Problem,
    held: CreditsReserved,
    *,
    charged: int,
    balance: Balance,
    position: str,
    request_id: str,
) -> Told:
    found.run_id = held.reservation
    found.credits_charged = charged
    found.balance = balance
    found.position = position
    found.request_id = request_id
    return Told(found.code, found.status, encode(found))
