"""What callers get: an answering event in the API's words, or the problem that it is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from contracts import events
from contracts.commands import Controls
from contracts.codec import encode
from contracts.events import AnyEvent, Balance, CommandRefused, CommandTooOld, Slice
from contracts.pricing import LineItem
from msgspec import Struct

from gateway import positions, problems
from gateway.moments import moment, moment_or_none
from gateway.problems import LimitShown, Problem, problem
from gateway.waiting import NOTHING, Answer

TOO_OLD = "This was first tried over a day ago and is not decided any more; read what became of it."


class Shown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What every answer carries."""

    balance: Balance
    position: str


class LotShown(Struct, rename="camel"):
    """A part of an amount, and the grant it was drawn from."""

    grant_id: str
    amount: int


class RangeShown(Struct, rename="camel", omit_defaults=True):
    """A price range; `price_version` names the catalogue it was made with."""

    min: int
    typical: int
    max: int
    price_version: str | None = None


class GrantShown(Shown, kw_only=True):
    """Credits were given."""

    grant_id: str
    amount: int
    kind: str
    source: str
    expires_at: datetime | None = None


class EstimateShown(Shown, kw_only=True):
    """What a run would cost, and whether it would be allowed now."""

    estimate_id: str
    tool_id: str
    min: int
    typical: int
    max: int
    free: bool
    items: tuple[LineItem, ...]
    price_version: str
    valid_until: datetime
    allowed: bool
    reason: str | None = None
    limit: LimitShown | None = None


class ReservationShown(Shown, kw_only=True):
    """Credits are held."""

    reservation_id: str
    status: str
    held: int
    estimate: RangeShown
    expires_at: datetime
    tool_id: str | None = None
    lots: tuple[LotShown, ...] = ()


class ChargeShown(Shown, kw_only=True):
    """Credits were taken; `released` went back."""

    charge_id: str
    reservation_id: str
    status: str
    charged: int
    released: int
    final: bool
    outcome: str
    lots: tuple[LotShown, ...]


class ReleaseShown(Shown, kw_only=True):
    """Everything went back."""

    reservation_id: str
    status: str
    released: int
    lots: tuple[LotShown, ...]


class RefundShown(Shown, kw_only=True):
    """What was charged came back."""

    refund_id: str
    charge_id: str
    refunded: int
    lots: tuple[LotShown, ...]


class ExtensionShown(Shown, kw_only=True):
    """A reservation holds more, or longer."""

    reservation_id: str
    status: str
    added: int
    expires_at: datetime


class ControlsShown(Shown, kw_only=True):
    """The owner's limits and alerts."""

    controls: Controls


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
        reason=None if e.reason is None else e.reason.value,
        limit=None if e.limit is None else problems.limit_shown(e.limit),
        balance=balance,
        position=position,
    )


def _reserved(e: events.CreditsReserved, balance: Balance, position: str) -> ReservationShown:
    typical = e.amount if e.typical is None else e.typical
    return ReservationShown(
        reservation_id=e.reservation,
        status="open",
        held=e.amount,
        estimate=RangeShown(e.min, typical, e.amount, e.price_version),
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
    return ControlsShown(controls=e.after, balance=balance, position=position)


def _lots(slices: tuple[Slice, ...]) -> tuple[LotShown, ...]:
    return tuple([LotShown(part.grant, part.amount) for part in slices])


_SHOWN: dict[type, tuple[int, Callable[[Any, Balance, str], Shown]]] = {
    events.CreditsGranted: (201, _granted),
    events.EstimateGiven: (200, _estimated),
    events.CreditsReserved: (201, _reserved),
    events.CreditsCharged: (200, _charged),
    events.CreditsReleased: (200, _released),
    events.CreditsRefunded: (200, _refunded),
    events.ReservationExtended: (200, _extended),
    events.ControlsChanged: (200, _controls),
}
