"""evolve remembers what an event says. It chooses nothing, checks nothing, and cannot fail.

Every choice (which lot, which price, which window) was made in `decide` and stands in the event.
"""

from bisect import insort
from collections.abc import Callable

from contracts.commands import GrantKind
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    AnyEvent,
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
    ThresholdCrossed,
    TopUpDue,
    TopUpReported,
    TransferSettled,
    Windows,
)
from contracts.units import DAY, Ms

from ledger.domain import capping, nesting, standing, timed, topping, transfers
from ledger.domain.account import Account, Charged, Ended, Lot, Reservation
from ledger.domain.allowance import of_plan
from ledger.domain.ending import next_due
from ledger.domain.returning import back, pay, take
from ledger.domain.slices import minus, plus
from ledger.domain.trail import follow


def evolve(account: Account, event: AnyEvent) -> None:
    """Make the account what the event says."""
    account.version += 1
    remember = _REMEMBER.get(type(event))
    if remember is not None:
        remember(account, event)
        if event.at >= account.next_due and event.answer:  # once a command, however much was due
            account.next_due = next_due(account)


def remember_answer(account: Account, command: str, answer: bytes, at: Ms) -> None:
    """Keep the first answer to a command. What is over was forgotten when it was touched."""
    if not account.answers:
        account.answers_since = at
    account.answers[command] = answer


def _granted(account: Account, event: CreditsGranted) -> None:
    lot = Lot(
        event.grant,
        event.kind,
        event.priority,
        event.effective_from,
        event.expires_at,
        event.amount,
        event.amount,
        ahead=event.notice * DAY,
    )
    if event.scheduled:
        del account.upcoming[event.grant]
    if event.repaid:
        paid = pay(account, event.repaid)
        lot.available -= paid
        account.available -= paid
    insort(account.lots, lot, key=_burn_order)
    if event.allowance is None:
        account.sources[event.source] = event.grant
    else:  # a period gives by its own rule: its source is asked of by nobody
        standing.planned(account, event.allowance)
    account.granted += event.amount
    account.available += event.amount
    account.next_due = min(account.next_due, event.expires_at - lot.ahead)
    if event.kind is GrantKind.TOPUP:
        standing.topped_up(account, event)


def _reserved(account: Account, event: CreditsReserved) -> None:
    if event.parent is None:
        for part in event.slices:
            account.lot(part.grant).available -= part.amount
        account.available -= event.amount
        account.held += event.amount
    else:
        parent = account.reservations[event.parent]
        parent.kids += 1
        nesting.lend(parent, event.amount, event.slices)
    account.reservations[event.reservation] = Reservation(
        event.reservation,
        event.tool,
        event.amount,
        event.amount,
        event.slices,
        event.expires_at,
        event.min,
        0,
        event.parent,
        0,
        capping.reserved(account, event) if account.controls.caps else (),
        event.ceiling,
    )
    account.next_due = min(account.next_due, event.expires_at)


def _extended(account: Account, event: ReservationExtended) -> None:
    if event.parent is None:
        for part in event.slices:
            account.lot(part.grant).available -= part.amount
        account.available -= event.amount
        account.held += event.amount
    else:
        nesting.lend(account.reservations[event.parent], event.amount, event.slices)
    reservation = account.reservations[event.reservation]
    reservation.amount += event.amount
    reservation.held += event.amount
    reservation.slices = plus(reservation.slices, event.slices)
    reservation.expires_at = event.expires_at


def _charged(account: Account, event: CreditsCharged) -> None:
    amount = event.amount
    account.held -= amount
    account.spent += amount
    if event.windows is not None:
        _open(account, event.windows)
    account.day_spent += amount
    account.month_spent += amount
    if account.plan is not None:
        account.plan_spent += of_plan(account, event.slices)
    charge = account.charges[event.charge] = Charged(
        event.reservation,
        event.tool,
        amount,
        amount,
        event.slices,
        event.at,
        event.at + event.refund_days * DAY,
    )
    counts: tuple[str, ...] = ()
    if account.controls.caps and (counts := account.reservations[event.reservation].counts):
        capping.charged(account, event, counts)
    follow(account, event.charge, charge, counts)
    if event.final:
        if event.parent is not None:
            nesting.give_back(account, event.parent, event.released, event.rest)
        elif event.rest:
            account.held -= event.released
            back(account, event.rest, event.lost, event.repaid)
        _end(account, event.reservation, "charged", event.at)
    else:
        reservation = account.reservations[event.reservation]
        reservation.held -= amount
        reservation.charged += amount
        reservation.slices = minus(reservation.slices, event.slices)


