"""Everything that a batch touched, by its key, as one net change each."""

from contracts.events import CreditsSent, GrantScheduled, TransferSettled
from contracts.header import Allowance

from audit_projector.rows import (
    LotChange,
    NewLot,
    NewReservation,
    ReservationChange,
    Sums,
    Usage,
)

BUCKET_MS = 15 * 60_000  # every time zone's midnight is a whole number of these


class Touched:
    """Net changes per account, lot, reservation, usage bucket and settings."""

    __slots__ = (
        "completed",
        "controls",
        "freezes",
        "lot_changes",
        "lots",
        "plans",
        "reservation_changes",
        "reservations",
        "settled",
        "sums",
        "transfers",
        "upcoming",
        "upcoming_left",
        "usages",
    )

    def __init__(self) -> None:
        self.sums: dict[str, Sums] = {}
        self.lots: dict[tuple[str, str], NewLot] = {}
        self.lot_changes: dict[tuple[str, str], LotChange] = {}
        self.reservations: dict[tuple[str, str], NewReservation] = {}
        self.reservation_changes: dict[tuple[str, str], ReservationChange] = {}
        self.completed: list[tuple[str, str]] = []  # runs of tools, by account and reservation
        self.usages: dict[tuple[str, int, str], Usage] = {}
        self.controls: dict[str, tuple[bytes, int, int]] = {}
        self.plans: dict[str, tuple[Allowance, int, int]] = {}  # with version and time
        self.freezes: dict[tuple[str, str, str], int | None] = {}  # asked for when; None: no more
        self.transfers: list[CreditsSent] = []
        self.upcoming: dict[tuple[str, str], tuple[GrantScheduled, int]] = {}  # and what is left
        self.upcoming_left: dict[tuple[str, str], int] = {}
        self.settled: list[TransferSettled] = []

    def sum(self, account: str) -> Sums:
        """The sums of an account."""
        found = self.sums.get(account)
        if found is None:
            found = self.sums[account] = Sums()
        return found

    def lot(self, account: str, grant: str) -> NewLot | LotChange:
        """A lot, to add to."""
        key = account, grant
        found = self.lots.get(key) or self.lot_changes.get(key)
        if found is None:
            found = self.lot_changes[key] = LotChange()
        return found

    def reservation(
        self, account: str, reservation: str, version: int
    ) -> NewReservation | ReservationChange:
        """A reservation, to add to; an event of the account's `version` concerns it."""
        key = account, reservation
        found = self.reservations.get(key) or self.reservation_changes.get(key)
        if found is None:
            found = self.reservation_changes[key] = ReservationChange()
        found.last_version = version
        return found

    def usage(self, account: str, at: int, tool: str | None) -> Usage:
        """The usage bucket that an event of the time `at` counts in."""
        key = account, at - at % BUCKET_MS, tool or ""
        found = self.usages.get(key)
        if found is None:
            found = self.usages[key] = Usage()
        return found
