"""Tiny builders with defaults, so that a test shows only what matters.

Commands are imperative: `grant(100)`. Events are past: `granted(100)`; the same word stands for
something that happened (with defaults for the rest) and for something expected (named fields only).
"""

from typing import Any, cast

from contracts.reasons import Outcome, Reason, Remedy
from contracts.units import FOREVER, HOUR, MINUTE, Credits, Ms

from contracts import commands as c
from contracts import events as e

ACCOUNT = "acct-1"
T0: Ms = 1_772_366_400_000  # 2026-03-01 12:00:00 UTC: a Sunday, noon, the first day of a month
ADMIN = c.Actor(c.ActorKind.ADMIN, "root")
SERVICE = c.Actor(c.ActorKind.SERVICE, "studio")
WORKER = c.Actor(c.ActorKind.TOOL_WORKER, "w1")
COURIER = c.Actor(c.ActorKind.COURIER, "courier")
PAYMENTS = c.Actor(c.ActorKind.PAYMENTS, "payments")
PERSON = c.Actor(c.ActorKind.PERSON, "ada")
TOOL = "dev-studio-security"  # 3 to 16 credits at its own limits
SMALL_TOOL = "dev-studio-api-designer"  # 3 to 5 credits
FREE_TOOL = "dev-studio-projects"  # client-only


class Said:
    """An event by what a test says of it."""

    def __init__(self, kind: type[e.Event], /, **fields: Any) -> None:
        self.kind = kind
        self.fields = fields

    def event(self) -> e.AnyEvent:
        """The event with defaults for everything that was not said."""
        made = self.kind(**{**_DEFAULTS.get(self.kind, {}), **self.fields})
        return cast("e.AnyEvent", made)


_DEFAULTS: dict[type[e.Event], dict[str, Any]] = {
    e.CreditsGranted: {
        "kind": c.GrantKind.PAID,
        "priority": 50,
        "effective_from": T0 - HOUR,
        "expires_at": FOREVER,
    },
    e.CreditsReserved: {"slices": (), "expires_at": T0 + 5 * MINUTE},
    e.CreditsCharged: {"slices": (), "outcome": Outcome.COMPLETED, "final": True},
}

# ---- events


def granted(amount: Credits, grant: str = "g1", **more: Any) -> Said:
    return Said(e.CreditsGranted, grant=grant, amount=amount, source=f"s-{grant}", **more)


def reserved(reservation: str, amount: Credits, **more: Any) -> Said:
    return Said(e.CreditsReserved, reservation=reservation, amount=amount, **more)


def charged(charge: str, reservation: str, amount: Credits, **more: Any) -> Said:
    return Said(e.CreditsCharged, charge=charge, reservation=reservation, amount=amount, **more)


def released(reservation: str, amount: Credits, **more: Any) -> Said:
    return Said(e.CreditsReleased, reservation=reservation, amount=amount, **more)


def refunded(charge: str, amount: Credits, **more: Any) -> Said:
    return Said(e.CreditsRefunded, charge=charge, amount=amount, **more)


def ended_by_time(reservation: str, amount: Credits, **more: Any) -> Said:
    return Said(e.ReservationExpired, reservation=reservation, amount=amount, **more)


def lot_expired(grant: str, amount: Credits) -> Said:
    return Said(e.GrantExpired, grant=grant, amount=amount)


def scheduled(amount: Credits, grant: str = "g1", **more: Any) -> Said:
    return Said(e.GrantScheduled, grant=grant, amount=amount, source=f"s-{grant}", **more)


def less_scheduled(grant: str, amount: Credits, left: Credits, **more: Any) -> Said:
    return Said(e.ScheduleRevoked, grant=grant, amount=amount, left=left, **more)


def expiring(grant: str, amount: Credits, days: int, **more: Any) -> Said:
    return Said(e.ExpiryNoticeGiven, grant=grant, amount=amount, days=days, **more)


def estimated(**more: Any) -> Said:
    return Said(e.EstimateGiven, **more)


def refused(reason: Reason, remedy: Remedy | None = None, **more: Any) -> Said:
    if remedy is not None:
        more["remedy"] = remedy
    return Said(e.CommandRefused, reason=reason, **more)


def revoked(grant: str, amount: Credits, debt: Credits = 0, **more: Any) -> Said:
    return Said(e.CreditsRevoked, grant=grant, amount=amount, debt=debt, **more)


def frozen(reason: str = "dispute", **more: Any) -> Said:
    return Said(e.AccountFrozen, reason=reason, **more)


def thawed(reason: str = "dispute", **more: Any) -> Said:
    return Said(e.AccountThawed, reason=reason, **more)


def extended(reservation: str, amount: Credits, **more: Any) -> Said:
    return Said(e.ReservationExtended, reservation=reservation, amount=amount, **more)


def crossed(percent: int, **more: Any) -> Said:
    return Said(e.ThresholdCrossed, percent=percent, **more)


def top_up_due(pack: str = "starter", **more: Any) -> Said:
    return Said(e.TopUpDue, pack=pack, **more)


def planned(plan: str, **more: Any) -> Said:
    return Said(e.PlanChanged, after=plan, **more)


