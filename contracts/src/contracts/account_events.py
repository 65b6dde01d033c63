"""Events about an account, its purchases, a refusal, or the partition itself."""

import msgspec
from msgspec import Struct

from contracts.commands import Controls, CostBasis
from contracts.header import Allowance, Event, LimitStatus, Windows
from contracts.reasons import Reason, RejectReason, Remedy
from contracts.toppings import TopUpState
from contracts.units import Credits, Id, Ms


class ControlsChanged(Event, kw_only=True):
    """The owner's limits and alerts, before and after. `windows` when the time zone moved them."""

    before: Controls
    after: Controls
    windows: Windows | None = None


class PlanChanged(Event, kw_only=True):
    """The account is on another plan, or on the same one in another period."""

    before: Id | None
    after: Id
    allowance: Allowance | None = None


class AccountFrozen(Event, kw_only=True):
    """Nothing can be spent: the whole account, or one lot."""

    reason: Id
    grant: Id | None = None


class AccountThawed(Event, kw_only=True):
    """The freeze of that reason is over."""

    reason: Id
    grant: Id | None = None


class PurchaseEvent(Event, kw_only=True):
    """What the purchase events share."""

    purchase: Id
    pack: Id
    cost: CostBasis


class PurchaseInitiated(PurchaseEvent):
    """Someone set out to buy."""


class PurchaseCompleted(PurchaseEvent):
    """The money arrived."""


class PurchaseFailed(PurchaseEvent):
    """Nothing was taken."""


class PurchaseRefunded(PurchaseEvent):
    """The money went back."""


class PurchaseDisputed(PurchaseEvent):
    """The bank took the money back, for now."""


class CommandRefused(Event, kw_only=True):
    """No, and why. Changes nothing but that the answer is remembered."""

    kind: str
    reason: Reason
    remedy: Remedy
    limit: LimitStatus | None = None
    shortfall: Credits | None = None
    fields: tuple[str, ...] = ()
    tool: Id | None = None
    reservation: Id | None = None


class ThresholdCrossed(Event, kw_only=True):
    """A share of a limit was used; once per threshold and window.

    Of a cap, `cap` says whose it is. Low credits are told as the limits "low_balance" (`percent`
    is 0) and "low_percent": `limit` is what available fell below, `left` what is available. They
    are told once until more credits come in.
    """

    limit: LimitStatus
    percent: int
    cap: str | None = None


class TopUpDue(Event, kw_only=True):
    """Available fell below the owner's rule."""

    pack: Id
    below: Credits


class TopUpReported(Event, kw_only=True):
    """What became of a top-up, how often in a row none worked, and until when none is due.

    `wait_until` in the year 10000 is a pause: it ends with another card or another rule.
    """

    state: TopUpState
    declines: int
    wait_until: Ms = 0
    purchase: Id | None = None


class AnswerRepeated(Event, kw_only=True):
    """A retry: the answer given first, as it stands in the log. Nothing changed."""

    first: msgspec.Raw


class CommandTooOld(Event, kw_only=True):
    """First tried over a day ago: not decided, never the first outcome."""

    kind: str
    issued_at: Ms


class CommandRejected(Event, kw_only=True):
    """Bytes that are no command for this partition: where they lie, their SHA-256, and why."""

    reason: RejectReason
    sha256: str


class Checkpoint(Event, kw_only=True):
    """The hash of the partition's whole state behind the event whose `seq` was `counted`.

    Two states compare only in the same `layout`: it names what the ledger of that day remembered.
    """

    state_hash: str
    accounts: int
    counted: int = 0
    layout: str = ""


class PartitionClaimed(Struct, tag=True, tag_field="type", rename="camel", gc=False):
    """A new owner. Exact, and thus true, only if it landed at the offset `at`.

    `owner` is a fresh token, `seq` the last counted one, `commands_from` the next command to
    decide, `partitions` the number of partitions that is part of the ledger's meaning.
    """

    v: int
    owner: str
    at: int
    seq: int
    commands_from: int
    partitions: int
