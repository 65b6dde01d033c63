"""Events that price, hold, move or end credits. All amounts in smallest credit units."""

from contracts.commands import CostBasis, GrantKind, Limits, Usage
from contracts.grants import Part
from contracts.header import Allowance, Event, Extension, LimitStatus, Slice, Windows
from contracts.history import Basis
from contracts.pricing import LineItem
from contracts.reasons import Outcome, Reason
from contracts.units import REFUND_DAYS, Credits, Id, Ms


class EstimateGiven(Event, kw_only=True):
    """A price range, honoured until `valid_until`; whether the run would be allowed now.

    `limit` is the one that bound, or the nearest; `chain` every limit that the run would meet, in
    the order in which they are asked. `basis` is what `typical` was taken from: the figures of past
    runs as they were; without one it is the price rule's.
    """

    estimate: Id
    tool: Id
    limits: Limits
    min: Credits
    typical: Credits
    max: Credits
    items: tuple[LineItem, ...]
    price_version: str
    valid_until: Ms
    allowed: bool
    reason: Reason | None = None
    limit: LimitStatus | None = None
    chain: tuple[LimitStatus, ...] = ()
    basis: Basis | None = None


class CreditsReserved(Event, kw_only=True):
    """Credits are set aside. Charges of this reservation are at least `min`, at most `amount`.

    With a `parent` they are a part of what that reservation holds, which holds less by as much.
    A `ceiling` stands where less is held than the run may cost: charges may go up to that.
    `basis` is what `typical` was taken from, as in the estimate.
    """

    reservation: Id
    amount: Credits
    slices: tuple[Slice, ...]
    expires_at: Ms
    min: Credits = 0
    typical: Credits | None = None
    tool: Id | None = None
    limits: Limits | None = None
    price_version: str | None = None
    estimate: Id | None = None
    parent: Id | None = None
    key: Id | None = None
    member: Id | None = None
    ceiling: Credits = 0
    basis: Basis | None = None


class ReservationExtended(Event, kw_only=True):
    """A reservation holds more, or longer; with a `parent` more of what that one holds."""

    reservation: Id
    amount: Credits
    slices: tuple[Slice, ...]
    expires_at: Ms
    parent: Id | None = None


class CreditsCharged(Event, kw_only=True):
    """Taken from a reservation. `final` ended it: what was left, `released`, went back.

    `rest` is the slices of `released`; `lost` the part of them whose lot expired meanwhile: it
    left, and did not come back. `repaid` the part of them whose grant was revoked meanwhile: it
    paid that debt. `windows` is there on the first charge of a new day or month.
    `refund_days` is how long it can be refunded, by the rule of its day.
    """

    reservation: Id
    charge: Id
    amount: Credits
    slices: tuple[Slice, ...]
    outcome: Outcome
    final: bool
    released: Credits = 0
    overrun: Credits = 0
    tool: Id | None = None
    usage: Usage | None = None
    price_version: str | None = None
    windows: Windows | None = None
    rest: tuple[Slice, ...] = ()
    lost: tuple[Slice, ...] = ()
    repaid: tuple[Slice, ...] = ()
    parent: Id | None = None
    refund_days: int = REFUND_DAYS


class CreditsReleased(Event, kw_only=True):
    """Held credits went back: the run ended and cost nothing. `lost` and `repaid` as above.

    `remainder` stands in logs of the first versions only: the rest of a final charge, written
    before a CreditsCharged without `rest`. It is read for ever and written no more.
    """

    reservation: Id
    amount: Credits
    slices: tuple[Slice, ...]
    outcome: Outcome
    remainder: bool = False
    lost: tuple[Slice, ...] = ()
    tool: Id | None = None
    repaid: tuple[Slice, ...] = ()
    parent: Id | None = None


class CreditsRefunded(Event, kw_only=True):
    """What was charged came back to the lots it was drawn from; `repaid` as above."""

    refund: Id
    charge: Id
    reservation: Id
    amount: Credits
    slices: tuple[Slice, ...]
    reason: Id
    extended: tuple[Extension, ...] = ()
    tool: Id | None = None
    repaid: tuple[Slice, ...] = ()
    approved_by: Id | None = None


class CreditsGranted(Event, kw_only=True):
    """A new lot, named by the grant. `repaid` says which debts it paid first, by their grants.

    `allowance` when a plan gave it: the period that it is for. `scheduled` when it was told of
    before, and begins with this. `notice` is how many days before its end its owner is told.
    """

    grant: Id
    kind: GrantKind
    source: Id
    amount: Credits
    priority: int
    effective_from: Ms
    expires_at: Ms
    cost_basis: CostBasis | None = None
    repaid: tuple[Slice, ...] = ()
    reason: Id | None = None
    approved_by: Id | None = None
    allowance: Allowance | None = None
    scheduled: bool = False
    notice: int = 0


class CreditsRevoked(Event, kw_only=True):
    """`amount` of what was left of a grant is gone; `debt` is what had been spent or held of it."""

    grant: Id
    amount: Credits
    debt: Credits
    reason: Id
    approved_by: Id | None = None


class ReservationExpired(Event, kw_only=True):
    """A reservation outlived its time; its credits went back. `lost` and `repaid` as above."""

    reservation: Id
    amount: Credits
    slices: tuple[Slice, ...]
    lost: tuple[Slice, ...] = ()
    tool: Id | None = None
    repaid: tuple[Slice, ...] = ()
    parent: Id | None = None


class GrantExpired(Event, kw_only=True):
    """Credits of a lot were lost to time."""

    grant: Id
    amount: Credits


class CreditsSent(Event, kw_only=True):
    """Credits left for another account; the transfer stays open until it is settled."""

    transfer: Id
    to: Id
    amount: Credits
    slices: tuple[Slice, ...]
    parts: tuple[Part, ...] = ()


class CreditsReceived(Event, kw_only=True):
    """Credits came from another account: a lot for each part, named by `lots_of`.

    `repaid` of them paid debts first, out of the first lots. `notices` are for each lot the days
    before its end at which its owner is told.
    """

    transfer: Id
    sender: Id
    grant: Id
    amount: Credits
    parts: tuple[Part, ...] = ()
    repaid: tuple[Slice, ...] = ()
    notices: tuple[int, ...] = ()


class TransferSettled(Event, kw_only=True):
    """The receiver's answer is known; `returned` came back, and `repaid` of it paid debts."""

    transfer: Id
    returned: Credits
    slices: tuple[Slice, ...] = ()
    repaid: tuple[Slice, ...] = ()


def lots_of(event: CreditsReceived) -> tuple[tuple[str, Part, Credits], ...]:
    """The lots that were received: the grant each is named by, its part, what debts left of it."""
    owed = sum(part.amount for part in event.repaid)
    lots = []
    for number, part in enumerate(event.parts):
        paid = min(owed, part.amount)
        owed -= paid
        name = f"{event.grant}-{number}" if number else event.grant
        lots.append((name, part, part.amount - paid))
    return tuple(lots)
