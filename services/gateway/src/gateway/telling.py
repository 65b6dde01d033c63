"""What a live page is told of an event: a balance, a purchase or an alert, in one shape.

An event that this table does not know is told as a balance: amounts are absolute, so that a page
which shows the newest one is right, whatever happened.
"""

from datetime import datetime

from bus.stream import Counted
from contracts.codec import encode
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    AnswerRepeated,
    AnyEvent,
    Balance,
    Checkpoint,
    CommandRefused,
    CommandRejected,
    CommandTooOld,
    ControlsChanged,
    CreditsCharged,
    CreditsGranted,
    CreditsReceived,
    CreditsRefunded,
    CreditsReleased,
    CreditsReserved,
    CreditsRevoked,
    CreditsSent,
    EstimateGiven,
    ExpiryNoticeGiven,
    GrantExpired,
    GrantScheduled,
    PlanChanged,
    PurchaseCompleted,
    PurchaseDisputed,
    PurchaseFailed,
    PurchaseInitiated,
    PurchaseRefunded,
    ReservationExpired,
    ReservationExtended,
    ScheduleRevoked,
    ThresholdCrossed,
    TopUpDue,
    TopUpReported,
)
from contracts.units import Ms
from msgspec import Struct

from gateway import positions
from gateway.moments import moment
from gateway.problems import LimitShown, limit_shown

BALANCE, PURCHASE, ALERT = "balance", "purchase", "alert"
SNAPSHOT = "snapshot"  # as read, not as it happened


class Told(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One message. `type` is the event's, or `Snapshot`; the rest as far as it says."""

    type: str
    at: datetime
    position: str
    balance: Balance
    amount: int | None = None
    tool: str | None = None
    reservation: str | None = None
    grant: str | None = None
    purchase: str | None = None
    state: str | None = None
    reason: str | None = None
    limit: LimitShown | None = None
    percent: int | None = None
    shortfall: int | None = None
    cap: str | None = None


class Message(Struct, frozen=True, gc=False):
    """A message as it is sent, the event's `seq`, and the broker's time of it."""

    seq: int
    at: Ms
    frame: bytes


def message(counted: Counted) -> Message | None:
    """What is told of an event that counts; None: nothing."""
    found = told(counted.event, counted.partition)
    if found is None:
        return None
    name, said = found
    return Message(counted.event.seq, counted.timestamp, frame(name, encode(said), said.position))


def frame(name: str, body: bytes, position: str = "") -> bytes:
    """An event of the stream; without a position the reader keeps the one before."""
    known = f"id: {position}\n" if position else ""
    return f"{known}event: {name}\ndata: ".encode() + body + b"\n\n"


def told(event: AnyEvent, partition: int) -> tuple[str, Told] | None:
    """The name and the content of what is told."""
    if event.balance is None:
        return None
    said = Told(
        type=type(event).__name__,
        at=moment(event.at),
        position=positions.shown(partition, event.seq),
        balance=event.balance,
    )
    name = _fill(said, event)
    return None if name is None else (name, said)


def _fill(said: Told, event: AnyEvent) -> str | None:
    match event:
        case CreditsReserved() | CreditsCharged() | CreditsReleased() | ReservationExpired():
            said.amount, said.tool, said.reservation = event.amount, event.tool, event.reservation
        case CreditsRefunded():
            said.amount, said.tool, said.reservation = event.amount, event.tool, event.reservation
        case ReservationExtended():
            said.amount, said.reservation = event.amount, event.reservation
        case CreditsGranted() | CreditsRevoked() | CreditsReceived() | GrantExpired():
            said.amount, said.grant = event.amount, event.grant
        case GrantScheduled() | ScheduleRevoked():
            said.amount, said.grant = event.amount, event.grant
        case CreditsSent():
            said.amount = event.amount
        case EstimateGiven() | AnswerRepeated() | CommandTooOld() | CommandRejected():
            return None
        case Checkpoint():
            return None
        case (
            PurchaseInitiated()
            | PurchaseCompleted()
            | PurchaseFailed()
            | PurchaseRefunded()
            | PurchaseDisputed()
        ):
            said.purchase, said.state = event.purchase, _STATES[type(event)]
            return PURCHASE
        case _:
            return _alert(said, event)
    return BALANCE


def _alert(said: Told, event: AnyEvent) -> str | None:
    match event:
        case ThresholdCrossed():
            said.limit, said.percent = limit_shown(event.limit), event.percent
            said.cap = event.cap
        case CommandRefused():
            if event.limit is None and event.shortfall is None:
                return None  # a mistake of the caller's, who was told
            said.reason, said.shortfall, said.tool = event.reason, event.shortfall, event.tool
            said.limit = None if event.limit is None else limit_shown(event.limit)
        case AccountFrozen() | AccountThawed():
            said.reason, said.grant = event.reason, event.grant
        case ExpiryNoticeGiven():
            said.amount, said.grant = event.amount, event.grant
        case TopUpReported():
            said.state, said.purchase = event.state, event.purchase
        case TopUpDue() | PlanChanged() | ControlsChanged():
            pass
        case _:
            return BALANCE
    return ALERT


_STATES: dict[type, str] = {
    PurchaseInitiated: "initiated",
    PurchaseCompleted: "completed",
    PurchaseFailed: "failed",
    PurchaseRefunded: "refunded",
    PurchaseDisputed: "disputed",
}
