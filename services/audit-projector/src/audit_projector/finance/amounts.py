"""What each event moves, from its own fields: finance's fold, written apart from everyone else's.

    granted + received == available + held + spent + expired + revoked + sent

It is right when it agrees with the balance that each event states; `scrip verify` compares them.
"""

from collections.abc import Callable

from contracts.events import (
    AnyEvent,
    CreditsCharged,
    CreditsGranted,
    CreditsReceived,
    CreditsRefunded,
    CreditsReserved,
    ReservationExtended,
    Slice,
    TransferSettled,
)
from contracts.units import Credits
from msgspec import Struct


class Amounts(Struct):
    """The parts of what an account was ever given."""

    granted: Credits = 0
    received: Credits = 0
    available: Credits = 0
    held: Credits = 0
    spent: Credits = 0
    expired: Credits = 0
    revoked: Credits = 0
    sent: Credits = 0
    debt: Credits = 0  # owed of revoked grants: beside the sum, until something pays it

    def add(self, other: "Amounts") -> None:
        """Add another account's, or a move."""
        self.granted += other.granted
        self.received += other.received
        self.available += other.available
        self.held += other.held
        self.spent += other.spent
        self.expired += other.expired
        self.revoked += other.revoked
        self.sent += other.sent
        self.debt += other.debt

    @property
    def difference(self) -> Credits:
        """What came in less where it is now: 0, or credits appeared or vanished."""
        gone = self.spent + self.expired + self.revoked + self.sent
        return self.granted + self.received - self.available - self.held - gone


def moves(event: AnyEvent) -> Amounts | None:
    """The differences that an event makes; None when it moves nothing."""
    rule = _RULES.get(type(event).__name__)
    return None if rule is None else rule(event)


def _back(event: "_Returning") -> Amounts:
    if event.parent is not None:
        return Amounts()
    lost, paid = _sum(event.lost), _sum(event.repaid)
    return Amounts(
        available=event.amount - lost - paid,
        held=-event.amount,
        expired=lost,
        revoked=paid,
        debt=-paid,
    )


def _charged(event: CreditsCharged) -> Amounts:
    if event.parent is not None:  # the rest stays held, by the run that this one is a part of
        return Amounts(held=-event.amount, spent=event.amount)
    lost, paid, back = _sum(event.lost), _sum(event.repaid), _sum(event.rest)
    return Amounts(
        available=back - lost - paid,
        held=-event.amount - back,
        spent=event.amount,
        expired=lost,
        revoked=paid,
        debt=-paid,
    )


def _held(event: CreditsReserved | ReservationExtended) -> Amounts:
    """A part of what another reservation holds moves nothing."""
    if event.parent is not None:
        return Amounts()
    return Amounts(available=-event.amount, held=event.amount)


def _refunded(event: CreditsRefunded) -> Amounts:
    paid = _sum(event.repaid)
    return Amounts(available=event.amount - paid, spent=-event.amount, revoked=paid, debt=-paid)


def _granted(event: CreditsGranted) -> Amounts:
    paid = _sum(event.repaid)
    return Amounts(granted=event.amount, available=event.amount - paid, revoked=paid, debt=-paid)


def _received(event: CreditsReceived) -> Amounts:
    paid = _sum(event.repaid)
    return Amounts(received=event.amount, available=event.amount - paid, revoked=paid, debt=-paid)


def _settled(event: TransferSettled) -> Amounts:
    paid, back = _sum(event.repaid), event.returned
    return Amounts(available=back - paid, sent=-back, revoked=paid, debt=-paid)


def _sum(slices: tuple[Slice, ...]) -> Credits:
    return sum(part.amount for part in slices)


class _Returning(Struct):
    amount: Credits
    lost: tuple[Slice, ...]
    repaid: tuple[Slice, ...]
    parent: str | None


_RULES: dict[str, Callable[..., Amounts]] = {
    "CreditsGranted": _granted,
    "CreditsReceived": _received,
    "CreditsReserved": _held,
    "ReservationExtended": _held,
    "CreditsCharged": _charged,
    "CreditsReleased": _back,
    "ReservationExpired": _back,
    "CreditsRefunded": _refunded,
    "CreditsRevoked": lambda e: Amounts(available=-e.amount, revoked=e.amount, debt=e.debt),
    "GrantExpired": lambda e: Amounts(available=-e.amount, expired=e.amount),
    "CreditsSent": lambda e: Amounts(available=-e.amount, sent=e.amount),
    "TransferSettled": _settled,
}
