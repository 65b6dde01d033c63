"""Events: what happened, for ever. Only the ledger writes them, into `ledger.events`.

Every event of an account carries the same header. The events of one command stand together in one
record batch, settlements of what was due first, its **answer last** (`answer` is true on exactly
that one): the answer shows the balance after everything the command did. Amounts are smallest
credit units, times ms since the epoch, UTC, by the broker's clock.

`decide` builds events with an empty header; the owner fills it in when it appends them.
"""

from typing import TypeAlias, get_args

from contracts.account_events import (
    AccountFrozen,
    AccountThawed,
    AnswerRepeated,
    Checkpoint,
    CommandRefused,
    CommandRejected,
    CommandTooOld,
    ControlsChanged,
    PartitionClaimed,
    PlanChanged,
    PurchaseCompleted,
    PurchaseDisputed,
    PurchaseEvent,
    PurchaseFailed,
    PurchaseInitiated,
    PurchaseRefunded,
    ThresholdCrossed,
    TopUpDue,
    TopUpReported,
)
from contracts.coming_events import ExpiryNoticeGiven, GrantScheduled, ScheduleRevoked
from contracts.commands import PurchaseState
from contracts.credit_events import (
    CreditsCharged,
    CreditsGranted,
    CreditsReceived,
    CreditsRefunded,
    CreditsReleased,
    CreditsReserved,
    CreditsRevoked,
    CreditsSent,
    EstimateGiven,
    GrantExpired,
    ReservationExpired,
    ReservationExtended,
    TransferSettled,
)
from contracts.header import (
    Allowance,
    Balance,
    CommandRef,
    Event,
    Extension,
    LimitStatus,
    Slice,
    Window,
    Windows,
)

__all__ = [
    "PURCHASE_EVENTS",
    "VERSIONS",
    "AccountFrozen",
    "AccountThawed",
    "Allowance",
    "AnswerRepeated",
    "AnyEvent",
    "AnyRecord",
    "Balance",
    "Checkpoint",
    "CommandRef",
    "CommandRefused",
    "CommandRejected",
    "CommandTooOld",
    "ControlsChanged",
    "CreditsCharged",
    "CreditsGranted",
    "CreditsReceived",
    "CreditsRefunded",
    "CreditsReleased",
    "CreditsReserved",
    "CreditsRevoked",
    "CreditsSent",
    "EstimateGiven",
    "Event",
    "ExpiryNoticeGiven",
    "Extension",
    "GrantExpired",
    "GrantScheduled",
    "LimitStatus",
    "PartitionClaimed",
    "PlanChanged",
    "PurchaseCompleted",
    "PurchaseDisputed",
    "PurchaseFailed",
    "PurchaseInitiated",
    "PurchaseRefunded",
    "ReservationExpired",
    "ReservationExtended",
    "ScheduleRevoked",
    "Slice",
    "ThresholdCrossed",
    "TopUpDue",
    "TopUpReported",
    "TransferSettled",
    "Window",
    "Windows",
]

AnyEvent: TypeAlias = (
    EstimateGiven
    | CreditsReserved
    | ReservationExtended
    | CreditsCharged
    | CreditsReleased
    | CreditsRefunded
    | CreditsGranted
    | CreditsRevoked
    | ReservationExpired
    | GrantExpired
    | CreditsSent
    | CreditsReceived
    | TransferSettled
    | ControlsChanged
    | PlanChanged
    | AccountFrozen
    | AccountThawed
    | PurchaseInitiated
    | PurchaseCompleted
    | PurchaseFailed
    | PurchaseRefunded
    | PurchaseDisputed
    | CommandRefused
    | ThresholdCrossed
    | TopUpDue
    | TopUpReported
    | AnswerRepeated
    | CommandTooOld
    | CommandRejected
    | Checkpoint
    | GrantScheduled
    | ScheduleRevoked
    | ExpiryNoticeGiven
)
AnyRecord: TypeAlias = AnyEvent | PartitionClaimed

VERSIONS: dict[str, int] = {kind.__name__: 1 for kind in (*get_args(AnyEvent), PartitionClaimed)}
PURCHASE_EVENTS: dict[PurchaseState, type[PurchaseEvent]] = {
    PurchaseState.INITIATED: PurchaseInitiated,
    PurchaseState.COMPLETED: PurchaseCompleted,
    PurchaseState.FAILED: PurchaseFailed,
    PurchaseState.REFUNDED: PurchaseRefunded,
    PurchaseState.DISPUTED: PurchaseDisputed,
}
