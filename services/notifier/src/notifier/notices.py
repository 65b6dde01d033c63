"""Which event tells its owner what: pure, so that the same event says the same, always.

A gift is an account of its own. Its events do not say who made it, so that is remembered from the
transfer that filled it (`Gift`, kept by the caller, never forgotten: events may be read twice).
"""

from collections.abc import MutableMapping

from contracts.events import (
    AnyEvent,
    CommandRefused,
    CreditsGranted,
    CreditsReceived,
    CreditsSent,
    ExpiryNoticeGiven,
    ThresholdCrossed,
    TopUpReported,
    TransferSettled,
)
from contracts.grants import GrantKind
from contracts.notifications import EventRef, Notification, NotificationKind, id_of, id_of_window
from contracts.reasons import Reason
from contracts.toppings import TopUpState
from contracts.units import FOREVER, Credits, Id
from msgspec import Struct
from msgspec.structs import replace

GIFT = "gift-"  # how the accounts of gifts begin
LOW = frozenset({"low_balance", "low_percent"})  # the limits by which low credits are told
WINDOWS = frozenset(
    {
        Reason.DAY_LIMIT,
        Reason.MONTH_LIMIT,
        Reason.KEY_LIMIT,
        Reason.MEMBER_LIMIT,
        Reason.TOOL_LIMIT,
    }
)  # limits that fill up; a run that is too large by itself is the caller's to know


class Gift(Struct, frozen=True):
    """Who made a gift, and who has it now or will."""

    sender: Id
    to: str = ""  # nobody yet
    amount: Credits = 0


class UnknownGift(LookupError):
    """A gift ended whose beginning was not read."""


def notices(
    event: AnyEvent, partition: int, gifts: MutableMapping[str, Gift]
) -> tuple[Notification, ...]:
    """What an event tells, nearly always nothing. Raises UnknownGift."""
    match event:
        case ExpiryNoticeGiven():
            return (_expiry(event, partition),)
        case ThresholdCrossed():
            return (_threshold(event, partition),)
        case CommandRefused() if event.reason in WINDOWS and event.limit is not None:
            return (_limit_reached(event, partition),)
        case CreditsGranted() if event.kind in {GrantKind.PAID, GrantKind.TOPUP}:
            return (_credited(event, partition),)
        case TopUpReported() if event.state is not TopUpState.READY:
            return (_top_up_failed(event, partition),)
        case CreditsReceived() | CreditsSent() | TransferSettled():
            return _gift(event, partition, gifts) if event.account.startswith(GIFT) else ()
        case _:
            return ()


def _gift(
    event: CreditsReceived | CreditsSent | TransferSettled,
    partition: int,
    gifts: MutableMapping[str, Gift],
) -> tuple[Notification, ...]:
    """Follow a gift; its end is told when the transfer out of it is settled."""
    if isinstance(event, CreditsReceived):
        gifts[event.account] = Gift(event.sender)
        return ()
    gift = gifts.get(event.account)
    if gift is None:
        raise UnknownGift(event.account)
    if isinstance(event, CreditsSent):
        gifts[event.account] = Gift(gift.sender, event.to, event.amount)
        return ()
    if event.returned:
        gifts[event.account] = Gift(gift.sender)  # it was not taken, so it is still open
        return ()
    told = [(NotificationKind.GIFT_RETURNED, gift.sender)]
    if gift.to != gift.sender:
        told = [
            (NotificationKind.GIFT_CLAIMED, gift.sender),
            (NotificationKind.GIFT_RECEIVED, gift.to),
        ]
    about, amount = event.account, gift.amount
    return tuple(
        replace(_told(event, partition, kind), account=account, amount=amount, about=about)
        for kind, account in told
    )


def _expiry(event: ExpiryNoticeGiven, partition: int) -> Notification:
    return replace(
        _told(event, partition, NotificationKind.EXPIRY_NOTICE),
        amount=event.amount,
        about=event.grant,
        days=event.days,
        expires_at=event.expires_at,
    )


def _threshold(event: ThresholdCrossed, partition: int) -> Notification:
    low = event.limit.name in LOW
    kind = NotificationKind.LOW_BALANCE if low else NotificationKind.THRESHOLD_CROSSED
    percent = event.percent or None
    told = _told(event, partition, kind)
    return replace(told, limit=event.limit, percent=percent, cap=event.cap)


def _limit_reached(event: CommandRefused, partition: int) -> Notification:
    """Once for each window, however many runs are refused in it: the id says which."""
    assert event.limit is not None, "asked before"
    kind = NotificationKind.LIMIT_REACHED
    named = id_of_window(event.account, event.limit, None)
    return replace(_told(event, partition, kind), id=named, limit=event.limit)


def _credited(event: CreditsGranted, partition: int) -> Notification:
    told = _told(event, partition, NotificationKind.PURCHASE_CREDITED)
    return replace(told, amount=event.amount, about=event.grant)


def _top_up_failed(event: TopUpReported, partition: int) -> Notification:
    told = _told(event, partition, NotificationKind.TOP_UP_FAILED)
    return replace(told, about=event.purchase, paused=event.wait_until >= FOREVER)


def _told(event: AnyEvent, partition: int, kind: NotificationKind) -> Notification:
    where = EventRef(partition, event.seq, type(event).__name__)
    return Notification(id_of(where, kind), event.account, kind, event.at, where)
