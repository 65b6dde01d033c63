"""What staff asks of the ledger for an account: named by its form, alone or by two, on record.

An action is a row before it is a command, and its id is the command's: pressed twice, by whichever
gateway, it is done once. Above the amount in the catalogue it waits, at most a day, until another
admin approves it; whoever asked can only withdraw it. The approver's name goes into the event.
"""

from enum import StrEnum
from typing import assert_never

from bus.trace import Trace
from contracts.commands import Actor, ActorKind, AnyCommand, GrantKind
from contracts.events import CommandRefused, CommandTooOld
from contracts.units import HOUR, Credits, Id, Ms
from msgspec import Struct

from contracts import commands
from gateway import positions
from gateway.identity import Identity
from gateway.principals import not_found
from gateway.problems import ProblemError, failure
from gateway.waiting import Bridge

WAITS_MS = 24 * HOUR  # longer than a night, shorter than anybody remembers why
WAITING_MAX = 100
DONE = "done"
TOO_OLD = "too_old"

_COLUMNS = """id, kind, account, amount, target, reason, note, expires_at, asked_by, asked_at,
  until, two, approved_by, ended_at, outcome"""
_BEGIN = """
INSERT INTO identity.actions
  (id, kind, account, amount, target, reason, note, expires_at, asked_by, asked_at, until, two)
VALUES (%(id)s, %(kind)s, %(account)s, %(amount)s, %(target)s, %(reason)s, %(note)s,
        %(expires_at)s, %(asked_by)s, %(asked_at)s, %(until)s, %(two)s)
    ON CONFLICT (id) DO NOTHING"""
_ONE = f"SELECT {_COLUMNS} FROM identity.actions WHERE id = %(id)s"  # noqa: S608 - constants
_WAITING = f"""
SELECT {_COLUMNS} FROM identity.actions
 WHERE two AND ended_at IS NULL AND (until > %(now)s OR approved_by IS NOT NULL)
 ORDER BY asked_at LIMIT {WAITING_MAX}"""  # noqa: S608 - constants
_APPROVE = f"""
UPDATE identity.actions SET approved_by = %(me)s
 WHERE id = %(id)s AND two AND ended_at IS NULL AND asked_by <> %(me)s
   AND (approved_by = %(me)s OR (approved_by IS NULL AND until > %(now)s))
RETURNING {_COLUMNS}"""  # noqa: S608 - constants
_END = """
UPDATE identity.actions SET ended_at = %(now)s, outcome = %(outcome)s
 WHERE id = %(id)s AND ended_at IS NULL"""
_DROP = """
UPDATE identity.actions SET ended_at = %(now)s, outcome = %(outcome)s
 WHERE id = %(id)s AND two AND ended_at IS NULL AND approved_by IS NULL
   AND (asked_by = %(me)s) = %(mine)s"""


class Kind(StrEnum):
    """What can be done to an account."""

    GRANT = "grant"
    ADJUSTMENT = "adjustment"
    REFUND = "refund"
    REVOKE = "revoke"
    FREEZE = "freeze"
    THAW = "thaw"


class Action(Struct, frozen=True, kw_only=True):
    """One of them. `target`: a charge, a grant or ''; `two`: it needs a second person."""

    id: Id
    kind: str
    account: Id
    amount: Credits | None
    target: str
    reason: str
    note: str
    expires_at: Ms
    asked_by: Id
    asked_at: Ms
    until: Ms
    two: bool
    approved_by: str | None = None
    ended_at: Ms | None = None
    outcome: str = ""

    @property
    def asks(self) -> tuple[object, ...]:
        """What two that are the same have in common."""
        told = self.kind, self.account, self.amount, self.target, self.reason, self.note
        return *told, self.asked_by


class Ended(Struct, frozen=True):
    """How an action ended: `done` at a position, or the ledger's reason for a no."""

    outcome: str
    position: str


