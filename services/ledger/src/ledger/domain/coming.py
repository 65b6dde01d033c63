"""What comes by time beside ends: grants that begin, and the notices before a lot is lost.

A grant for later is told of and remembered; when its time has come, whatever touches the account
first makes a lot of it, as if it were given then: it pays debts first. Its owner is told 30 days, 7
days and 1 day before a lot ends, once each, while something is in it. A plan's allowance ends with
its period by rule and is followed by the next one: of that nobody is told.
"""

from contracts.commands import Grant, GrantKind
from contracts.events import CreditsGranted, ExpiryNoticeGiven, GrantExpired, GrantScheduled, Slice
from contracts.units import DAY, Credits, Ms

from ledger.domain.account import Account, Upcoming
from ledger.domain.slices import EVENT_BYTES, SLICE_BYTES

NOTICE_DAYS = (30, 7, 1)  # to plan with, to act on, the last chance
DEBTS_PAID_MAX = 100  # debts that one of them pays: it may stand beside all else that is due
_UNTOLD = frozenset({GrantKind.PLAN})


def scheduled(command: Grant, priority: int) -> GrantScheduled:
    """A grant for later."""
    return GrantScheduled(
        grant=command.id,
        kind=command.kind,
        source=command.source,
        amount=command.amount,
        priority=priority,
        effective_from=command.effective_from,
        expires_at=command.expires_at,
        cost_basis=command.cost_basis,
        reason=command.reason,
        approved_by=command.approved_by,
    )


def first_notice(kind: GrantKind, begins: Ms, ends: Ms) -> int:
    """How many days before its end is told of a lot first: only what lies after its beginning."""
    if kind in _UNTOLD:
        return 0
    return next((days for days in NOTICE_DAYS if begins < ends - days * DAY), 0)


def begun(
    account: Account, now: Ms, debts: dict[str, Credits], room: int, *, first: bool
) -> tuple[list[CreditsGranted | GrantExpired], int]:
    """Grants whose time has come, the earliest first, and what of `room`, in bytes, they leave.

    `debts` is told what they pay. The `first` of a batch has room always.
    """
    if not account.upcoming:
        return [], room
    events: list[CreditsGranted | GrantExpired] = []
    due = (coming for coming in account.upcoming.values() if coming.effective_from <= now)
    for coming in sorted(due, key=lambda c: (c.effective_from, c.grant)):
        room -= 2 * EVENT_BYTES + SLICE_BYTES * min(len(debts), DEBTS_PAID_MAX)
        if room < 0 and (events or not first):
            break
        given = _begins(coming, debts)
        events.append(given)
        left = given.amount - sum(part.amount for part in given.repaid)
        if coming.expires_at <= now and left:  # nobody came by while it was there
            events.append(GrantExpired(grant=given.grant, amount=left))
    return events, max(0, room)


def notices(account: Account, now: Ms, most: int) -> list[ExpiryNoticeGiven]:
    """What is to be told of lots that end soon; of several that were missed the nearest only."""
    found: list[ExpiryNoticeGiven] = []
    for lot in account.lots:
        if not lot.ahead or not lot.available or not lot.expires_at - lot.ahead <= now:
            continue
        left = lot.expires_at - now
        if left <= 0 or len(found) >= most:
            continue
        passed = [days for days in NOTICE_DAYS if left <= days * DAY <= lot.ahead]
        days = min(passed, default=lot.ahead // DAY)
        following = max((later for later in NOTICE_DAYS if later < days), default=0)
        found.append(
            ExpiryNoticeGiven(
                grant=lot.grant,
                amount=lot.available,
                expires_at=lot.expires_at,
                days=days,
                following=following,
            )
        )
    return found


def _begins(coming: Upcoming, debts: dict[str, Credits]) -> CreditsGranted:
    return CreditsGranted(
        grant=coming.grant,
        kind=coming.kind,
        source=coming.source,
        amount=coming.amount,
        priority=coming.priority,
        effective_from=coming.effective_from,
        expires_at=coming.expires_at,
        cost_basis=coming.cost_basis,
        repaid=_paid_first(debts, coming.amount),
        reason=coming.reason,
        approved_by=coming.approved_by,
        scheduled=True,
        notice=first_notice(coming.kind, coming.effective_from, coming.expires_at),
    )


def _paid_first(debts: dict[str, Credits], amount: Credits) -> tuple[Slice, ...]:
    paid: list[Slice] = []
    for grant, owed in list(debts.items()):
        if not amount or len(paid) == DEBTS_PAID_MAX:
            break
        if take := min(owed, amount):
            paid.append(Slice(grant, take))
            debts[grant] = owed - take
            amount -= take
    return tuple(paid)
