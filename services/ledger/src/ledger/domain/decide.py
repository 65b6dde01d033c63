"""granted + received == available + held + spent + expired + revoked + sent, always.

decide rules; evolve remembers.  A command gives at least one event, refusals included, and the
answer to it is the last one. Order of the rules: a retry gets its first answer; a first try over
a day old is not decided, nor one dated over an hour ahead, whose answer would be forgotten first;
what is due on the account by time is settled; then the command's own rule. `now` is the broker's
time of the command's record, never going back.
"""

import copy

import msgspec
from contracts.catalogue import Catalogue
from contracts.commands import (
    AnyCommand,
    Charge,
    Estimate,
    Expire,
    Extend,
    Freeze,
    Grant,
    Receive,
    RecordPurchase,
    RecordTopUp,
    Refund,
    Release,
    Reserve,
    Revoke,
    Send,
    SetControls,
    SetPlan,
    Settle,
    Thaw,
)
from contracts.digest import differing
from contracts.events import AnswerRepeated, AnyEvent, CommandTooOld
from contracts.reasons import Reason, Remedy
from contracts.units import ANONYMOUS, CLOCK_AHEAD_MAX_MS, COMMAND_AGE_MAX_MS, Ms

from ledger.domain import (
    freezing,
    owning,
    planning,
    purchases,
    reserving,
    revoking,
    sending,
    settling,
    topping,
)
from ledger.domain.account import Account
from ledger.domain.evolve import evolve
from ledger.domain.permissions import may
from ledger.domain.refusal import Refusal, refused


class _FirstCommand(msgspec.Struct, gc=False):
    digest: str


class _First(msgspec.Struct, gc=False):
    command: _FirstCommand


_first = msgspec.json.Decoder(_First).decode


def decide(
    command: AnyCommand, digest: str, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """The events of a command, without their headers; the account is not touched.

    `digest` is contracts.digest.digest(command): its owner has it already.
    """
    if (first := account.answers.get(command.id)) is not None:
        return _repeated(command, digest, first)
    if (issued := command.issued_at) is not None:
        if now - issued > COMMAND_AGE_MAX_MS:
            return (CommandTooOld(kind=type(command).__name__, issued_at=issued),)
        if issued - now > CLOCK_AHEAD_MAX_MS:
            return refused(command, Refusal(Reason.ISSUED_IN_THE_FUTURE, fields=("issuedAt",)))
    if now < account.next_due:
        return _rule(command, account, now, catalogue)
    settled = settling.due(account, now)
    if (plan := account.plan) is not None and plan.renews and plan.end <= now:
        settled += planning.renewed(_after(account, settled), now, catalogue)
    if not settled:
        return _rule(command, account, now, catalogue)
    if isinstance(command, Expire) and may(command):
        named = next((event for event in reversed(settled) if _ends(command, event)), None)
        if named is not None:
            return (*(event for event in settled if event is not named), named)
    return settled + _rule(command, _after(account, settled), now, catalogue)


def _after(account: Account, settled: tuple[AnyEvent, ...]) -> Account:
    """A copy of the account in which the settlements happened; copied is only what they change."""
    after = copy.copy(account)
    after.lots = [copy.copy(lot) for lot in account.lots]
    after.reservations = {
        named: copy.copy(held) if held.kids or held.parent is not None else held
        for named, held in account.reservations.items()
    }
    after.ended = dict(account.ended)
    after.debts = dict(account.debts)
    after.upcoming = dict(account.upcoming)
    for event in settled:
        evolve(after, event)
    return after


def _rule(
    command: AnyCommand, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    if not may(command):
        return refused(command, Refusal(Reason.NOT_PERMITTED, Remedy.NONE))
    if command.deadline is not None and now > command.deadline:
        return refused(command, Refusal(Reason.DEADLINE))
    if account.id == ANONYMOUS and not isinstance(command, Estimate):
        return refused(command, Refusal(Reason.ACCOUNT_RESERVED, fields=("account",)))
    match command:
        case Reserve():
            return reserving.reserve(command, account, now, catalogue)
        case Charge():
            return settling.charge(command, account, now, catalogue)
        case Release():
            return settling.release(command, account, now)
        case Estimate():
            return reserving.estimate(command, account, now, catalogue)
        case Refund():
            return settling.refund(command, account, now, catalogue)
        case Grant():
            return owning.grant(command, account, now, catalogue)
        case SetControls():
            return owning.set_controls(command, account, now, catalogue)
        case Expire():
            return settling.expire(command)
        case RecordPurchase():
            return purchases.record(command)
        case RecordTopUp():
            return topping.record(command, account, now)
        case Freeze():
            return freezing.freeze(command, account)
        case Thaw():
            return freezing.thaw(command, account)
        case Revoke():
            return revoking.revoke(command, account, catalogue)
        case Extend():
            return reserving.extend(command, account, now, catalogue)
        case SetPlan():
            return planning.set_plan(command, account, now, catalogue)
        case Send():
            return sending.send(command, account, now)
        case Receive():
            return sending.receive(command, account, now)
        case Settle():
            return sending.settle(command, account)


def _repeated(command: AnyCommand, digest: str, first: bytes) -> tuple[AnyEvent, ...]:
    """The first answer stands; another question under its id is refused."""
    asked = _first(first).command.digest
    if asked != digest:
        return refused(command, Refusal(Reason.ID_CONFLICT, fields=differing(command, asked)))
    return (AnswerRepeated(first=msgspec.Raw(first)),)


def _ends(command: Expire, event: AnyEvent) -> bool:
    """Whether the event is what an Expire names: then it is the answer, and goes last."""
    if command.period_end is not None:
        return getattr(event, "allowance", None) is not None
    named = getattr(event, "reservation", None), getattr(event, "grant", None)
    return named == (command.reservation, command.grant)
