"""What callers send, field by field. Types and spelling are checked here, meaning by the ledger.

An unknown field is an error: a misspelt limit must not be taken for no limit. Numbers out of range
pass, so that the ledger's refusal of them is on record.
"""

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

import msgspec
from contracts.caps import CapOf, CapWindow
from contracts.commands import GrantKind, Usage
from contracts.reasons import Outcome
from contracts.units import DAY
from msgspec import Meta, Struct

from gateway.keys import Scope
from gateway.problems import failure

# ids: no spaces, no control characters, no addresses; "$" alone would pass a final newline
NAME = r"^[A-Za-z0-9._:-]{1,64}$(?!\n)"
LABEL = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$(?!\n)"  # one line
BATCH_ITEMS_MAX = 1_000
_name = re.compile(NAME).match
Name: TypeAlias = Annotated[str, Meta(pattern=NAME, max_length=64)]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Body(Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What all bodies share: spelling and strictness."""


class AskedLimits(Body):
    """The ceiling a run may use; what is left out is the tool's own limit."""

    cpu_ms: int | None = None
    memory_mb: int | None = None
    duration_ms: int | None = None


class EstimateBody(Body):
    """What would a run of this tool cost?"""

    tool_id: Name
    account: Name | None = None
    requested_limits: AskedLimits | None = None
    member: Name | None = None
    parent: Name | None = None


class ReserveBody(Body):
    """Hold credits for a run of `toolId`, or a plain `amount`; with a `parent` of what it holds.

    `member` is who runs it; only a key that is bound to no account may say so.
    """

    account: Name | None = None
    tool_id: Name | None = None
    amount: int | None = None
    requested_limits: AskedLimits | None = None
    estimate_id: Name | None = None
    lifetime_ms: int | None = None
    parent: Name | None = None
    member: Name | None = None


class ChargeBody(Body):
    """Take from a reservation, by measured `usage` or by `amount`."""

    account: Name | None = None
    usage: Usage | None = None
    amount: int | None = None
    final: bool = True
    outcome: Outcome = Outcome.COMPLETED


class ReleaseBody(Body):
    """End a reservation without charging."""

    account: Name | None = None
    outcome: Outcome = Outcome.FAILED


class ExtendBody(Body):
    """More time or more credits for a reservation."""

    account: Name | None = None
    amount: int = 0
    lifetime_ms: int | None = None


class RefundBody(Body):
    """Return a charge: all that is left of it, or a part."""

    account: Name | None = None
    amount: int | None = None
    reason: Name = "requested"


class CostBody(Body):
    """What was paid for a grant, in minor units of an ISO 4217 currency."""

    amount_minor: int
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)]


class GrantBody(Body):
    """Give credits to the account in the path. A `source` grants once, for ever."""

    amount: int
    kind: GrantKind
    source: Name
    effective_from: Moment | None = None
    expires_at: Moment | None = None
    priority: int | None = None
    cost_basis: CostBody | None = None
    reason: Name | None = None


class TransferBody(Body):
    """Send credits of the account in the path to another one; the key names the transfer."""

    to: Name
    amount: int


class RevokeBody(Body):
    """Take back a grant, or `amount` of it; what of that is spent becomes debt."""

    reason: Name
    account: Name | None = None
    amount: int | None = None


class PlanBody(Body):
    """Put the account in the path on a plan, by calendar months."""

    plan: Name


class FreezeBody(Body):
    """Stop spending of the account in the path, or of one grant's credits; or end that."""

    reason: Name
    grant_id: Name | None = None


class Op(StrEnum):
    """What an item of a batch does."""

    RESERVE = "reserve"
    CHARGE = "charge"
    RELEASE = "release"


class BatchItem(Body):
    """One item: the fields of the operation's own body, its key, and for two the reservation."""

    op: Op
    idempotency_key: Name
    account: Name | None = None
    reservation_id: Name | None = None
    tool_id: Name | None = None
    amount: int | None = None
    requested_limits: AskedLimits | None = None
    estimate_id: Name | None = None
    lifetime_ms: int | None = None
    parent: Name | None = None
    member: Name | None = None
    usage: Usage | None = None
    final: bool = True
    outcome: Outcome | None = None


class BatchBody(Body):
    """Up to 1,000 operations, each with its own outcome."""

    items: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=BATCH_ITEMS_MAX)]


class RunBody(Body):
    """Run a tool with this input."""

    input: msgspec.Raw
    requested_limits: AskedLimits | None = None


class TopUpBody(Body):
    """Buy `pack` when available falls below `below`; at most `monthlyMaxMinor` a month."""

    below: int
    pack: Name
    monthly_max_minor: int


class CapBody(Body):
    """The most that one API key, member or tool may spend and hold in a window."""

    of: CapOf
    id: Name
    limit: int
    window: CapWindow = CapWindow.EVER


class ControlsBody(Body):
    """Limits and alerts, as a whole: what is left out is reset."""

    run_limit: int | None = None
    day_limit: int | None = None
    month_limit: int | None = None
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$(?!\n)")] = "UTC"
    alert_percents: Annotated[tuple[int, ...], Meta(max_length=100)] = (50, 75, 90, 100)
    alert_email: bool = True
    alert_in_app: bool = True
    top_up: TopUpBody | None = None
    concurrency: int | None = None
    caps: Annotated[tuple[CapBody, ...], Meta(max_length=100)] = ()
    low_balance: int | None = None
    low_percent: int | None = None


class KeyBody(Body):
    """Make a key for the own account."""

    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=4)]
    label: Annotated[str, Meta(pattern=LABEL, max_length=64)] = ""
    expires_at: Moment | None = None


class RotateBody(Body):
    """How long the old key works on beside its successor: a week at most."""

    overlap_ms: Annotated[int, Meta(ge=0, le=7 * DAY)] | None = None


class ErasureBody(Body):
    """The account's id again, so that nothing is erased by a slip; `forfeit` gives up credits."""

    account: Name
    forfeit: bool = False


class EmbedTokenBody(Body):
    """For pages of this origin: scheme, host and, if it is not the usual one, port."""

    origin: Annotated[str, Meta(max_length=255)]


class LinkAskedBody(Body):
    """Send a link to sign in to this address."""

    email: str


class LinkFollowedBody(Body):
    """The token of a link that was sent."""

    token: str


class SignInBody(Body):
    """Sign in as this account; only in development."""

    account: Name


def name_or_404(text: str) -> str:
    """An id out of a path; 404 for what can be none."""
    if not _name(text):
        raise failure(404, "not_found", "There is nothing here for this caller.")
    return text


def decoder(kind: Any) -> Callable[[bytes], Any]:
    """A decoder that explains itself: 400 for what is no JSON, 422 for what does not fit."""
    decode = msgspec.json.Decoder(kind).decode

    def checked(raw: bytes) -> Any:
        try:
            return decode(raw)
        except msgspec.ValidationError as wrong:
            raise failure(422, "invalid_request", f"The body does not fit: {wrong}.") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise failure(400, "invalid_json", "The body must be JSON (RFC 8259).") from None

    return checked
