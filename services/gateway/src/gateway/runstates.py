"""GET /api/runs/{id}: what became of a run.

Credits come from the ledger's record; the result only while it is kept: in this process's memory,
for minutes (the newest 64 MB).
"""

from datetime import datetime

from contracts.runs import RunError, RunOutcome, RunResult
from msgspec import Raw, Struct

from gateway.moments import moment
from gateway.principals import not_found
from gateway.problems import ProblemError
from gateway.reservations import Reservations, Row
from gateway.runshown import status_url
from gateway.watching import RunWatch

GONE = "The result is no longer kept; results are kept for minutes after the run."
_STATES = {"open": "running", "charged": "completed", "released": "failed", "expired": "expired"}


class CreditsOfState(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What the run was expected to cost at most, and what it did cost."""

    estimated: int | None = None
    charged: int | None = None


class RunState(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A run: running, completed, failed, invalid_input, not_available, refused or expired."""

    run_id: str
    request_id: str
    status: str
    status_url: str
    tool_id: str | None = None
    credits: CreditsOfState
    result: Raw | None = None
    result_available: bool
    error: RunError | None = None
    detail: str | None = None
    execution_time_ms: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class RunStates:
    """Looks at recent results first, then at the read models."""

    def __init__(self, watch: RunWatch, reservations: Reservations) -> None:
        self._watch = watch
        self._reservations = reservations

    async def of(self, account: str, run: str, request_id: str) -> RunState:
        """The state of this account's run; 404 for any other."""
        recent = self._watch.recent(account, run)
        try:
            row = await self._reservations.one(account, run)
        except ProblemError:
            if recent is None:
                raise
            row = None
        if recent is None and (row is None or row.tool is None):
            raise not_found()
        return _state(run, request_id, recent, row)


def _state(run: str, request_id: str, recent: RunResult | None, row: Row | None) -> RunState:
    status = "running" if row is None else _STATES[row.status]
    charged = None if row is None or row.status == "open" else row.charged
    tool = None if row is None else row.tool
    shown = RunState(
        run_id=run,
        request_id=request_id,
        status=status,
        status_url=status_url(run),
        tool_id=tool,
        credits=CreditsOfState(estimated=None if row is None else row.typical, charged=charged),
        result_available=False,
        started_at=None if row is None else moment(row.created_at_ms),
        ended_at=None if row is None or row.ended_at_ms is None else moment(row.ended_at_ms),
    )
    if recent is None:
        shown.detail = GONE if status == "completed" else None
        return shown
    shown.tool_id = recent.tool
    shown.error = recent.error
    shown.execution_time_ms = None if recent.usage is None else recent.usage.duration_ms
    if shown.credits.charged is None:
        shown.credits.charged = recent.charged
    if shown.credits.charged is not None or recent.outcome is RunOutcome.REFUSED:
        shown.status = recent.outcome.value
        shown.result = recent.result or None
        shown.result_available = recent.outcome is RunOutcome.COMPLETED
    return shown