def _released(account: Account, event: CreditsReleased) -> None:
    if event.parent is not None:
        nesting.give_back(account, event.parent, event.amount, event.slices)
    else:
        back(account, event.slices, event.lost, event.repaid)
        account.held -= event.amount
    if event.remainder:
        reservation = account.reservations[event.reservation]
        reservation.held -= event.amount
        reservation.slices = minus(reservation.slices, event.slices)
    else:
        _end(account, event.reservation, "released", event.at)


def _reservation_expired(account: Account, event: ReservationExpired) -> None:
    if event.parent is not None:
        nesting.give_back(account, event.parent, event.amount, event.slices)
    else:
        back(account, event.slices, event.lost, event.repaid)
        account.held -= event.amount
    _end(account, event.reservation, "expired", event.at)


def _revoked(account: Account, event: CreditsRevoked) -> None:
    lot = account.lot(event.grant)
    lot.available -= event.amount
    lot.gone += event.amount
    lot.revoked += event.amount + event.debt
    lot.owed += event.debt
    account.available -= event.amount
    account.revoked += event.amount
    if event.debt:
        account.debts[event.grant] = account.debts.get(event.grant, 0) + event.debt


def _refunded(account: Account, event: CreditsRefunded) -> None:
    for longer in event.extended:
        lot = account.lot(longer.grant)
        account.lots.remove(lot)
        lot.expires_at = longer.expires_at
        insort(account.lots, lot, key=_burn_order)
        account.next_due = min(account.next_due, longer.expires_at - lot.ahead)
    for part in event.slices:
        lot = account.lot(part.grant)
        lot.available += part.amount
        account.next_due = min(account.next_due, lot.expires_at - lot.ahead)
    charge = account.charges[event.charge]
    charge.left -= event.amount
    charge.slices = minus(charge.slices, event.slices)
    follow(account, event.charge, charge, ())
    account.available += event.amount
    account.spent -= event.amount
    if charge.at >= account.day.start:
        account.day_spent -= event.amount
        if account.plan_spent:
            came_back = of_plan(account, event.slices)
            account.plan_spent = max(0, account.plan_spent - came_back)
    if charge.at >= account.month.start:
        account.month_spent -= event.amount
    if event.repaid:
        take(account, event.repaid)
    if account.countable:
        capping.refunded(account, event, charge.at)


def _controls_changed(account: Account, event: ControlsChanged) -> None:
    account.controls = event.after
    if event.after.top_up != event.before.top_up:
        account.top_up_wait = account.top_up_declines = 0
    if account.crossed:
        standing.rules_changed(account, event.before, event.after)
    if account.counted or account.countable:
        capping.changed(account, event.after)
    if event.windows is not None:
        _open(account, event.windows)


def _open(account: Account, windows: Windows) -> None:
    """A window that starts anew counts from nothing; one that only ends elsewhere goes on."""
    if account.counted:
        capping.opened(account, windows)
    if windows.day.start != account.day.start:
        account.day_spent = account.plan_spent = 0
    if windows.month.start != account.month.start:
        account.month_spent = 0
    account.day, account.month = windows.day, windows.month


def _end(account: Account, reservation: str, how: str, at: Ms) -> None:
    gone = account.reservations.pop(reservation)
    if gone.kids or gone.parent is not None:
        nesting.ended(account, gone)
    account.ended[reservation] = Ended(how, at)


def _burn_order(lot: Lot) -> tuple[int, Ms, Ms, str]:
    return lot.burn_order


_REMEMBER: dict[type, Callable[..., None]] = {
    AccountFrozen: standing.frozen,
    AccountThawed: standing.thawed,
    ControlsChanged: _controls_changed,
    CreditsCharged: _charged,
    CreditsGranted: _granted,
    CreditsReceived: transfers.received,
    CreditsRefunded: _refunded,
    CreditsReleased: _released,
    CreditsReserved: _reserved,
    CreditsRevoked: _revoked,
    CreditsSent: transfers.sent,
    EstimateGiven: standing.estimated,
    GrantExpired: timed.lot_expired,
    ExpiryNoticeGiven: timed.told,
    GrantScheduled: timed.scheduled,
    PlanChanged: standing.plan_changed,
    ReservationExpired: _reservation_expired,
    ReservationExtended: _extended,
    ScheduleRevoked: timed.less_scheduled,
    ThresholdCrossed: standing.crossed,
    TopUpDue: standing.top_up_due,
    TopUpReported: topping.reported,
    TransferSettled: transfers.settled,
}
