"""What the caller is told of a run: the outcome, and for a no what to do about it."""

import msgspec
from contracts.commands import Usage as Used
from contracts.runs import RunDispatched, RunError, RunOutcome, RunResult

from studio_tools.outcomes import (
    Completed,
    Failed,
    InvalidInput,
    NotAvailable,
    Outcome,
    Reason,
    Usage,
)

_FAILURES: dict[Reason, str] = {
    Reason.TIMEOUT: "The run took longer than its time limit and was stopped; give it less to do.",
    Reason.OUT_OF_MEMORY: "The run needed more memory than its limit; give it less to do.",
    Reason.CPU_LIMIT: "The run used up its CPU time and was stopped; give it less to do.",
    Reason.OUTPUT_TOO_LARGE: "The result is larger than the limit; give the run less to do.",
    Reason.CRASHED: "The tool broke down; nothing is charged. Try again, or tell support.",
}


def result_of(run: RunDispatched, outcome: Outcome) -> RunResult:
    match outcome:
        case Completed(output=output, usage=usage):
            return _told(run, RunOutcome.COMPLETED, usage, result=msgspec.Raw(output))
        case InvalidInput(message=message, usage=usage):
            error = RunError(code="invalid_input", message=message)
            return _told(run, RunOutcome.INVALID_INPUT, usage, error=error)
        case Failed(reason=reason, usage=usage):
            error = RunError(code=reason.value, message=_FAILURES[reason])
            return _told(run, RunOutcome.FAILED, usage, error=error)
        case NotAvailable(tool=tool):
            error = RunError(
                code="not_available",
                message=f"{tool} is not available yet; nothing is charged.",
            )
            return _told(run, RunOutcome.NOT_AVAILABLE, Usage(), error=error)


def too_late(run: RunDispatched) -> RunResult:
    """The reservation is over, or nearly: the run was not started."""
    error = RunError(
        code="reservation_expired",
        message="The run waited longer than its credits were held, and was not started; try again.",
    )
    told = _told(run, RunOutcome.FAILED, Usage(), error=error)
    told.charged = 0
    return told


def _told(
    run: RunDispatched,
    outcome: RunOutcome,
    usage: Usage,
    *,
    result: msgspec.Raw | None = None,
    error: RunError | None = None,
) -> RunResult:
    started = usage.duration_ms > 0
    told = RunResult(
        run=run.run,
        account=run.account,
        tool=run.tool,
        outcome=outcome,
        error=error,
        usage=Used(usage.cpu_ms, usage.memory_mb, usage.duration_ms) if started else None,
    )
    if result is not None:
        told.result = result
    return told
