"""When something of an account is due by time: a hold, a lot, a grant to come, a plan's period."""

from contracts.units import FOREVER, Ms

from ledger.domain.account import Account
from ledger.domain.transfers import AGAIN_MS


def next_end(account: Account) -> Ms:
    """When the next one ends, begins or is to be told of; FOREVER if none is."""
    due = min((r.expires_at for r in account.reservations.values()), default=FOREVER)
    for lot in account.lots:
        if lot.available and lot.expires_at - lot.ahead < due:
            due = lot.expires_at - lot.ahead
    for coming in account.upcoming.values():
        due = min(due, coming.effective_from)
    if (plan := account.plan) is not None and plan.renews and plan.end < due:
        due = plan.end
    return due


def next_due(account: Account) -> Ms:
    """When the next one ends, or an open transfer has to be looked after."""
    due = next_end(account)
    for transfer in account.transfers.values():
        due = min(due, transfer.at + AGAIN_MS)
    return due
