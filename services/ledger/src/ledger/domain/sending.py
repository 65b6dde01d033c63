"""Send, Receive and Settle: credits move to another account, once, or come back.

    sender    Send    -> CreditsSent      the credits are out of the account; the transfer is open
    receiver  Receive -> CreditsReceived  a lot for each part, or a refusal
    sender    Settle  -> TransferSettled  closed; refused by the receiver: back in the very lots

The two last are the courier's, sent again until the transfer is settled. Both sides remember a
transfer for ever, so however often and however late one comes again, it moves nothing twice.
What was sent stays spent of its lot: if that grant is revoked, it is owed by the sender.
"""

from contracts.commands import GrantKind, Receive, Send, Settle
from contracts.events import AnyEvent, CreditsReceived, CreditsSent, Slice, TransferSettled
from contracts.grants import Part
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, ANONYMOUS, FOREVER, Credits, Ms

from ledger.domain.account import Account, Lot
from ledger.domain.coming import first_notice
from ledger.domain.freezing import WHOLE
from ledger.domain.owning import DEBTS_PAID_MAX, PRIORITY, PRIORITY_MAX
from ledger.domain.refusal import Refusal, refused
from ledger.domain.revoking import paid_back, paid_first
from ledger.domain.transfers import arrival

PARTS_MAX = 100  # kinds and expiries of one transfer: 10 kB in each of its commands and events
SLICES_MAX = 1_000  # lots of one transfer, as of one hold
_STAYS = frozenset({GrantKind.PLAN})  # a period's allowance is for whoever has the plan
_GIVEN = frozenset({GrantKind.PAID, GrantKind.TOPUP})  # nobody paid for them where they arrive


def send(command: Send, account: Account, now: Ms) -> tuple[AnyEvent, ...]:
    """Take credits out, in burn-down order, each with its own expiry; a plan's stay."""
    if not 0 < command.amount <= AMOUNT_MAX:
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))
    if command.to in (account.id, ANONYMOUS):
        return refused(command, Refusal(Reason.RECEIVER_INVALID, fields=("to",)))
    if command.transfer in account.transfers or command.transfer in account.settled:
        return refused(command, Refusal(Reason.ID_CONFLICT, fields=("transfer",)))
    if WHOLE in account.freezes:
        return refused(command, Refusal(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT))
    slices, parts, missing = _drawn(account, command.amount, now)
    if missing:
        reason, remedy = Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP
        if command.amount <= account.available:
            reason, remedy = Reason.NOT_TRANSFERABLE, Remedy.CHANGE_REQUEST
        return refused(command, Refusal(reason, remedy, shortfall=missing))
    return (
        CreditsSent(
            transfer=command.transfer,
            to=command.to,
            amount=command.amount,
            slices=slices,
            parts=parts,
        ),
    )


def receive(command: Receive, account: Account, now: Ms) -> tuple[AnyEvent, ...]:
    """Take credits in: a frozen account too, where they are frozen; debts are paid first."""
    if arrival(command.sender, command.transfer) in account.arrived:
        return refused(command, Refusal(Reason.TRANSFER_RECEIVED, Remedy.NONE))
    amounts = [part.amount for part in command.parts]
    if not 0 < command.amount <= AMOUNT_MAX or min(amounts, default=0) <= 0:
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))
    fit = all(
        0 <= part.priority <= PRIORITY_MAX and 0 <= part.expires_at <= FOREVER
        for part in command.parts
    )
    if not fit or sum(amounts) != command.amount or len(amounts) > PARTS_MAX:
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("parts",)))
    notices = tuple([first_notice(part.kind, now, part.expires_at) for part in command.parts])
    return (
        CreditsReceived(
            transfer=command.transfer,
            sender=command.sender,
            grant=command.id,
            amount=command.amount,
            parts=command.parts,
            repaid=paid_first(account, command.amount, DEBTS_PAID_MAX) if account.debts else (),
            notices=notices if any(notices) else (),
        ),
    )


def settle(command: Settle, account: Account) -> tuple[AnyEvent, ...]:
    """Close a transfer; what comes back returns to the very lots, and pays what they owe."""
    sent = account.transfers.get(command.transfer)
    if sent is None:
        return refused(command, Refusal(Reason.TRANSFER_UNKNOWN, Remedy.NONE))
    if command.returned not in (0, sent.amount):
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("returned",)))
    slices = sent.slices if command.returned else ()
    return (
        TransferSettled(
            transfer=command.transfer,
            returned=command.returned,
            slices=slices,
            repaid=paid_back(dict(account.debts), slices),
        ),
    )


def _drawn(
    account: Account, amount: Credits, now: Ms
) -> tuple[tuple[Slice, ...], tuple[Part, ...], Credits]:
    """Slices, the parts that they travel as, and what is missing."""
    slices: list[Slice] = []
    parts: dict[tuple[GrantKind, int, Ms], Credits] = {}
    for lot in account.lots:
        if not amount or len(slices) == SLICES_MAX:
            break
        if not lot.available or not _may_go(lot, account, now):
            continue
        kind, priority = lot.kind, lot.priority
        if kind in _GIVEN:
            kind, priority = GrantKind.GIFT, PRIORITY[GrantKind.GIFT]
        like = kind, priority, lot.expires_at
        if like not in parts and len(parts) == PARTS_MAX:
            break
        take = min(amount, lot.available)
        slices.append(Slice(lot.grant, take))
        parts[like] = parts.get(like, 0) + take
        amount -= take
    travel = [Part(k, sum_, p, expires_at) for (k, p, expires_at), sum_ in parts.items()]
    return tuple(slices), tuple(travel), amount


def _may_go(lot: Lot, account: Account, now: Ms) -> bool:
    usable = lot.effective_from <= now < lot.expires_at and lot.grant not in account.freezes
    return usable and lot.kind not in _STAYS
