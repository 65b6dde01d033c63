"""How credits move between lots, in rows: what several of the projection's rules share."""

from collections.abc import Iterable

from contracts.events import (
    AnyEvent,
    CreditsCharged,
    CreditsGranted,
    CreditsReceived,
    CreditsRefunded,
    CreditsReleased,
    ReservationExpired,
    Slice,
    TransferSettled,
)

from audit_projector.touched import Touched


def move(
    touched: Touched, account: str, slices: Iterable[Slice], *, available: int, held: int
) -> None:
    """Slices leave or enter what is available or held of their lots."""
    for part in slices:
        lot = touched.lot(account, part.grant)
        lot.available += available * part.amount
        lot.held += held * part.amount


def lend(touched: Touched, event: AnyEvent, parent: str, amount: int) -> None:
    """A nested run takes a part of its parent's amount, or brings it back."""
    row = touched.reservation(event.account, parent, event.version)
    row.amount -= amount
    row.held -= amount


def back(
    touched: Touched,
    event: CreditsCharged | CreditsReleased | ReservationExpired,
    slices: Iterable[Slice],
) -> int:
    """Held credits return to their lots; what is lost or pays a debt leaves at once: how much.

    Those of a nested run return to its parent, and the lots see nothing of it.
    """
    account = event.account
    if event.parent is not None:
        lend(touched, event, event.parent, -sum(part.amount for part in slices))
        return 0
    move(touched, account, slices, available=1, held=-1)
    if not (event.lost or event.repaid):
        return 0
    move(touched, account, event.lost, available=-1, held=0)
    move(touched, account, event.repaid, available=-1, held=0)
    gone = sum(part.amount for part in event.lost)
    touched.sum(account).expired += gone
    return gone + paid(touched, event)


def paid(
    touched: Touched,
    event: CreditsGranted
    | CreditsReceived
    | CreditsCharged
    | CreditsReleased
    | CreditsRefunded
    | ReservationExpired
    | TransferSettled,
) -> int:
    """What of an event's credits paid debts of revoked grants."""
    if not event.repaid:
        return 0
    amount = sum(part.amount for part in event.repaid)
    sums = touched.sum(event.account)
    sums.revoked += amount
    sums.debt -= amount
    return amount
