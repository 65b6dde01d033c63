"""What callers get: an answering event in the API's words, or the problem that it is."""

from collections.abc import Callable
from typing import Any

from contracts.codec import encode
from contracts.commands import Controls
from contracts.events import AnyEvent, Balance, CommandRefused, CommandTooOld, Slice
from contracts.history import Basis
from msgspec.structs import asdict

from contracts import events
from gateway import positions, problems
from gateway.moments import moment, moment_or_none
from gateway.problems import Problem, problem
from gateway.shapes import (
    BasisShown,
    ChargeShown,
    ControlsShown,
    ControlsView,
    EstimateShown,
    ExtensionShown,
    FreezeShown,
    GrantShown,
    LotShown,
    PlanShown,
    RangeShown,
    RefundShown,
    ReleaseShown,
    ReservationShown,
    RevokeShown,
    Shown,
    TransferShown,
)
from gateway.waiting import NOTHING, Answer

TOO_OLD = "This was first tried over a day ago and is not decided any more; read what became of it."


def reply(answer: Answer, top_up_url: str, request_id: str) -> tuple[int, bytes]:
    """Status and body of an answer."""
    event, position = answer.event, positions.shown(answer.partition, answer.seq)
    show = _SHOWN.get(type(event))
    if show is not None:
        status, make = show
        return status, encode(make(event, event.balance or NOTHING, position))
    found = no(event, top_up_url, position)
    found.request_id = request_id
    return found.status, encode(found)


def no(event: AnyEvent, top_up_url: str, position: str) -> Problem:
    """The problem that an event is."""
    if isinstance(event, CommandRefused):
        return problems.of_refusal(event, top_up_url, position)
    if isinstance(event, CommandTooOld):
        return problem(409, "too_old", TOO_OLD, position=position)
    raise TypeError(f"{type(event).__name__} answers no command of this gateway")


def settings(controls: Controls) -> ControlsView:
    """Limits and alerts with nothing left out."""
    return ControlsView(**asdict(controls))


def _granted(e: events.CreditsGranted, balance: Balance, position: str) -> GrantShown:
    return GrantShown(
        grant_id=e.grant,
        amount=e.amount,
        kind=e.kind.value,
        source=e.source,
        expires_at=moment_or_none(e.expires_at),
        balance=balance,
        position=position,
    )


def _scheduled(e: events.GrantScheduled, balance: Balance, position: str) -> GrantShown:
    return GrantShown(
        grant_id=e.grant,
        amount=e.amount,
        kind=e.kind.value,
        source=e.source,
        expires_at=moment_or_none(e.expires_at),
        effective_from=moment(e.effective_from),
        balance=balance,
        position=position,
    )


def _estimated(e: events.EstimateGiven, balance: Balance, position: str) -> EstimateShown:
    return EstimateShown(
        estimate_id=e.estimate,
        tool_id=e.tool,
        min=e.min,
        typical=e.typical,
        max=e.max,
        free=e.max == 0,
        items=e.items,
        price_version=e.price_version,
        valid_until=moment(e.valid_until),
        allowed=e.allowed,
        basis=_basis(e.basis),
        reason=None if e.reason is None else e.reason.value,
        limit=None if e.limit is None else problems.limit_shown(e.limit),
        balance=balance,
        position=position,
    )


def _basis(known: Basis | None) -> BasisShown:
    if known is None:
        return BasisShown("rule")
    return BasisShown("history", known.runs, known.low, known.high, known.version)


def _reserved(e: events.CreditsReserved, balance: Balance, position: str) -> ReservationShown:
    typical = e.amount if e.typical is None else e.typical
    return ReservationShown(
        reservation_id=e.reservation,
        status="open",
        held=e.amount,
        estimate=RangeShown(e.min, typical, e.ceiling or e.amount, e.price_version),
        expires_at=moment(e.expires_at),
        tool_id=e.tool,
        balance=balance,
        position=position,
    )


