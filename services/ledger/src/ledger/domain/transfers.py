"""How an account remembers transfers: sent and open, settled, arrived. Part of evolve.

What is open falls due a while after it was sent: the courier of a ledger that took over meanwhile
finds it by that and sends it on.
"""

from bisect import insort
from operator import attrgetter

from contracts.credit_events import lots_of
from contracts.events import CreditsReceived, CreditsSent, TransferSettled
from contracts.units import DAY, SECOND

from ledger.domain.account import Account, Lot, Transfer
from ledger.domain.returning import pay, take

AGAIN_MS = 30 * SECOND  # a transfer is settled within a second; later a command of it was lost
_burn_order = attrgetter("burn_order")


def arrival(sender: str, transfer: str) -> str:
    """What a receiver knows a transfer by: its sender named it."""
    return f"{sender} {transfer}"


def sent(account: Account, event: CreditsSent) -> None:
    """Credits are under way."""
    for part in event.slices:
        account.lot(part.grant).available -= part.amount
    account.available -= event.amount
    account.sent += event.amount
    account.transfers[event.transfer] = Transfer(
        event.to, event.amount, event.slices, event.parts, event.at
    )
    account.next_due = min(account.next_due, event.at + AGAIN_MS)


def received(account: Account, event: CreditsReceived) -> None:
    """Credits came, a lot for each part."""
    paid = pay(account, event.repaid)
    for number, (grant, part, left) in enumerate(lots_of(event)):
        lot = Lot(grant, part.kind, part.priority, event.at, part.expires_at, part.amount, left)
        lot.ahead = event.notices[number] * DAY if event.notices else 0
        insort(account.lots, lot, key=_burn_order)
        account.next_due = min(account.next_due, part.expires_at - lot.ahead)
    account.received += event.amount
    account.available += event.amount - paid
    account.arrived[arrival(event.sender, event.transfer)] = event.grant


def settled(account: Account, event: TransferSettled) -> None:
    """It is known what became of a transfer."""
    del account.transfers[event.transfer]
    account.settled[event.transfer] = event.returned
    for part in event.slices:
        lot = account.lot(part.grant)
        lot.available += part.amount
        account.next_due = min(account.next_due, lot.expires_at - lot.ahead)
    account.available += event.returned
    account.sent -= event.returned
    if event.repaid:
        take(account, event.repaid)
