"""What must hold between accounts: a transfer arrives once or comes back, and credits stay as many.

Sums of one account are the auditor's; here its accounts are laid side by side.
"""

from collections.abc import Sequence

from contracts.commands import AnyCommand, Expire, Receive, Settle
from ledger.domain.transfers import arrival

from tests.simulation.auditor import Anomaly, Auditor


def carried(auditors: Sequence[Auditor], partition: int, command: AnyCommand) -> None:
    """The courier carries on only what the log says: raises Anomaly."""
    if isinstance(command, Expire):
        auditors[partition].emitted(command)
        return
    for auditor in auditors:
        auditor.follow()
    accounts = {name: one for auditor in auditors for name, one in auditor.accounts.items()}
    match command:
        case Receive():
            sender = accounts.get(command.sender)
            known = sender is not None and (
                command.transfer in sender.transfers or command.transfer in sender.settled
            )
        case Settle():
            arrived = {key for one in accounts.values() for key in one.arrived}
            known = (arrival(command.account, command.transfer) in arrived) == (
                command.returned == 0
            )
        case _:
            known = False
    if not known:
        raise Anomaly(f"FOLLOW-UP that follows from nothing: {command}")


def under_way(auditor: Auditor) -> str:
    """An account with a transfer that is not settled; empty when there is none."""
    return next((name for name, one in auditor.accounts.items() if one.transfers), "")


def arrived_once(auditors: Sequence[Auditor]) -> None:
    """Raises Anomaly; to be asked when nothing is under way."""
    accounts = [account for auditor in auditors for account in auditor.accounts.values()]
    arrived = sorted(key for account in accounts for key in account.arrived)
    stayed = sorted(
        f"{account.id} {transfer}"
        for account in accounts
        for transfer, returned in account.settled.items()
        if not returned
    )
    if arrived != stayed:
        raise Anomaly(f"TRANSFERS settled are {stayed}, arrived are {arrived}")
    sent, received = sum(a.sent for a in accounts), sum(a.received for a in accounts)
    if sent != received:
        raise Anomaly(f"TRANSFERS {sent} left, {received} arrived")
