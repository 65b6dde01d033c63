"""Commands: what anyone may ask of the ledger. One account each, named by whoever sends it.

`id` is the caller's: the same id asks the same question again and gets the first answer. JSON
objects tagged by `type`, names in camelCase, amounts in smallest credit units, times in ms since
the epoch. A command lands in `ledger.commands` under the key of its account.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from contracts.caps import Cap
from contracts.grants import CostBasis as CostBasis  # noqa: PLC0414 - a part of commands
from contracts.grants import GrantKind as GrantKind  # noqa: PLC0414 - likewise
from contracts.grants import Part
from contracts.reasons import Outcome
from contracts.toppings import TopUpRule, TopUpState
from contracts.units import FOREVER, Credits, Id, Ms


class ActorKind(StrEnum):
    """Who may act: the ledger checks what each kind is allowed to ask."""

    PERSON = "person"
    SERVICE = "service"
    TOOL_WORKER = "tool_worker"
    PAYMENTS = "payments"
    ADMIN = "admin"
    COURIER = "courier"


class Actor(Struct, frozen=True, gc=False):
    """Who asked. An opaque id, never a name or an address."""

    kind: ActorKind
    id: Id


class Limits(Struct, frozen=True, gc=False, rename="camel"):
    """The ceiling a run may use: CPU milliseconds, megabytes, wall-clock milliseconds."""

    cpu_ms: int
    memory_mb: int
    duration_ms: int


class Usage(Struct, frozen=True, gc=False, rename="camel"):
    """What a run used so far, measured by the operating system. Same units as Limits."""

    cpu_ms: int
    memory_mb: int
    duration_ms: int


class Controls(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """What the owner of an account set. A limit stops, an alert only tells; None is no limit."""

    run_limit: Credits | None = None
    day_limit: Credits | None = None
    month_limit: Credits | None = None
    time_zone: str = "UTC"
    alert_percents: tuple[int, ...] = (50, 75, 90, 100)
    alert_email: bool = True
    alert_in_app: bool = True
    top_up: TopUpRule | None = None
    concurrency: int | None = None
    caps: tuple[Cap, ...] = ()
    low_balance: Credits | None = None  # tell when fewer are available
    low_percent: int | None = None  # likewise, in per cent of the grants that are not used up


class Command(
    Struct, tag=True, tag_field="type", rename="camel", omit_defaults=True, gc=False, kw_only=True
):
    """What all commands carry.

    `issued_at` is when the caller first tried; older than a day the command is not decided, and
    dated over an hour ahead of the broker it is refused.
    `deadline`: past it the command is refused, so nothing is spent after the caller gave up.
    """

    id: Id
    account: Id
    actor: Actor
    issued_at: Ms | None = None
    deadline: Ms | None = None
    v: int = 1


class Estimate(Command, kw_only=True):
    """What would this run cost, and would it be allowed now? `chain` asks for every limit."""

    tool: Id
    limits: Limits | None = None
    member: Id | None = None
    parent: Id | None = None
    chain: bool = False


class Reserve(Command, kw_only=True):
    """Hold credits for a run: of a tool (priced by the catalogue) or of a plain amount."""

    tool: Id | None = None
    amount: Credits | None = None
    limits: Limits | None = None
    estimate: Id | None = None
    lifetime_ms: Ms | None = None
    parent: Id | None = None
    key: Id | None = None
    member: Id | None = None


class Extend(Command, kw_only=True):
    """More time or more credits for an open reservation."""

    reservation: Id
    amount: Credits = 0
    lifetime_ms: Ms | None = None


class Charge(Command, kw_only=True):
    """Take from a reservation: by measured usage (cumulative for the run) or by amount.

    With `final` the reservation ends and what is left of it goes back.
    """

    reservation: Id
    usage: Usage | None = None
    amount: Credits | None = None
    final: bool = True
    outcome: Outcome = Outcome.COMPLETED


class Release(Command, kw_only=True):
    """End a reservation without charging."""

    reservation: Id
    outcome: Outcome = Outcome.FAILED


class Refund(Command, kw_only=True):
    """Return what was charged (all that is left of it, or a part) to the very lots drawn."""

    charge: Id
    amount: Credits | None = None
    reason: Id = "requested"
    approved_by: Id | None = None


class Grant(Command, kw_only=True):
    """Give credits. A `source` grants once, for ever.

    `reason` and `approved_by`, a second person, are for what an admin gives; see `Revoke`.
    """

    amount: Credits
    kind: GrantKind
    source: Id
    effective_from: Ms = 0
    expires_at: Ms = FOREVER
    priority: int | None = None
    cost_basis: CostBasis | None = None
    reason: Id | None = None
    approved_by: Id | None = None


class Revoke(Command, kw_only=True):
    """Take back a grant, or `amount` of it; what of that is spent or held becomes debt.

    `approved_by` is the second person that an admin needs above the amount in the catalogue.
    """

    grant: Id
    reason: Id
    amount: Credits | None = None
    approved_by: Id | None = None


class Expire(Command, kw_only=True):
    """Settle what is due: a reservation, a grant, a period. Refused as not_due when early."""

    reservation: Id | None = None
    grant: Id | None = None
    period_end: Ms | None = None


class Send(Command, kw_only=True):
    """Move credits to another account; `transfer` names the sender's transfer for ever."""

    to: Id
    amount: Credits
    transfer: Id


class Receive(Command, kw_only=True):
    """The follow-up of a Send, at the receiver; `parts` make up the amount."""

    sender: Id
    amount: Credits
    transfer: Id
    parts: tuple[Part, ...] = ()


class Settle(Command, kw_only=True):
    """The follow-up of a Receive, back at the sender: closes the transfer or returns it."""

    transfer: Id
    returned: Credits


class SetControls(Command, kw_only=True):
    """Replace the owner's limits, alerts, top-up rule and time zone."""

    controls: Controls


class SetPlan(Command, kw_only=True):
    """Put the account on a plan, for a period that is paid; without one, by calendar months."""

    plan: Id
    period_start: Ms | None = None
    period_end: Ms | None = None


class Freeze(Command, kw_only=True):
    """Stop all spending of an account, or of one lot; runs that hold credits may still settle."""

    reason: Id
    grant: Id | None = None


class Thaw(Command, kw_only=True):
    """End the freeze of that reason; others stand on."""

    reason: Id
    grant: Id | None = None


class PurchaseState(StrEnum):
    """The money side's facts that stand beside the credit facts."""

    INITIATED = "initiated"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class RecordPurchase(Command, kw_only=True):
    """Record what happened to a purchase; moves no credits by itself."""

    purchase: Id
    state: PurchaseState
    pack: Id
    cost: CostBasis


class RecordTopUp(Command, kw_only=True):
    """What became of a top-up that fell due; `rests`: the card is left alone until another one."""

    state: TopUpState
    purchase: Id | None = None
    rests: bool = False


AnyCommand: TypeAlias = (
    Estimate
    | Reserve
    | Extend
    | Charge
    | Release
    | Refund
    | Grant
    | Revoke
    | Expire
    | Send
    | Receive
    | Settle
    | SetControls
    | SetPlan
    | Freeze
    | Thaw
    | RecordPurchase
    | RecordTopUp
)