def _charged(e: events.CreditsCharged, balance: Balance, position: str) -> ChargeShown:
    return ChargeShown(
        charge_id=e.charge,
        reservation_id=e.reservation,
        status="charged" if e.final else "open",
        charged=e.amount,
        released=e.released,
        overrun=e.overrun,
        final=e.final,
        outcome=e.outcome.value,
        lots=_lots(e.slices),
        balance=balance,
        position=position,
    )


def _released(e: events.CreditsReleased, balance: Balance, position: str) -> ReleaseShown:
    return ReleaseShown(
        reservation_id=e.reservation,
        status="released",
        released=e.amount,
        lots=_lots(e.slices),
        balance=balance,
        position=position,
    )


def _refunded(e: events.CreditsRefunded, balance: Balance, position: str) -> RefundShown:
    return RefundShown(
        refund_id=e.refund,
        charge_id=e.charge,
        refunded=e.amount,
        lots=_lots(e.slices),
        balance=balance,
        position=position,
    )


def _sent(e: events.CreditsSent, balance: Balance, position: str) -> TransferShown:
    return TransferShown(
        transfer_id=e.transfer,
        to=e.to,
        amount=e.amount,
        status="sent",
        lots=_lots(e.slices),
        balance=balance,
        position=position,
    )


def _revoked(e: events.CreditsRevoked, balance: Balance, position: str) -> RevokeShown:
    return RevokeShown(
        grant_id=e.grant, revoked=e.amount, debt=e.debt, balance=balance, position=position
    )


def _less_scheduled(e: events.ScheduleRevoked, balance: Balance, position: str) -> RevokeShown:
    return RevokeShown(
        grant_id=e.grant, revoked=e.amount, debt=0, balance=balance, position=position
    )


def _frozen(
    e: events.AccountFrozen | events.AccountThawed, balance: Balance, position: str
) -> FreezeShown:
    return FreezeShown(
        frozen=isinstance(e, events.AccountFrozen),
        reason=e.reason,
        grant_id=e.grant,
        balance=balance,
        position=position,
    )


def _plan(e: events.PlanChanged, balance: Balance, position: str) -> PlanShown:
    period = e.allowance
    return PlanShown(
        plan=e.after,
        before=e.before,
        period_start=None if period is None else moment(period.start),
        period_end=None if period is None else moment(period.end),
        given=0 if period is None else period.given,
        balance=balance,
        position=position,
    )


def _extended(e: events.ReservationExtended, balance: Balance, position: str) -> ExtensionShown:
    return ExtensionShown(
        reservation_id=e.reservation,
        status="open",
        added=e.amount,
        expires_at=moment(e.expires_at),
        balance=balance,
        position=position,
    )


def _controls(e: events.ControlsChanged, balance: Balance, position: str) -> ControlsShown:
    return ControlsShown(controls=settings(e.after), balance=balance, position=position)


def _lots(slices: tuple[Slice, ...]) -> tuple[LotShown, ...]:
    return tuple([LotShown(part.grant, part.amount) for part in slices])


_SHOWN: dict[type, tuple[int, Callable[[Any, Balance, str], Shown]]] = {
    events.CreditsGranted: (201, _granted),
    events.GrantScheduled: (201, _scheduled),
    events.EstimateGiven: (200, _estimated),
    events.CreditsReserved: (201, _reserved),
    events.CreditsCharged: (200, _charged),
    events.CreditsReleased: (200, _released),
    events.CreditsRefunded: (200, _refunded),
    events.CreditsRevoked: (200, _revoked),
    events.ScheduleRevoked: (200, _less_scheduled),
    events.CreditsSent: (201, _sent),
    events.AccountFrozen: (200, _frozen),
    events.AccountThawed: (200, _frozen),
    events.PlanChanged: (200, _plan),
    events.ReservationExtended: (200, _extended),
    events.ControlsChanged: (200, _controls),
}
