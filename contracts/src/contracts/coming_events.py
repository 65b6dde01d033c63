"""Events of what is to come: grants that begin later, and lots that end soon."""

from contracts.grants import CostBasis, GrantKind
from contracts.header import Event
from contracts.units import Credits, Id, Ms


class GrantScheduled(Event, kw_only=True):
    """A grant that begins later. It is nobody's until a `CreditsGranted` of its name makes it so.

    Its source has granted with this: it never grants again.
    """

    grant: Id
    kind: GrantKind
    source: Id
    amount: Credits
    priority: int
    effective_from: Ms
    expires_at: Ms
    cost_basis: CostBasis | None = None
    reason: Id | None = None
    approved_by: Id | None = None


class ScheduleRevoked(Event, kw_only=True):
    """Of a grant that has not begun `amount` will not come; `left` still will."""

    grant: Id
    amount: Credits
    left: Credits
    reason: Id
    approved_by: Id | None = None


class ExpiryNoticeGiven(Event, kw_only=True):
    """What is left of a lot will be lost at `expires_at`: the notice of so many `days` before.

    `following` is the days of its next notice, 0 if this was the last one.
    """

    grant: Id
    amount: Credits
    expires_at: Ms
    days: int
    following: int = 0
