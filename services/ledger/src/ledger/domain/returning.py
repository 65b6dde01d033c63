"""How an account remembers credits that come back, and debts that they pay. Part of evolve."""

from contracts.header import Slice
from contracts.units import Credits

from ledger.domain.account import Account


def back(
    account: Account,
    slices: tuple[Slice, ...],
    lost: tuple[Slice, ...],
    repaid: tuple[Slice, ...],
) -> None:
    """Held credits return to their lots, but for what their grant owed or was lost with its lot."""
    for part in slices:
        lot = account.lot(part.grant)
        lot.available += part.amount
        account.available += part.amount
        account.next_due = min(account.next_due, lot.expires_at - lot.ahead)
    for part in lost:
        lot = account.lot(part.grant)
        lot.available -= part.amount
        lot.gone += part.amount
        account.available -= part.amount
        account.expired += part.amount
    if repaid:
        take(account, repaid)


def take(account: Account, repaid: tuple[Slice, ...]) -> None:
    """What came back to a revoked grant's lot leaves it again: its debt is smaller by that."""
    account.available -= pay(account, repaid)
    for part in repaid:
        lot = account.lot(part.grant)
        lot.available -= part.amount
        lot.gone += part.amount
        lot.owed -= part.amount


def pay(account: Account, repaid: tuple[Slice, ...]) -> Credits:
    """Debts are smaller by what paid them; gives how much that was in all."""
    paid = 0
    for part in repaid:
        paid += part.amount
        if part.amount == account.debts[part.grant]:
            del account.debts[part.grant]
        else:
            account.debts[part.grant] -= part.amount
    account.revoked += paid
    return paid
