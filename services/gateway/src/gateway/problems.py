"""The one shape of every error (RFC 9457), and the one table from a refusal's reason to HTTP.

`code` is stable and made for programs, `detail` says what to do, nothing shows what is inside.
"""

from datetime import datetime

import msgspec
from contracts.events import Balance, CommandRefused, LimitStatus
from contracts.reasons import Reason, Remedy
from msgspec import UNSET, Struct, UnsetType

from gateway.moments import moment

CONTENT_TYPE = b"application/problem+json"
RETRY_SOON_S = 1  # overload and takeovers pass within about a second


class LimitShown(Struct, rename="camel", omit_defaults=True):
    """A limit as it stood when it was met; `resets_at` when it is one of a window."""

    name: str
    limit: int
    used: int
    held: int
    left: int
    resets_at: datetime | UnsetType = UNSET


class Problem(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """An error as the caller sees it. `retry_after_s` is a header too."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | UnsetType = UNSET
    limit: LimitShown | UnsetType = UNSET
    shortfall: int | UnsetType = UNSET
    resets_at: datetime | UnsetType = UNSET
    top_up_url: str | UnsetType = UNSET
    remedy: Remedy | UnsetType = UNSET
    fields: tuple[str, ...] | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    credits_charged: int | UnsetType = UNSET
    balance: Balance | UnsetType = UNSET
    position: str | UnsetType = UNSET
    retry_after_s: int | UnsetType = msgspec.field(default=UNSET, name="retryAfter")


class ProblemError(Exception):
    """Ends a request with a problem; `headers` go with it."""

    def __init__(self, problem: Problem, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.headers = headers


def problem(status: int, code: str, detail: str, **more: object) -> Problem:
    """A problem of our own; the title is the code in words."""
    shown = {name: value for name, value in more.items() if value is not None}
    return Problem(
        type=f"urn:scrip:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        **shown,  # type: ignore[arg-type]
    )


def failure(status: int, code: str, detail: str, **more: object) -> ProblemError:
    """The same, to raise."""
    return ProblemError(problem(status, code, detail, **more))


REASONS: dict[Reason, tuple[int, str]] = {
    Reason.AMOUNT_OUT_OF_RANGE: (422, "The amount must be a whole number of at least 1."),
    Reason.LIFETIME_OUT_OF_RANGE: (422, "lifetimeMs is outside what a reservation may live."),
    Reason.REQUESTED_LIMITS_INVALID: (
        422,
        "Each of requestedLimits must be at least 1 and at most the tool's own limit.",
    ),
    Reason.CONTROLS_INVALID: (422, "These limits and alerts do not fit together or the plan."),
    Reason.ISSUED_IN_THE_FUTURE: (
        422,
        "issuedAt lies over an hour ahead of the ledger's clock: set your clock, or leave it out.",
    ),
    Reason.EXPIRY_IN_THE_PAST: (422, "expiresAt must lie in the future."),
    Reason.ACCOUNT_RESERVED: (403, "This account can be estimated for, nothing else."),
    Reason.ID_CONFLICT: (
        422,
        "This Idempotency-Key was used for another request; use a new key or the same payload.",
    ),
    Reason.DEADLINE: (
        503,
        "The request came too late: nothing was done or spent. Send it again, with the same key.",
    ),
    Reason.NOT_AVAILABLE_YET: (501, "This version of Scrip does not do that yet."),
    Reason.NOT_PERMITTED: (403, "This caller may not ask for that."),
    Reason.SECOND_PERSON_NEEDED: (
        403,
        "An amount this high needs a second person: name in approvedBy who approved it.",
    ),
    Reason.TOOL_UNKNOWN: (404, "There is no tool with this id; GET the catalogue's ids."),
    Reason.TOOL_DISABLED: (409, "This tool is switched off."),
    Reason.TOOL_CLIENT_ONLY: (422, "This tool runs in the browser and costs nothing."),
    Reason.PLAN_UNKNOWN: (404, "There is no plan with this id."),
    Reason.PLAN_LACKS_FEATURE: (403, "The account's plan does not include this."),
    Reason.ESTIMATE_UNKNOWN: (404, "This estimate is unknown or no longer valid; estimate again."),
    Reason.ESTIMATE_MISMATCH: (422, "The estimate was for another tool or other limits."),
    Reason.INSUFFICIENT_CREDITS: (402, "Not enough credits are available."),
    Reason.RUN_LIMIT: (402, "The account's limit for one run is lower than this run may cost."),
    Reason.CONCURRENCY_LIMIT: (402, "As many runs as allowed are under way; wait for one to end."),
    Reason.PARENT_LIMIT: (402, "The surrounding run has not enough credits left."),
    Reason.KEY_LIMIT: (402, "The API key's budget is used up."),
    Reason.MEMBER_LIMIT: (402, "The member's allocation is used up."),
    Reason.TOOL_LIMIT: (402, "The limit for this tool is used up."),
    Reason.DAY_LIMIT: (402, "The account's limit for the day does not allow this run."),
    Reason.MONTH_LIMIT: (402, "The account's limit for the month does not allow this run."),
    Reason.ACCOUNT_FROZEN: (403, "Spending is stopped for this account; contact support."),
    Reason.RESERVATION_UNKNOWN: (404, "There is no such reservation."),
    Reason.RESERVATION_EXPIRED: (409, "The reservation outlived its time; its credits are back."),
    Reason.RESERVATION_ENDED: (409, "The reservation has ended already."),
    Reason.EXCEEDS_RESERVATION: (422, "The amount is above what the reservation still holds."),
    Reason.CHARGE_UNKNOWN: (404, "There is no such charge."),
    Reason.EXCEEDS_CHARGE: (422, "The amount is above what is left of the charge."),
    Reason.GRANT_UNKNOWN: (404, "There is no such grant."),
    Reason.GRANT_EXISTS: (409, "A grant with this id exists already."),
    Reason.SOURCE_ALREADY_GRANTED: (409, "This source has been granted before; it grants once."),
    Reason.EXCEEDS_GRANT: (422, "The amount is above what can still be taken back of the grant."),
    Reason.NOT_FROZEN: (409, "No freeze of this reason stands; GET the balance shows which do."),
    Reason.RECEIVER_INVALID: (422, "Credits can be sent to another account only, and not to this."),
    Reason.NOT_TRANSFERABLE: (409, "Some of these credits stay here: a plan's, or frozen ones."),
    Reason.TRANSFER_UNKNOWN: (404, "There is no open transfer of this name."),
    Reason.TRANSFER_RECEIVED: (409, "This transfer was received before."),
    Reason.NOT_DUE: (409, "This is not due yet."),
}


def of_refusal(refusal: CommandRefused, top_up_url: str, position: str) -> Problem:
    """A recorded no, as HTTP says it."""
    status, detail = REASONS[refusal.reason]
    limit = limit_shown(refusal.limit) if refusal.limit is not None else None
    return problem(
        status,
        refusal.reason.value,
        detail,
        limit=limit,
        shortfall=refusal.shortfall,
        resets_at=None if limit is None else limit.resets_at,
        top_up_url=top_up_url if refusal.remedy is Remedy.TOP_UP else None,
        remedy=refusal.remedy,
        fields=refusal.fields or None,
        balance=refusal.balance,
        position=position,
    )


def limit_shown(limit: LimitStatus) -> LimitShown:
    """A limit with its reset as a date."""
    resets_at = UNSET if limit.resets_at is None else moment(limit.resets_at)
    return LimitShown(limit.name, limit.limit, limit.used, limit.held, limit.left, resets_at)
