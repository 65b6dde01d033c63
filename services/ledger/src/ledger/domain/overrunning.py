"""What a charge by usage takes: failed runs by their tool's policy, and what passes the hold.

A tool that holds only what it typically costs may cost more, up to the reservation's ceiling. What
passes the hold is drawn at the charge, as far as limits and credits allow; nobody is overdrawn, and
what is missing then is the charge's overrun.
"""

from contracts.catalogue import Catalogue, FailurePolicy
from contracts.commands import Charge
from contracts.events import ReservationExtended, Slice
from contracts.pricing import price
from contracts.reasons import Outcome
from contracts.units import Credits, Ms

from ledger.domain.account import Account, Reservation
from ledger.domain.admission import admit, bounds
from ledger.domain.freezing import WHOLE, usable
from ledger.domain.reserving import SLICES_MAX, draw
from ledger.domain.slices import split


def priced(command: Charge, held: Reservation, catalogue: Catalogue) -> Credits:
    """What the usage so far costs, less what was charged; a failed run by its tool's policy."""
    used = command.usage
    if used is None:
        return 0
    if command.outcome is not Outcome.COMPLETED and held.tool is not None:
        tool = catalogue.tools.get(held.tool)
        policy = FailurePolicy.FREE if tool is None else tool.failure_policy
        if policy is FailurePolicy.FREE:
            return 0
        if policy is FailurePolicy.MINIMUM:
            return max(0, held.min - held.charged)
    high = held.ceiling or held.amount
    return max(0, price(used, held.min, high, catalogue) - held.charged)


def more(account: Account, held: Reservation, missing: Credits, now: Ms) -> ReservationExtended:
    """As much of what the hold lacks as limits and credits give; its amount may be nothing."""
    parent = None if held.parent is None else account.reservations[held.parent]
    if parent is not None:
        amount = min(missing, parent.held)
        slices, _ = split(parent.slices, amount)
    else:
        amount = min(missing, _room(account, held, missing, now))
        slices, short = draw(account, amount, now) if amount else ((), 0)
        amount -= short
        if len(held.slices) + len(slices) > SLICES_MAX:
            amount, slices = 0, ()
    return ReservationExtended(
        reservation=held.id,
        amount=amount,
        slices=_exact(slices, amount),
        expires_at=held.expires_at,
        parent=held.parent,
    )


def _room(account: Account, held: Reservation, missing: Credits, now: Ms) -> Credits:
    if account.freezes and WHOLE in account.freezes:
        return 0
    if admit(account, missing, now, held.amount, counts=held.counts) is None:
        return missing
    met = bounds(account, missing, now, held.amount, counts=held.counts)
    lefts = [bound.limit - bound.used - bound.held for bound in met]
    return max(0, min([usable(account), *lefts]))


def _exact(slices: tuple[Slice, ...], amount: Credits) -> tuple[Slice, ...]:
    first, _ = split(slices, amount)
    return first
