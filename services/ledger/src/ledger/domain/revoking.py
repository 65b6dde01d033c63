"""Revoke: what was given is taken back, and what of it is used up is owed.

A debt stands under the name of its grant. It is paid by what comes back to that grant's lot, and
by later grants, oldest debt first; lots that the account has beside it are its own and stay.
"""

from contracts.catalogue import Catalogue
from contracts.commands import ActorKind, Grant, Refund, Revoke
from contracts.events import AnyEvent, CreditsRevoked, ScheduleRevoked, Slice
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, Credits

from ledger.domain.account import Account
from ledger.domain.refusal import Refusal, refused


def revoke(command: Revoke, account: Account, catalogue: Catalogue) -> tuple[AnyEvent, ...]:
    """Take what is available of a grant; what is held or spent of it becomes debt."""
    lot = next((lot for lot in account.lots if lot.grant == command.grant), None)
    if lot is not None:
        left = lot.amount - lot.revoked
    elif (coming := account.upcoming.get(command.grant)) is not None:
        left = coming.amount
    else:
        return refused(command, Refusal(Reason.GRANT_UNKNOWN, fields=("grant",)))
    asked = left if command.amount is None else command.amount
    if command.amount is not None and not 0 < asked <= AMOUNT_MAX:
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))
    if asked > left:
        return refused(command, Refusal(Reason.EXCEEDS_GRANT, Remedy.NONE, shortfall=asked - left))
    if (no := second_person(command, asked, catalogue)) is not None:
        return refused(command, no)
    if lot is None:
        return (_less_to_come(command, asked, left - asked),)
    taken = min(asked, lot.available)
    used = max(0, lot.amount - lot.available - lot.gone - lot.owed)  # others paid for it
    return (
        CreditsRevoked(
            grant=lot.grant,
            amount=taken,
            debt=min(asked - taken, used),
            reason=command.reason,
            approved_by=command.approved_by,
        ),
    )


def second_person(
    command: Grant | Refund | Revoke, amount: Credits, catalogue: Catalogue
) -> Refusal | None:
    """An admin moves much only together with another one; everybody else acts by rule."""
    if command.actor.kind is not ActorKind.ADMIN or amount <= catalogue.second_person_above:
        return None
    if command.approved_by in (None, command.actor.id):
        return Refusal(Reason.SECOND_PERSON_NEEDED, Remedy.CHANGE_REQUEST, fields=("approvedBy",))
    return None


def paid_back(debts: dict[str, Credits], slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """What of slices that come back pays the debt of their own grant; `debts` is told of it."""
    if not debts:
        return ()
    paid: list[Slice] = []
    for part in slices:
        if owed := debts.get(part.grant, 0):
            paid.append(Slice(part.grant, min(owed, part.amount)))
            debts[part.grant] = owed - paid[-1].amount
    return tuple(paid)


def paid_first(account: Account, amount: Credits, most: int) -> tuple[Slice, ...]:
    """What of a new grant pays which debts, oldest first; at most so many of them at once."""
    paid: list[Slice] = []
    for grant, owed in account.debts.items():
        if not amount or len(paid) == most:
            break
        paid.append(Slice(grant, min(owed, amount)))
        amount -= paid[-1].amount
    return tuple(paid)


def _less_to_come(command: Revoke, amount: Credits, left: Credits) -> ScheduleRevoked:
    return ScheduleRevoked(
        grant=command.grant,
        amount=amount,
        left=left,
        reason=command.reason,
        approved_by=command.approved_by,
    )
