"""How an account remembers what time does to grants: begin, near their end, end. Part of evolve."""

from contracts.events import ExpiryNoticeGiven, GrantExpired, GrantScheduled, ScheduleRevoked
from contracts.units import DAY

from ledger.domain.account import Account, Upcoming


def scheduled(account: Account, event: GrantScheduled) -> None:
    """A grant will begin; its source has granted."""
    account.sources[event.source] = event.grant
    account.upcoming[event.grant] = Upcoming(
        event.grant,
        event.kind,
        event.source,
        event.amount,
        event.priority,
        event.effective_from,
        event.expires_at,
        event.cost_basis,
        event.reason,
        event.approved_by,
    )
    account.next_due = min(account.next_due, event.effective_from)


def less_scheduled(account: Account, event: ScheduleRevoked) -> None:
    """Less will begin, or nothing."""
    if event.left:
        account.upcoming[event.grant].amount = event.left
    else:
        del account.upcoming[event.grant]


def told(account: Account, event: ExpiryNoticeGiven) -> None:
    """A notice was given; the following one is next."""
    account.lot(event.grant).ahead = event.following * DAY


def lot_expired(account: Account, event: GrantExpired) -> None:
    """What was left of a lot is lost."""
    lot = account.lot(event.grant)
    lot.available -= event.amount
    lot.gone += event.amount
    account.available -= event.amount
    account.expired += event.amount
