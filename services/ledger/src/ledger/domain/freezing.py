"""Freeze and Thaw: nothing can be spent of an account, or of one lot, while a reason stands.

Amounts do not move: what is frozen stays owned and stays available in the sums. Credits that a run
holds already may still be charged or go back; nothing new can be held. Freezes of several reasons
stand beside each other, and each is ended by its own name.
"""

from contracts.commands import Freeze, Thaw
from contracts.events import AccountFrozen, AccountThawed, AnyEvent
from contracts.reasons import Reason, Remedy
from contracts.units import Credits

from ledger.domain.account import Account
from ledger.domain.refusal import Refusal, refused

WHOLE = ""  # in place of a grant: the whole account


def freeze(command: Freeze, account: Account) -> tuple[AnyEvent, ...]:
    """Let a reason stand; one that stands already stands on."""
    named = command.grant
    there = named is None or named in account.upcoming
    if not there and not any(lot.grant == named for lot in account.lots):
        return refused(command, Refusal(Reason.GRANT_UNKNOWN, fields=("grant",)))
    return (AccountFrozen(reason=command.reason, grant=command.grant),)


def thaw(command: Thaw, account: Account) -> tuple[AnyEvent, ...]:
    """End a reason; refused where it does not stand, so that nobody thinks an account is free."""
    if command.reason not in account.freezes.get(command.grant or WHOLE, ()):
        return refused(command, Refusal(Reason.NOT_FROZEN, Remedy.NONE, fields=("reason",)))
    return (AccountThawed(reason=command.reason, grant=command.grant),)


def usable(account: Account) -> Credits:
    """What of `available` a run can use now: all that is not frozen."""
    if not account.freezes:
        return account.available
    if WHOLE in account.freezes:
        return 0
    frozen = sum(lot.available for lot in account.lots if lot.grant in account.freezes)
    return account.available - frozen
