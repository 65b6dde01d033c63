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

_PERSON, _SERVICE, _WORKER = ActorKind.PERSON, ActorKind.SERVICE, ActorKind.TOOL_WORKER
_PAYMENTS, _ADMIN, _COURIER = ActorKind.PAYMENTS, ActorKind.ADMIN, ActorKind.COURIER

PERMITTED: dict[type, tuple[ActorKind, ...]] = {
    Estimate: (_SERVICE, _PERSON, _ADMIN),
    Reserve: (_SERVICE, _PERSON, _ADMIN),
    Extend: (_SERVICE, _PERSON, _WORKER, _ADMIN),
    Charge: (_SERVICE, _WORKER, _PERSON, _ADMIN),
    Release: (_SERVICE, _WORKER, _PERSON, _ADMIN),
    Refund: (_SERVICE, _ADMIN),
    Grant: (_SERVICE, _PAYMENTS, _ADMIN),
    Revoke: (_PAYMENTS, _ADMIN),
    Expire: (_COURIER,),
    Send: (_PERSON, _SERVICE, _ADMIN),
    Receive: (_COURIER,),
    Settle: (_COURIER,),
    SetControls: (_PERSON, _SERVICE, _ADMIN),
    SetPlan: (_PERSON, _PAYMENTS, _ADMIN),
    Freeze: (_PAYMENTS, _ADMIN),
    Thaw: (_PAYMENTS, _ADMIN),
    RecordPurchase: (_PAYMENTS,),
    RecordTopUp: (_PAYMENTS,),
}


def may(command: AnyCommand) -> bool:
    """Whether the command's actor may ask this at all."""
    return command.actor.kind in PERMITTED[type(command)]
