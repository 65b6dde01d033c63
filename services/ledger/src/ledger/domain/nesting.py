"""Nested runs: a child takes its amount from what its parent holds, and gives its rest back there.

An account's held and available do not move when a child is made: the credits were held already. A
child lives no longer than its parent. When a parent ends first, its children go on, and what they
do not use goes back to the lots.
"""

from contracts.header import Slice
from contracts.reasons import Reason
from contracts.units import Credits, Ms

from ledger.domain.account import Account, Reservation
from ledger.domain.refusal import Refusal
from ledger.domain.slices import minus, plus

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
