"""What each event means for lots, reservations, sums and usage: the projection's rules.

An effect is (amount, moved, reservation, charge, grant, tool), the columns of an entry: `amount` is
what the account owns more or less by it, `moved` what the event is about. See
contracts/read-models.sql.
"""

from collections.abc import Callable
from typing import TypeAlias

from contracts.codec import encode
from contracts.credit_events import lots_of
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    Allowance,
    AnyEvent,
    CommandRefused,
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
    ReservationExpired,
    ReservationExtended,
    ScheduleRevoked,
    TransferSettled,
)
from contracts.reasons import Outcome

from audit_projector import coming
from audit_projector.moving import back, lend, move, paid
from audit_projector.rows import NewLot, NewReservation
from audit_projector.touched import Touched

Effect: TypeAlias = tuple[int, int, str | None, str | None, str | None, str | None]

NOTHING: Effect = (0, 0, None, None, None, None)


def apply(touched: Touched, event: AnyEvent) -> Effect:
    """Add the event's meaning to what was touched."""
    rule = _RULES.get(type(event))
    return NOTHING if rule is None else rule(touched, event)


def _granted(touched: Touched, event: CreditsGranted) -> Effect:
    touched.sum(event.account).granted += event.amount
    gone = paid(touched, event)
    touched.lots[event.account, event.grant] = NewLot(
        kind=event.kind,
        priority=event.priority,
        amount=event.amount,
        available=event.amount - gone,
        effective_from_ms=event.effective_from,
        expires_at_ms=event.expires_at,
        source=event.source,
        version=event.version,
        created_at_ms=event.at,
    )
    if event.allowance is not None:
        _planned(touched, event, event.allowance)
    if event.scheduled:
        coming.begun(touched, event)
    return event.amount - gone, event.amount, None, None, event.grant, None


def _scheduled(touched: Touched, event: GrantScheduled) -> Effect:
    coming.scheduled(touched, event)
    return 0, event.amount, None, None, event.grant, None


def _less_scheduled(touched: Touched, event: ScheduleRevoked) -> Effect:
    coming.less(touched, event)
    return 0, event.amount, None, None, event.grant, None


def _expiring(_: Touched, event: ExpiryNoticeGiven) -> Effect:
    return 0, event.amount, None, None, event.grant, None


def _received(touched: Touched, event: CreditsReceived) -> Effect:
    touched.sum(event.account).received += event.amount
    gone = paid(touched, event)
    for grant, part, left in lots_of(event):
        touched.lots[event.account, grant] = NewLot(
            kind=part.kind,
            priority=part.priority,
            amount=part.amount,
            available=left,
            effective_from_ms=event.at,
            expires_at_ms=part.expires_at,
            source=event.transfer,
            version=event.version,
            created_at_ms=event.at,
        )
    return event.amount - gone, event.amount, None, None, event.grant, None


def _reserved(touched: Touched, event: CreditsReserved) -> Effect:
    account = event.account
    if event.parent is None:
        move(touched, account, event.slices, available=-1, held=1)
    else:
        lend(touched, event, event.parent, event.amount)
    touched.reservations[account, event.reservation] = NewReservation(
        event, event.amount, event.amount, event.expires_at, event.version
    )
    touched.usage(account, event.at, event.tool).runs += 1
    return 0, event.amount, event.reservation, None, None, event.tool


def _extended(touched: Touched, event: ReservationExtended) -> Effect:
    if event.parent is None:
        move(touched, event.account, event.slices, available=-1, held=1)
    else:
        lend(touched, event, event.parent, event.amount)
    row = touched.reservation(event.account, event.reservation, event.version)
    row.amount += event.amount
    row.held += event.amount
    row.expires_at_ms = event.expires_at
    return 0, event.amount, event.reservation, None, None, None


def _charged(touched: Touched, event: CreditsCharged) -> Effect:
    move(touched, event.account, event.slices, available=0, held=-1)
    released = event.released if event.rest else 0  # the first versions said it in an event before
    lost = back(touched, event, event.rest)
    row = touched.reservation(event.account, event.reservation, event.version)
    row.held -= event.amount + released
    row.charged += event.amount
    row.released += released
    row.overrun += event.overrun
    usage = touched.usage(event.account, event.at, event.tool)
    usage.charged += event.amount
    if event.final:
        row.status, row.outcome, row.ended_at_ms = "charged", event.outcome.value, event.at
        if event.outcome is Outcome.COMPLETED:
            usage.completed += 1
            if event.tool is not None:
                touched.completed.append((event.account, event.reservation))
        else:
            usage.failed += 1
    return -event.amount - lost, event.amount, event.reservation, event.charge, None, event.tool