def sent(amount: Credits, to: str = "acct-2", transfer: str = "t1", **more: Any) -> Said:
    return Said(e.CreditsSent, transfer=transfer, to=to, amount=amount, **more)


def received(amount: Credits, transfer: str = "t1", **more: Any) -> Said:
    return Said(e.CreditsReceived, transfer=transfer, amount=amount, **more)


def settled(returned: Credits = 0, transfer: str = "t1", **more: Any) -> Said:
    return Said(e.TransferSettled, transfer=transfer, returned=returned, **more)


def changed(**more: Any) -> Said:
    return Said(e.ControlsChanged, **more)


def repeated() -> Said:
    return Said(e.AnswerRepeated)


def too_old(**more: Any) -> Said:
    return Said(e.CommandTooOld, **more)


def rejected(**more: Any) -> Said:
    return Said(e.CommandRejected, **more)


def part(grant: str, amount: Credits) -> e.Slice:
    return e.Slice(grant, amount)


# ---- commands; `by` is who asks, everything else is the command's own


def grant(amount: Credits, named: str = "g1", by: c.Actor = PAYMENTS, **more: Any) -> c.Grant:
    asked: dict[str, Any] = {"kind": c.GrantKind.PAID, "source": f"s-{named}", "account": ACCOUNT}
    return c.Grant(id=named, actor=by, amount=amount, **{**asked, **more})


def estimate(tool: str = TOOL, named: str = "e1", by: c.Actor = SERVICE, **more: Any) -> c.Estimate:
    return c.Estimate(id=named, actor=by, tool=tool, **{"account": ACCOUNT, **more})


def reserve(
    named: str, amount: Credits | None = None, by: c.Actor = SERVICE, **more: Any
) -> c.Reserve:
    return c.Reserve(id=named, actor=by, amount=amount, **{"account": ACCOUNT, **more})


def extend(
    reservation: str,
    amount: Credits = 0,
    named: str = "y1",
    by: c.Actor = SERVICE,
    **more: Any,
) -> c.Extend:
    return c.Extend(
        id=named, actor=by, reservation=reservation, amount=amount, **{"account": ACCOUNT, **more}
    )


def charge(
    reservation: str,
    amount: Credits | None = None,
    named: str = "c1",
    by: c.Actor = WORKER,
    **more: Any,
) -> c.Charge:
    return c.Charge(
        id=named, actor=by, reservation=reservation, amount=amount, **{"account": ACCOUNT, **more}
    )


def release(reservation: str, named: str = "l1", by: c.Actor = WORKER, **more: Any) -> c.Release:
    return c.Release(id=named, actor=by, reservation=reservation, **{"account": ACCOUNT, **more})


def refund(
    charge: str,
    amount: Credits | None = None,
    named: str = "f1",
    by: c.Actor = SERVICE,
    **more: Any,
) -> c.Refund:
    return c.Refund(
        id=named, actor=by, charge=charge, amount=amount, **{"account": ACCOUNT, **more}
    )


def revoke(
    grant: str,
    amount: Credits | None = None,
    named: str = "v1",
    by: c.Actor = PAYMENTS,
    **more: Any,
) -> c.Revoke:
    asked = {"account": ACCOUNT, "reason": "payment", **more}
    return c.Revoke(id=named, actor=by, grant=grant, amount=amount, **asked)


def freeze(
    grant: str | None = None,
    reason: str = "dispute",
    named: str = "z1",
    by: c.Actor = PAYMENTS,
    account: str = ACCOUNT,
) -> c.Freeze:
    return c.Freeze(id=named, account=account, actor=by, reason=reason, grant=grant)


def thaw(
    grant: str | None = None,
    reason: str = "dispute",
    named: str = "w1",
    by: c.Actor = PAYMENTS,
    account: str = ACCOUNT,
) -> c.Thaw:
    return c.Thaw(id=named, account=account, actor=by, reason=reason, grant=grant)


def expire(named: str = "x1", by: c.Actor = COURIER, **more: Any) -> c.Expire:
    return c.Expire(id=named, actor=by, **{"account": ACCOUNT, **more})


def set_controls(named: str = "k1", by: c.Actor = PERSON, **controls: Any) -> c.SetControls:
    return c.SetControls(id=named, account=ACCOUNT, actor=by, controls=c.Controls(**controls))


def set_plan(
    plan: str,
    named: str = "p1",
    by: c.Actor = PAYMENTS,
    paid: tuple[Ms, Ms] | None = None,
    **more: Any,
) -> c.SetPlan:
    start, end = (None, None) if paid is None else paid
    asked: dict[str, Any] = {"account": ACCOUNT, "period_start": start, "period_end": end}
    return c.SetPlan(id=named, actor=by, plan=plan, **{**asked, **more})


def send(
    amount: Credits, to: str = "acct-2", transfer: str = "t1", by: c.Actor = PERSON, **more: Any
) -> c.Send:
    asked = {"id": transfer, "account": ACCOUNT, **more}
    return c.Send(actor=by, to=to, amount=amount, transfer=transfer, **asked)


def usage(cpu_ms: int = 0, memory_mb: int = 0, duration_ms: int = 0) -> c.Usage:
    return c.Usage(cpu_ms, memory_mb, duration_ms)