class Actions(Struct, frozen=True):
    """Begins, approves and carries out actions."""

    identity: Identity
    bridge: Bridge

    async def begin(self, action: Action) -> Action:
        """On record, once; raises 422 when the form was used for something else."""
        values = {name: getattr(action, name) for name in action.__struct_fields__}
        await self.identity.change(_BEGIN, values)
        kept = await self.one(action.id)
        if kept.asks != action.asks:
            raise failure(422, "form_used", "This form was used for something else; load it again.")
        return kept

    async def one(self, action: Id) -> Action:
        """An action; 404 for none."""
        found = await self.identity.row(Action, _ONE, {"id": action})
        if found is None:
            raise not_found()
        return found

    async def waiting(self, now: Ms) -> list[Action]:
        """What waits for a second person, the oldest first."""
        return await self.identity.rows(Action, _WAITING, {"now": now})

    async def approve(self, action: Id, me: Id, now: Ms) -> Action:
        """Stand by what another one asked; raises 409 for one's own, and what is over."""
        found = await self.identity.row(Action, _APPROVE, {"id": action, "me": me, "now": now})
        if found is None:
            raise _over()
        return found

    async def drop(self, action: Id, me: Id, now: Ms, *, mine: bool) -> None:
        """Withdraw one's own, or decline another's; raises 409 for what is over."""
        outcome = "withdrawn" if mine else "declined"
        values = {"id": action, "me": me, "now": now, "outcome": outcome, "mine": mine}
        if not await self.identity.change(_DROP, values):
            raise _over()

    async def carry_out(self, action: Action, now: Ms, trace: Trace) -> Ended:
        """Ask the ledger; however often, it is done once. Raises NoAnswer."""
        answer = await self.bridge.ask(command_of(action), now, trace)
        match answer.event:
            case CommandRefused(reason=reason):
                outcome = reason.value
            case CommandTooOld():
                outcome = TOO_OLD
            case _:
                outcome = DONE
        values = {"id": action.id, "now": now, "outcome": outcome}
        await self.identity.change(_END, values)
        return Ended(outcome, positions.shown(answer.partition, answer.seq))


def needs_two(kind: Kind, amount: Credits | None, above: Credits) -> bool:
    """Whether so much needs a second person; a freeze moves nothing."""
    return kind not in {Kind.FREEZE, Kind.THAW} and amount is not None and abs(amount) > above


def command_of(action: Action) -> AnyCommand:
    """The command that an action is; the same one every time."""
    actor, kind = Actor(ActorKind.ADMIN, action.asked_by), Kind(action.kind)
    amount = action.amount or 0
    match kind:
        case Kind.ADJUSTMENT if amount < 0:
            return _revoke(action, actor, -amount)
        case Kind.GRANT | Kind.ADJUSTMENT:
            return commands.Grant(
                id=action.id,
                account=action.account,
                actor=actor,
                amount=amount,
                kind=GrantKind.GOODWILL,
                source=action.id,
                expires_at=action.expires_at,
                reason=action.reason,
                approved_by=action.approved_by,
            )
        case Kind.REFUND:
            return commands.Refund(
                id=action.id,
                account=action.account,
                actor=actor,
                charge=action.target,
                amount=amount,
                reason=action.reason,
                approved_by=action.approved_by,
            )
        case Kind.REVOKE:
            return _revoke(action, actor, amount)
        case Kind.FREEZE | Kind.THAW:
            of = commands.Freeze if kind is Kind.FREEZE else commands.Thaw
            return of(
                id=action.id,
                account=action.account,
                actor=actor,
                reason=action.reason,
                grant=action.target or None,
            )
        case _:
            assert_never(kind)


def _revoke(action: Action, actor: Actor, amount: Credits) -> commands.Revoke:
    return commands.Revoke(
        id=action.id,
        account=action.account,
        actor=actor,
        grant=action.target,
        amount=amount,
        reason=action.reason,
        approved_by=action.approved_by,
    )


def _over() -> ProblemError:
    return failure(
        409, "not_waiting", "This does not wait for you: it is yours, approved, over or too old."
    )