def _released(touched: Touched, event: CreditsReleased) -> Effect:
    lost = back(touched, event, event.slices)
    row = touched.reservation(event.account, event.reservation, event.version)
    row.held -= event.amount
    row.released += event.amount
    if not event.remainder:
        row.status, row.outcome, row.ended_at_ms = "released", event.outcome.value, event.at
        touched.usage(event.account, event.at, event.tool).failed += 1
    return -lost, event.amount, event.reservation, None, None, event.tool


def _reservation_expired(touched: Touched, event: ReservationExpired) -> Effect:
    lost = back(touched, event, event.slices)
    row = touched.reservation(event.account, event.reservation, event.version)
    row.held -= event.amount
    row.released += event.amount
    row.status, row.ended_at_ms = "expired", event.at
    touched.usage(event.account, event.at, event.tool).failed += 1
    return -lost, event.amount, event.reservation, None, None, event.tool


def _refunded(touched: Touched, event: CreditsRefunded) -> Effect:
    move(touched, event.account, event.slices, available=1, held=0)
    for longer in event.extended:
        touched.lot(event.account, longer.grant).expires_at_ms = longer.expires_at
    row = touched.reservation(event.account, event.reservation, event.version)
    row.refunded += event.amount
    touched.usage(event.account, event.at, event.tool).refunded += event.amount
    gone = paid(touched, event)
    move(touched, event.account, event.repaid, available=-1, held=0)
    return event.amount - gone, event.amount, event.reservation, event.charge, None, event.tool


def _grant_expired(touched: Touched, event: GrantExpired) -> Effect:
    touched.lot(event.account, event.grant).available -= event.amount
    touched.sum(event.account).expired += event.amount
    return -event.amount, event.amount, None, None, event.grant, None


def _revoked(touched: Touched, event: CreditsRevoked) -> Effect:
    touched.lot(event.account, event.grant).available -= event.amount
    sums = touched.sum(event.account)
    sums.revoked += event.amount
    sums.debt += event.debt
    return -event.amount, event.amount, None, None, event.grant, None


def _sent(touched: Touched, event: CreditsSent) -> Effect:
    move(touched, event.account, event.slices, available=-1, held=0)
    touched.sum(event.account).sent += event.amount
    touched.transfers.append(event)
    return -event.amount, event.amount, None, None, None, None


def _settled(touched: Touched, event: TransferSettled) -> Effect:
    move(touched, event.account, event.slices, available=1, held=0)
    touched.sum(event.account).sent -= event.returned
    touched.settled.append(event)
    gone = paid(touched, event)
    move(touched, event.account, event.repaid, available=-1, held=0)
    return event.returned - gone, event.returned, None, None, None, None


def _frozen(touched: Touched, event: AccountFrozen) -> Effect:
    touched.freezes[event.account, event.grant or "", event.reason] = event.at
    return 0, 0, None, None, event.grant, None


def _thawed(touched: Touched, event: AccountThawed) -> Effect:
    touched.freezes[event.account, event.grant or "", event.reason] = None
    return 0, 0, None, None, event.grant, None


def _plan_changed(touched: Touched, event: PlanChanged) -> Effect:
    if event.allowance is not None:
        _planned(touched, event, event.allowance)
    return NOTHING


def _planned(touched: Touched, event: CreditsGranted | PlanChanged, period: Allowance) -> None:
    touched.plans[event.account] = period, event.version, event.at


def _controls_changed(touched: Touched, event: ControlsChanged) -> Effect:
    touched.controls[event.account] = encode(event.after), event.version, event.at
    return NOTHING


def _estimated(_: Touched, event: EstimateGiven) -> Effect:
    return 0, event.max, None, None, None, event.tool


def _refused(_: Touched, event: CommandRefused) -> Effect:
    return 0, 0, event.reservation, None, None, event.tool


_RULES: dict[type, Callable[..., Effect]] = {
    AccountFrozen: _frozen,
    AccountThawed: _thawed,
    CommandRefused: _refused,
    ControlsChanged: _controls_changed,
    CreditsCharged: _charged,
    CreditsGranted: _granted,
    CreditsReceived: _received,
    CreditsRefunded: _refunded,
    CreditsReleased: _released,
    CreditsReserved: _reserved,
    CreditsRevoked: _revoked,
    CreditsSent: _sent,
    EstimateGiven: _estimated,
    GrantExpired: _grant_expired,
    ExpiryNoticeGiven: _expiring,
    GrantScheduled: _scheduled,
    PlanChanged: _plan_changed,
    ReservationExpired: _reservation_expired,
    ReservationExtended: _extended,
    ScheduleRevoked: _less_scheduled,
    TransferSettled: _settled,
}
