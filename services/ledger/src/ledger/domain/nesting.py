"""Nested runs: a child takes its amount from what its parent holds, and gives its rest back there.

An account's held and available do not move when a child is made: the credits were held already. A
child lives no longer than its parent. When a parent ends first, its children go on, and what they
do not use goes back to the lots.
"""

from contracts.commands import Extend, Reserve
from contracts.events import AnyEvent, CreditsReserved, ReservationExtended
from contracts.header import Slice
from contracts.reasons import Reason
from contracts.units import Credits, Ms

from ledger.domain.account import Account, Reservation
from ledger.domain.admission import admit
from ledger.domain.capping import counts_of
from ledger.domain.refusal import Refusal, refused
from ledger.domain.slices import minus, plus, split

DEPTH_MAX = 8  # runs inside runs; each is looked at when one is added
_ENDED = {
    "charged": Reason.RESERVATION_ENDED,
    "released": Reason.RESERVATION_ENDED,
    "expired": Reason.RESERVATION_EXPIRED,
}


def parent_of(account: Account, named: str, now: Ms) -> Reservation | Refusal:
    """The open reservation that a new one is to be nested in."""
    parent = account.reservations.get(named)
    if parent is None or parent.expires_at <= now:
        ended = account.ended.get(named)
        if parent is not None:
            return Refusal(Reason.RESERVATION_EXPIRED, fields=("parent",))
        reason = Reason.RESERVATION_UNKNOWN if ended is None else _ENDED[ended.how]
        return Refusal(reason, fields=("parent",))
    depth, above = 1, parent
    while above.parent is not None:
        depth, above = depth + 1, account.reservations[above.parent]
    if depth >= DEPTH_MAX:
        return Refusal(Reason.PARENT_LIMIT, fields=("parent",))
    return parent


def returns_to(account: Account, held: Reservation, now: Ms) -> str | None:
    """The parent that a reservation's rest goes back to; None: to its lots."""
    if held.parent is None or account.reservations[held.parent].expires_at <= now:
        return None
    return held.parent


def reserve(
    command: Reserve, account: Account, held: CreditsReserved, until: Ms, now: Ms
) -> tuple[AnyEvent, ...]:
    """A part of what the parent holds; nothing leaves the account's lots."""
    parent = parent_of(account, command.parent or "", now)
    if isinstance(parent, Refusal):
        return refused(command, parent)
    counts = counts_of(command, account, parent)
    if (no := admit(account, held.amount, now, counts=counts, parent=parent)) is not None:
        return refused(command, no)
    held.slices, _ = split(parent.slices, held.amount)
    held.parent = parent.id
    held.expires_at = min(until, parent.expires_at)
    return (held,)


def extend(command: Extend, account: Account, held: Reservation, now: Ms) -> tuple[AnyEvent, ...]:
    """More of what the parent holds, and no longer than it."""
    parent = parent_of(account, held.parent or "", now)
    if isinstance(parent, Refusal):
        return refused(command, parent)
    more = command.amount
    no = admit(account, more, now, held.amount, counts=held.counts, parent=parent) if more else None
    if no is not None:
        return refused(command, no)
    slices, _ = split(parent.slices, more)
    expires_at = held.expires_at
    if command.lifetime_ms is not None:
        expires_at = max(expires_at, min(now + command.lifetime_ms, parent.expires_at))
    return (
        ReservationExtended(
            reservation=held.id,
            amount=more,
            slices=slices,
            expires_at=expires_at,
            parent=parent.id,
        ),
    )


# ---- part of evolve


def lend(parent: Reservation, amount: Credits, slices: tuple[Slice, ...]) -> None:
    """A child takes a part with it."""
    parent.amount -= amount
    parent.held -= amount
    parent.slices = minus(parent.slices, slices)


def give_back(account: Account, named: str, amount: Credits, slices: tuple[Slice, ...]) -> None:
    """What a child did not use is its parent's again."""
    parent = account.reservations[named]
    parent.amount += amount
    parent.held += amount
    parent.slices = plus(parent.slices, slices)


def ended(account: Account, gone: Reservation) -> None:
    """A reservation that was a parent or a child is no more."""
    if gone.parent is not None:
        account.reservations[gone.parent].kids -= 1
    if gone.kids:
        for held in account.reservations.values():
            if held.parent == gone.id:
                held.parent = None
