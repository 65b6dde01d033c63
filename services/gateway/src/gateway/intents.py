"""From what callers send to what the ledger is asked: one function per operation, nothing decided.

The id of a command is the caller's Idempotency-Key, and what the command makes bears that id.
"""

from typing import assert_never

from contracts.caps import Cap
from contracts.catalogue import Catalogue
from contracts.commands import Actor, AnyCommand, Controls, CostBasis, Limits
from contracts.reasons import Outcome
from contracts.toppings import TopUpRule
from contracts.units import FOREVER

from contracts import commands
from gateway.bodies import (
    AskedLimits,
    BatchItem,
    ChargeBody,
    ControlsBody,
    EstimateBody,
    ExtendBody,
    FreezeBody,
    GrantBody,
    Op,
    PlanBody,
    RefundBody,
    ReleaseBody,
    ReserveBody,
    RevokeBody,
    TransferBody,
)
from gateway.moments import milliseconds
from gateway.problems import failure


def limits(asked: AskedLimits | None, tool_id: str | None, catalogue: Catalogue) -> Limits | None:
    """The asked limits, what is left out filled in with the tool's own."""
    if asked is None:
        return None
    tool = catalogue.tools.get(tool_id or "")
    own = tool.limits if tool is not None else Limits(0, 0, 0)
    return Limits(
        own.cpu_ms if asked.cpu_ms is None else asked.cpu_ms,
        own.memory_mb if asked.memory_mb is None else asked.memory_mb,
        own.duration_ms if asked.duration_ms is None else asked.duration_ms,
    )


def estimate(
    key: str, account: str, actor: Actor, body: EstimateBody, catalogue: Catalogue
) -> commands.Estimate:
    """What would it cost?"""
    return commands.Estimate(
        id=key,
        account=account,
        actor=actor,
        tool=body.tool_id,
        limits=limits(body.requested_limits, body.tool_id, catalogue),
        member=body.member,
        parent=body.parent,
    )


def reserve(
    key: str, account: str, actor: Actor, body: ReserveBody | BatchItem, catalogue: Catalogue
) -> commands.Reserve:
    """Hold credits."""
    if (body.tool_id is None) == (body.amount is None):
        raise failure(422, "invalid_request", "Give either `toolId` or `amount`.")
    return commands.Reserve(
        id=key,
        account=account,
        actor=actor,
        tool=body.tool_id,
        amount=body.amount,
        limits=limits(body.requested_limits, body.tool_id, catalogue),
        estimate=body.estimate_id,
        lifetime_ms=body.lifetime_ms,
        parent=body.parent,
        member=body.member,
    )


def charge(
    key: str, account: str, actor: Actor, reservation: str, body: ChargeBody | BatchItem
) -> commands.Charge:
    """Take from a reservation."""
    if (body.usage is None) == (body.amount is None):
        raise failure(422, "invalid_request", "Give either `usage` or `amount`.")
    return commands.Charge(
        id=key,
        account=account,
        actor=actor,
        reservation=reservation,
        usage=body.usage,
        amount=body.amount,
        final=body.final,
        outcome=body.outcome or Outcome.COMPLETED,
    )


def release(
    key: str, account: str, actor: Actor, reservation: str, body: ReleaseBody | BatchItem
) -> commands.Release:
    """End a reservation without charging."""
    return commands.Release(
        id=key,
        account=account,
        actor=actor,
        reservation=reservation,
        outcome=body.outcome or Outcome.FAILED,
    )


def extend(
    key: str, account: str, actor: Actor, reservation: str, body: ExtendBody
) -> commands.Extend:
    """More time or credits."""
    return commands.Extend(
        id=key,
        account=account,
        actor=actor,
        reservation=reservation,
        amount=body.amount,
        lifetime_ms=body.lifetime_ms,
    )


def refund(key: str, account: str, actor: Actor, charged: str, body: RefundBody) -> commands.Refund:
    """Return a charge."""
    return commands.Refund(
        id=key,
        account=account,
        actor=actor,
        charge=charged,
        amount=body.amount,
        reason=body.reason,
    )


def grant(key: str, account: str, actor: Actor, body: GrantBody) -> commands.Grant:
    """Give credits."""
    cost = body.cost_basis
    return commands.Grant(
        id=key,
        account=account,
        actor=actor,
        amount=body.amount,
        kind=body.kind,
        source=body.source,
        effective_from=milliseconds(body.effective_from) if body.effective_from else 0,
        expires_at=milliseconds(body.expires_at) if body.expires_at else FOREVER,
        priority=body.priority,
        cost_basis=None if cost is None else CostBasis(cost.amount_minor, cost.currency),
        reason=body.reason,
    )


def send(key: str, account: str, actor: Actor, body: TransferBody) -> commands.Send:
    """Send credits to another account; the transfer has the name of its command."""
    return commands.Send(
        id=key, account=account, actor=actor, to=body.to, amount=body.amount, transfer=key
    )


def revoke(key: str, account: str, actor: Actor, granted: str, body: RevokeBody) -> commands.Revoke:
    """Take back a grant."""
    return commands.Revoke(
        id=key,
        account=account,
        actor=actor,
        grant=granted,
        amount=body.amount,
        reason=body.reason,
    )


def freeze(key: str, account: str, actor: Actor, body: FreezeBody) -> commands.Freeze:
    """Stop spending."""
    return commands.Freeze(
        id=key, account=account, actor=actor, reason=body.reason, grant=body.grant_id
    )


def thaw(key: str, account: str, actor: Actor, body: FreezeBody) -> commands.Thaw:
    """Let it go on."""
    return commands.Thaw(
        id=key, account=account, actor=actor, reason=body.reason, grant=body.grant_id
    )


def set_plan(key: str, account: str, actor: Actor, body: PlanBody) -> commands.SetPlan:
    """Put an account on a plan, by calendar months."""
    return commands.SetPlan(id=key, account=account, actor=actor, plan=body.plan)


def set_controls(key: str, account: str, actor: Actor, body: ControlsBody) -> commands.SetControls:
    """Replace the owner's limits and alerts."""
    rule = body.top_up
    return commands.SetControls(
        id=key,
        account=account,
        actor=actor,
        controls=Controls(
            run_limit=body.run_limit,
            day_limit=body.day_limit,
            month_limit=body.month_limit,
            time_zone=body.time_zone,
            alert_percents=body.alert_percents,
            alert_email=body.alert_email,
            alert_in_app=body.alert_in_app,
            top_up=None
            if rule is None
            else TopUpRule(rule.below, rule.pack, rule.monthly_max_minor),
            concurrency=body.concurrency,
            caps=tuple([Cap(cap.of, cap.id, cap.limit, cap.window) for cap in body.caps]),
            low_balance=body.low_balance,
            low_percent=body.low_percent,
        ),
    )


def item(account: str, actor: Actor, asked: BatchItem, catalogue: Catalogue) -> AnyCommand:
    """One item of a batch."""
    key, reservation = asked.idempotency_key, asked.reservation_id
    if asked.op is Op.RESERVE:
        return reserve(key, account, actor, asked, catalogue)
    if reservation is None:
        raise failure(422, "invalid_request", f"{asked.op.value} needs `reservationId`.")
    match asked.op:
        case Op.CHARGE:
            return charge(key, account, actor, reservation, asked)
        case Op.RELEASE:
            return release(key, account, actor, reservation, asked)
        case _:
            assert_never(asked.op)
