"""Which kind of actor may ask which command. Anything not named here is refused."""

from contracts.commands import (
    ActorKind,
    AnyCommand,
    Charge,
    Estimate,
    Expire,
    Extend,
    Freeze,
    Grant,
    Receive,
    RecordPurchase,
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

_RUNS: tuple[type, ...] = (Estimate, Reserve, Extend, Charge, Release)
_COURIER: tuple[type, ...] = (Expire, Receive, Settle)
_MONEY: tuple[type, ...] = (Grant, Revoke, RecordPurchase, SetPlan, Freeze, Thaw)

PERMITTED: dict[ActorKind, frozenset[type]] = {
    ActorKind.PERSON: frozenset((*_RUNS, SetControls, SetPlan, Send)),
    ActorKind.SERVICE: frozenset((*_RUNS, Refund, Grant, SetControls, Send)),
    ActorKind.TOOL_WORKER: frozenset((Charge, Release, Extend)),
    ActorKind.PAYMENTS: frozenset(_MONEY),
    ActorKind.ADMIN: frozenset((*_RUNS, *_MONEY, Refund, SetControls, Send)),
    ActorKind.COURIER: frozenset(_COURIER),
}


def may(command: AnyCommand) -> bool:
    """Whether the command's actor may ask this at all."""
    return type(command) in PERMITTED[command.actor.kind]
