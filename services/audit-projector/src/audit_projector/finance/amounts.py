"""What each event moves, from its own fields: finance's fold, written apart from everyone else's.

    granted + received == available + held + spent + expired + revoked + sent

It is right when it agrees with the balance that each event states; `scrip verify` compares them.
"""

from collections.abc import Callable

from contracts.events import AnyEvent, CreditsCharged, Slice
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
    lost = sum(part.amount for part in event.lost)
    return Amounts(available=event.amount - lost, held=-event.amount, expired=lost)


def _charged(event: CreditsCharged) -> Amounts:
    lost = sum(part.amount for part in event.lost)
    back = sum(part.amount for part in event.rest)
    return Amounts(
        available=back - lost,
        held=-event.amount - back,
        spent=event.amount,
        expired=lost,
    )


class _Returning(Struct):
    amount: Credits
    lost: tuple[Slice, ...]


_RULES: dict[str, Callable[..., Amounts]] = {
    "CreditsGranted": lambda e: Amounts(granted=e.amount, available=e.amount),
    "CreditsReceived": lambda e: Amounts(received=e.amount, available=e.amount),
    "CreditsReserved": lambda e: Amounts(available=-e.amount, held=e.amount),
    "ReservationExtended": lambda e: Amounts(available=-e.amount, held=e.amount),
    "CreditsCharged": _charged,
    "CreditsReleased": _back,
    "ReservationExpired": _back,
    "CreditsRefunded": lambda e: Amounts(available=e.amount, spent=-e.amount),
    "CreditsRevoked": lambda e: Amounts(available=-e.amount, revoked=e.amount),
    "GrantExpired": lambda e: Amounts(available=-e.amount, expired=e.amount),
    "CreditsSent": lambda e: Amounts(available=-e.amount, sent=e.amount),
    "TransferSettled": lambda e: Amounts(available=e.returned, sent=-e.returned),
}
