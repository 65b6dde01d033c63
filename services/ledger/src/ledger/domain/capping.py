"""Caps: what one key, member or tool may take of an account. Names, sums, and how they are kept.

A cap counts spent + held since it was set, in its window. Accounts without caps keep nothing.
A run looks only at the caps that it counts against, found by what it counts as.
"""

from functools import lru_cache

from contracts.caps import Cap, CapWindow
from contracts.commands import ActorKind, Controls, Estimate, Reserve
from contracts.events import CreditsCharged, CreditsRefunded, CreditsReserved
from contracts.header import Windows
from contracts.units import Credits
from msgspec import Struct

from ledger.domain.account import Account, Reservation

CAPS_MAX = 50  # each stands in the account and in every ControlsChanged
INDEXED_MAX = 4096  # sets of caps whose names are kept made: those of busy accounts, 2 kB each


class Placed(Struct, frozen=True, gc=False):
    """A cap, where it stands among the account's, and the names that it goes by."""

    place: int
    cap: Cap
    name: str  # what a run counts as
    slot: str  # where the account counts
    limit: str  # what answers call it


def names(key: str | None, member: str | None, tool: str | None) -> tuple[str, ...]:
    """What a run counts as, whatever caps there are."""
    found: tuple[str, ...] = () if key is None else ("key:" + key,)
    if member is not None:
        found = (*found, "member:" + member)
    return found if tool is None else (*found, "tool:" + tool)


def name_of(cap: Cap) -> str:
    """What a run counts as when this cap bounds it."""
    return cap.of + ":" + cap.id


def slot_of(cap: Cap) -> str:
    """Where the account counts for this cap."""
    return cap.window + ":" + cap.of + ":" + cap.id


def limit_of(cap: Cap) -> str:
    """What answers call this cap."""
    return cap.of + "_" + cap.window


def against(account: Account, counts: tuple[str, ...]) -> list[Placed]:
    """The caps that a run counts against, in the order in which the owner set them."""
    index = _index(account.controls.caps)
    found: list[Placed] = []
    names = 0
    for name in counts:
        if (placed := index.get(name)) is not None:
            found += placed
            names += 1
    if names > 1:
        found.sort(key=_place)
    return found


def placed_as(account: Account, name: str) -> tuple[Placed, ...]:
    """The caps of one key, member or tool."""
    return _index(account.controls.caps).get(name, ())


def held(account: Account, name: str) -> Credits:
    """What open reservations hold that count as this."""
    return sum([r.held for r in account.reservations.values() if name in r.counts])


def counts_of(
    command: Reserve | Estimate, account: Account, parent: Reservation | None
) -> tuple[str, ...]:
    """What a run counts as, for the caps; its key, member and tool, or else its parent's."""
    if not account.controls.caps:
        return ()
    key = command.key if isinstance(command, Reserve) else None
    if key is None and command.actor.kind is ActorKind.SERVICE:
        key = command.actor.id
    return names(key, command.member, command.tool) + (parent.counts if parent else ())


@lru_cache(maxsize=INDEXED_MAX)
def _index(caps: tuple[Cap, ...]) -> dict[str, tuple[Placed, ...]]:
    """Caps by what a run counts as; made once for a set of caps, whoever has it."""
    index: dict[str, tuple[Placed, ...]] = {}
    for place, cap in enumerate(caps):
        name = name_of(cap)
        placed = Placed(place, cap, name, slot_of(cap), limit_of(cap))
        index[name] = (*index.get(name, ()), placed)
    return index


def _place(placed: Placed) -> int:
    return placed.place


# ---- part of evolve


def reserved(account: Account, event: CreditsReserved) -> tuple[str, ...]:
    """What the new reservation counts as; asked only where the account has caps."""
    actor = event.actor
    key = event.key
    if key is None and actor is not None and actor.kind is ActorKind.SERVICE:
        key = actor.id
    counts = names(key, event.member, event.tool)
    if event.parent is not None:
        kept = account.reservations[event.parent].counts
        own = {name.partition(":")[0] for name in counts}
        counts += tuple(name for name in kept if name.partition(":")[0] not in own)
    return counts


def charged(account: Account, event: CreditsCharged, counts: tuple[str, ...]) -> None:
    """A charge of a reservation that counts as these."""
    account.countable[event.charge] = counts
    _add(account, counts, event.amount, since_day=True, since_month=True)


def refunded(account: Account, event: CreditsRefunded, charged_at: int) -> None:
    """A refund of a charge that counted."""
    counts = account.countable.get(event.charge, ())
    _add(
        account,
        counts,
        -event.amount,
        since_day=charged_at >= account.day.start,
        since_month=charged_at >= account.month.start,
    )


def opened(account: Account, windows: Windows) -> None:
    """New windows count from nothing."""
    day = windows.day.start != account.day.start
    month = windows.month.start != account.month.start
    for slot in list(account.counted):
        if (day and slot.startswith("day:")) or (month and slot.startswith("month:")):
            del account.counted[slot]


def changed(account: Account, after: Controls) -> None:
    """Caps that are no more are forgotten; new ones count from nothing."""
    kept = {slot_of(cap) for cap in after.caps}
    for slot in list(account.counted):
        if slot not in kept:
            del account.counted[slot]
    if not after.caps:
        account.countable.clear()


def _add(
    account: Account,
    counts: tuple[str, ...],
    amount: Credits,
    *,
    since_day: bool,
    since_month: bool,
) -> None:
    counted = account.counted
    for placed in against(account, counts):
        window = placed.cap.window
        if (window is CapWindow.DAY and not since_day) or (
            window is CapWindow.MONTH and not since_month
        ):
            continue
        counted[placed.slot] = max(0, counted.get(placed.slot, 0) + amount)
