"""What follows from a command of a transfer: sent, so receive it; received or not, so settle it.

The ids are made of the transfer, so what is sent again is the same command again. What is asked is
the state, not the answer: also a command that came twice, or whose first answer is forgotten, is
followed by the one true end.
"""

from hashlib import blake2b

from contracts.commands import Actor, ActorKind, AnyCommand, Receive, Send, Settle

from ledger.domain.account import Account, Transfer
from ledger.domain.permissions import may
from ledger.domain.transfers import arrival

COURIER = Actor(ActorKind.COURIER, "courier")


def follow_up(decided: AnyCommand, account: Account) -> AnyCommand | None:
    """The command that a decided one asks for; None when nothing does, or it is done."""
    match decided:
        case Send():
            sent = account.transfers.get(decided.transfer)
            return None if sent is None else receive(account.id, decided.transfer, sent)
        case Receive() if may(decided):  # nobody else closes a transfer by asking for one
            came = arrival(decided.sender, decided.transfer) in account.arrived
            return _settle(decided, 0 if came else decided.amount)
        case _:
            return None


def receive(sender: str, transfer: str, sent: Transfer) -> Receive:
    """The command that brings a transfer to its receiver."""
    return Receive(
        id="receive-" + _print(sender, transfer),
        account=sent.to,
        actor=COURIER,
        sender=sender,
        amount=sent.amount,
        transfer=transfer,
        parts=sent.parts,
    )


def _settle(received: Receive, returned: int) -> Settle:
    return Settle(
        id=("return-" if returned else "settle-") + _print(received.sender, received.transfer),
        account=received.sender,
        actor=COURIER,
        transfer=received.transfer,
        returned=returned,
    )


def _print(sender: str, transfer: str) -> str:
    return blake2b(f"{sender} {transfer}".encode(), digest_size=20).hexdigest()
