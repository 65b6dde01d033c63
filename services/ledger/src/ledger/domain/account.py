"""An account as the ledger remembers it: everything that a rule may ask, nothing else.

    granted + received == available + held + spent + expired + revoked + sent     always
    a lot's amount     == available + gone + what is held or spent of it           always

What was spent of a grant that is revoked is a debt under the grant's name: owed beside these sums,
and `revoked` once it is paid.

`available` is what lots hold, `held` what open reservations hold; a reservation names the slices of
the lots it drew, so that charge, release and refund go back the very same way.
"""

from contracts.commands import Controls, GrantKind, Limits
from contracts.grants import CostBasis, Part
from contracts.header import Allowance, Slice, Window
from contracts.history import Basis
from contracts.units import FOREVER, Credits, Ms
from msgspec import Struct, field


class Lot(Struct, gc=False, array_like=True):
    """What is left of one grant."""

    grant: str
    kind: GrantKind
    priority: int
    effective_from: Ms
    expires_at: Ms
    amount: Credits
    available: Credits
    gone: Credits = 0  # expired, or taken by a revoke
    revoked: Credits = 0  # asked back so far, taken or owed
    owed: Credits = 0  # of what is held or spent: made a debt, paid since or not
    ahead: Ms = 0  # how long before its end its owner is told next; 0: no more

    @property
    def burn_order(self) -> tuple[int, Ms, Ms, str]:
        """Priority first, then the soonest to expire, then the oldest."""
        return (self.priority, self.expires_at, self.effective_from, self.grant)


class Reservation(Struct, gc=False, array_like=True):
    """An open reservation: what it still holds, of which lots, until when.

    A nested one took its amount from its `parent`; `kids` of a parent are open. `counts` names the
    caps that it counts against, and is empty where the account has none.
    """

    id: str
    tool: str | None
    amount: Credits
    held: Credits
    slices: tuple[Slice, ...]
    expires_at: Ms
    min: Credits
    charged: Credits = 0
    parent: str | None = None
    kids: int = 0
    counts: tuple[str, ...] = ()
    ceiling: Credits = 0  # where more may be charged than is held


class Charged(Struct, gc=False, array_like=True):
    """A charge that can be refunded: what is left of it, of which lots."""

    reservation: str
    tool: str | None
    amount: Credits
    left: Credits
    slices: tuple[Slice, ...]
    at: Ms
    refundable_until: Ms


class Ended(Struct, gc=False, array_like=True):
    """How and when a reservation ended: "charged", "released" or "expired"."""

    how: str
    at: Ms


class Estimated(Struct, gc=False, array_like=True):
    """A price that is honoured while it is valid."""

    tool: str
    limits: Limits
    min: Credits
    typical: Credits
    max: Credits
    price_version: str
    valid_until: Ms
    basis: Basis | None = None


class Transfer(Struct, gc=False, array_like=True):
    """Credits under way to another account, until it is known what became of them."""

    to: str
    amount: Credits
    slices: tuple[Slice, ...]
    parts: tuple[Part, ...]
    at: Ms


class Upcoming(Struct, gc=False, array_like=True):
    """A grant that begins later: nothing of it is owned until then."""

    grant: str
    kind: GrantKind
    source: str
    amount: Credits
    priority: int
    effective_from: Ms
    expires_at: Ms
    cost_basis: CostBasis | None
    reason: str | None
    approved_by: str | None


class Account(Struct, array_like=True):
    """One account. Mutable: only `evolve` changes it."""

    id: str
    version: int = 0
    granted: Credits = 0
    received: Credits = 0
    available: Credits = 0
    held: Credits = 0
    spent: Credits = 0
    expired: Credits = 0
    revoked: Credits = 0
    sent: Credits = 0
    next_due: Ms = FOREVER  # nothing is due before; may be early, never late
    day: Window = Window(0, 0)
    day_spent: Credits = 0
    month: Window = Window(0, 0)
    month_spent: Credits = 0
    controls: Controls = Controls()
    lots: list[Lot] = field(default_factory=list)  # in burn-down order
    reservations: dict[str, Reservation] = field(default_factory=dict)
    charges: dict[str, Charged] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # source -> its grant, for ever
    ended: dict[str, Ended] = field(default_factory=dict)
    estimates: dict[str, Estimated] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)  # command id -> its answer, 25 h
    answers_since: Ms = FOREVER
    freezes: dict[str, list[str]] = field(default_factory=dict)  # grant, "" for all -> reasons
    debts: dict[str, Credits] = field(default_factory=dict)  # revoked grant -> still owed
    crossed: dict[str, tuple[Ms, int]] = field(default_factory=dict)  # limit -> window end, percent
    top_up_since: Ms = 0  # when the top-up that is under way fell due
    top_ups: list[tuple[Ms, int]] = field(default_factory=list)  # of a month: when, what it cost
    top_up_declines: int = 0  # in a row
    top_up_wait: Ms = 0  # no top-up is due before; FOREVER: paused
    counted: dict[str, Credits] = field(default_factory=dict)  # cap -> spent in its window
    countable: dict[str, tuple[str, ...]] = field(default_factory=dict)  # charge -> what it counts
    plan: Allowance | None = None
    plan_spent: Credits = 0  # of the plan's credits, in `day`
    trail: int = 0  # a running checksum of every charge: see ledger.domain.trail
    transfers: dict[str, Transfer] = field(default_factory=dict)  # sent, and not settled yet
    settled: dict[str, Credits] = field(default_factory=dict)  # transfer -> came back, for ever
    arrived: dict[str, str] = field(default_factory=dict)  # a sender's transfer -> its grant
    upcoming: dict[str, Upcoming] = field(default_factory=dict)  # by grant, until they begin

    def lot(self, grant: str) -> Lot:
        """The lot of a grant."""
        for lot in self.lots:
            if lot.grant == grant:
                return lot
        raise KeyError(grant)
