"""What a batch of events does to the read models, net: one row per thing it touched.

A `New…` row did not exist before the batch; a `…Change` is added to the row that is there. Amounts
in changes are differences, everything else is the newest value, None where it stays.
"""

from contracts.events import CreditsReserved
from msgspec import Struct


class NewLot(Struct, gc=False):
    """A lot that the batch made."""

    kind: str
    priority: int
    amount: int
    available: int
    effective_from_ms: int
    expires_at_ms: int | None
    source: str
    version: int
    created_at_ms: int
    held: int = 0


class LotChange(Struct, gc=False):
    """What moved in a lot that was there before."""

    available: int = 0
    held: int = 0
    expires_at_ms: int | None = None


class NewReservation(Struct, gc=False):
    """A reservation that the batch made: the event that made it, and what came of it since."""

    made: CreditsReserved
    amount: int
    held: int
    expires_at_ms: int | None
    last_version: int
    charged: int = 0
    released: int = 0
    refunded: int = 0
    overrun: int = 0
    status: str | None = "open"
    outcome: str | None = None
    ended_at_ms: int | None = None


class ReservationChange(Struct, gc=False):
    """What happened to a reservation that was there before."""

    last_version: int = 0
    amount: int = 0
    held: int = 0
    charged: int = 0
    released: int = 0
    refunded: int = 0
    overrun: int = 0
    status: str | None = None
    outcome: str | None = None
    expires_at_ms: int | None = None
    ended_at_ms: int | None = None


class Sums(Struct, gc=False):
    """What came into an account and left it, beside what runs spent."""

    granted: int = 0
    received: int = 0
    expired: int = 0
    revoked: int = 0
    sent: int = 0
    debt: int = 0


class Usage(Struct, gc=False):
    """Runs and credits of one account, quarter of an hour and tool."""

    runs: int = 0
    completed: int = 0
    failed: int = 0
    charged: int = 0
    refunded: int = 0
