"""What the read models must say, worked out a second time, slowly and plainly, from the events.

Open reservations are kept one by one; ended ones only as sums per account, so that memory follows
what is alive and not what ever was.
"""

from typing import TypeAlias

from contracts.codec import encode
from contracts.credit_events import lots_of
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    AnyEvent,
    ControlsChanged,
    CreditsCharged,
    CreditsGranted,
    CreditsReceived,
    CreditsRefunded,
    CreditsReleased,
    CreditsReserved,
    GrantScheduled,
    PlanChanged,
    ReservationExpired,
    ReservationExtended,
    ScheduleRevoked,
    Slice,
    TransferSettled,
)
from contracts.units import Credits, Ms
from msgspec import Struct, field

from audit_projector.costs import counted_as
from audit_projector.finance.amounts import Amounts, moves
from audit_projector.finance.transfers import Transfers

QUARTER_MS = 15 * 60 * 1000

Key: TypeAlias = tuple[str, str]
Ended: TypeAlias = list[int]  # count, amount, charged, released
Used: TypeAlias = list[int]  # runs, completed, failed, charged, refunded


class Lot(Struct):
    """A grant and what is left of it."""

    amount: Credits
    available: Credits
    held: Credits
    expires_at: Ms | None


class Reservation(Struct):
    """An open reservation."""

    amount: Credits
    priced: tuple[str, str] | None = None  # the tool and the price version of a tool's run
    charged: Credits = 0
    released: Credits = 0

    @property
    def held(self) -> Credits:
        """What it still sets aside."""
        return self.amount - self.charged - self.released


class Account(Struct):
    """An account: its amounts, what its newest event states, and its entries."""

    amounts: Amounts = field(default_factory=Amounts)
    stated: tuple[int, int, int] = (0, 0, 0)
    version: int = 0
    version_gaps: int = 0
    misstated: int = 0
    at: Ms = 0
    moved_sum: Credits = 0
    seq_sum: int = 0


class Expected:
    """Feed it every counted event in order."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.lots: dict[Key, Lot] = {}
        self.open: dict[Key, Reservation] = {}
        self.ended: dict[Key, Ended] = {}  # (account, status)
        self.refunded: dict[str, Credits] = {}
        self.used: dict[tuple[str, int, str], Used] = {}
        self.controls: dict[str, bytes] = {}
        self.costs: dict[tuple[str, str, Credits], tuple[int]] = {}  # runs that cost so much
        self.plans: dict[str, tuple[str, int, int, int, int, int, int, int]] = {}
        self.freezes: dict[tuple[str, str, str], Ms] = {}
        self.transfers = Transfers()
        self.upcoming: dict[Key, tuple[Credits, Ms, Ms]] = {}  # what will begin, from when to when
        self.events = 0
        self.partition_events = 0

    def take(self, event: AnyEvent) -> None:
        """Add one event."""
        self.events += 1
        if not event.account:
            self.partition_events += 1
            return
        account = self.accounts.get(event.account)
        if account is None:
            account = self.accounts[event.account] = Account()
        account.version += 1
        account.version_gaps += event.version != account.version
        account.seq_sum += event.seq
        account.at = event.at
        if (move := moves(event)) is not None:
            account.amounts.add(move)
            account.moved_sum += move.available + move.held
        self._lots(event)
        if isinstance(event, CreditsGranted | PlanChanged) and (period := event.allowance):
            terms = period.plan, period.start, period.end, period.credits, period.day_limit
            self.plans[event.account] = (*terms, period.given, event.version, event.at)
        self._reservations(event)
        self.transfers.take(event)
        self._coming(event)
        self._states(account, event)

    def _states(self, account: Account, event: AnyEvent) -> None:
        if (said := event.balance) is not None:
            account.stated = said.available, said.held, said.spent
        sums = account.amounts
        account.misstated += account.stated != (sums.available, sums.held, sums.spent)

    def _lots(self, event: AnyEvent) -> None:
        name = event.account
        if isinstance(event, CreditsGranted):
            left = event.amount - sum(part.amount for part in event.repaid)
            self.lots[name, event.grant] = Lot(event.amount, left, 0, event.expires_at)
        elif isinstance(event, CreditsReceived):
            for grant, part, left in lots_of(event):
                self.lots[name, grant] = Lot(part.amount, left, 0, part.expires_at)
        elif isinstance(event, CreditsReserved | ReservationExtended):
            if event.parent is None:
                self._shift(name, event.slices, -1, 1)
        elif isinstance(event, CreditsCharged):
            self._shift(name, event.slices, 0, -1)
            if event.parent is None:
                self._shift(name, event.rest, 1, -1)
                self._shift(name, event.lost + event.repaid, -1, 0)
        elif isinstance(event, CreditsReleased | ReservationExpired):
            if event.parent is not None:
                return
            self._shift(name, event.slices, 1, -1)
            self._shift(name, event.lost + event.repaid, -1, 0)
        elif isinstance(event, CreditsRefunded):
            self._shift(name, event.slices, 1, 0)
            self._shift(name, event.repaid, -1, 0)
            for longer in event.extended:
                self.lots[name, longer.grant].expires_at = longer.expires_at
        elif isinstance(event, TransferSettled):
            self._shift(name, event.slices, 1, 0)
            self._shift(name, event.repaid, -1, 0)
        elif (move := moves(event)) is not None:
            if (named := getattr(event, "grant", None)) is not None:
                self.lots[name, named].available += move.available
            else:
                sign = 1 if move.available > 0 else -1
                self._shift(name, getattr(event, "slices", ()), sign, 0)

    def _shift(self, account: str, slices: tuple[Slice, ...], available: int, held: int) -> None:
        for part in slices:
            lot = self.lots[account, part.grant]
            lot.available += available * part.amount
            lot.held += held * part.amount

    def _reservations(self, event: AnyEvent) -> None:
        name = event.account
        self._nested(event)
        if isinstance(event, CreditsReserved):
            tool, price = event.tool, event.price_version
            priced = None if tool is None or price is None else (tool, price)
            self.open[name, event.reservation] = Reservation(event.amount, priced)
            self._use(event, 0, 1)
        elif isinstance(event, ReservationExtended):
            self.open[name, event.reservation].amount += event.amount
        elif isinstance(event, CreditsCharged):
            self.open[name, event.reservation].charged += event.amount
            self.open[name, event.reservation].released += event.released if event.rest else 0
            self._use(event, 3, event.amount)
            if event.final:
                if event.outcome == "completed":
                    self._cost(self.open[name, event.reservation])
                self._end(name, event.reservation, "charged")
                self._use(event, 1 if event.outcome == "completed" else 2, 1)
        elif isinstance(event, CreditsReleased):
            self.open[name, event.reservation].released += event.amount
            if not event.remainder:
                self._end(name, event.reservation, "released")
                self._use(event, 2, 1)
        elif isinstance(event, ReservationExpired):
            self.open[name, event.reservation].released += event.amount
            self._end(name, event.reservation, "expired")
            self._use(event, 2, 1)
        elif isinstance(event, CreditsRefunded):
            self._use(event, 4, event.amount)
            self.refunded[name] = self.refunded.get(name, 0) + event.amount
        elif isinstance(event, ControlsChanged):
            self.controls[name] = encode(event.after)
        elif isinstance(event, AccountFrozen):
            self.freezes[name, event.grant or "", event.reason] = event.at
        elif isinstance(event, AccountThawed):
            self.freezes.pop((name, event.grant or "", event.reason), None)

    def _coming(self, event: AnyEvent) -> None:
        """What begins later: by the events' own words, and nothing once it has begun."""
        if isinstance(event, GrantScheduled):
            times = event.effective_from, event.expires_at
            self.upcoming[event.account, event.grant] = event.amount, *times
        elif isinstance(event, ScheduleRevoked):
            before, begins, ends = self.upcoming[event.account, event.grant]
            self.upcoming[event.account, event.grant] = before - event.amount, begins, ends
        elif isinstance(event, CreditsGranted) and event.scheduled:
            _, begins, ends = self.upcoming[event.account, event.grant]
            self.upcoming[event.account, event.grant] = 0, begins, ends

    def _nested(self, event: AnyEvent) -> None:
        """A nested run takes a part of its parent's amount; what it did not use goes back."""
        parent: str | None = getattr(event, "parent", None)
        if parent is None:
            return
        above = self.open[event.account, parent]
        if isinstance(event, CreditsReserved | ReservationExtended):
            above.amount -= event.amount
        elif isinstance(event, CreditsCharged):
            above.amount += event.released
        elif isinstance(event, CreditsReleased | ReservationExpired):
            above.amount += event.amount

    def _cost(self, run: Reservation) -> None:
        if run.priced is not None:
            key = *run.priced, counted_as(run.charged)
            self.costs[key] = (self.costs.get(key, (0,))[0] + 1,)

    def _end(self, account: str, reservation: str, how: str) -> None:
        gone = self.open.pop((account, reservation))
        sums = self.ended.setdefault((account, how), [0, 0, 0, 0])
        for place, value in enumerate((1, gone.amount, gone.charged, gone.released)):
            sums[place] += value

    def _use(self, event: AnyEvent, place: int, value: int) -> None:
        tool: str | None = getattr(event, "tool", None)
        key = event.account, event.at // QUARTER_MS * QUARTER_MS, tool or ""
        self.used.setdefault(key, [0, 0, 0, 0, 0])[place] += value
