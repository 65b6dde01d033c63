"""Charge, Release, Refund and Expire: how held credits end, and how spent ones come back."""

from contracts.catalogue import Catalogue
from contracts.commands import Charge, Expire, Refund, Release
from contracts.events import (
    AnyEvent,
    CreditsCharged,
    CreditsRefunded,
    CreditsReleased,
    Extension,
    GrantExpired,
    ReservationExpired,
    Slice,
    Windows,
)
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, BATCH_BYTES_MAX, DAY, Credits, Ms

from ledger.domain.account import Account, Reservation
from ledger.domain.coming import begun, notices
from ledger.domain.nesting import returns_to
from ledger.domain.overrunning import more, priced
from ledger.domain.refusal import Refusal, refused
from ledger.domain.reserving import gone
from ledger.domain.revoking import paid_back, second_person
from ledger.domain.slices import EVENT_BYTES, SLICE_BYTES, minus, plus, split
from ledger.domain.windows import counting

SETTLED_BYTES_MAX = BATCH_BYTES_MAX * 3 // 8  # half of what the owner puts into one batch
REFUND_GRACE_MS = 7 * DAY  # a refund into a lot that expired meanwhile can be used this long


def charge(
    command: Charge, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """Take from a reservation; a final charge returns the rest of it in the same breath."""
    held = account.reservations.get(command.reservation)
    if held is None or held.expires_at <= now:
        return refused(command, gone(account, command.reservation))
    if command.id in account.charges:  # its answer is forgotten by now, the charge is not
        return refused(command, Refusal(Reason.ID_CONFLICT, fields=("id",)))
    amount = _due(command, held, catalogue)
    if isinstance(amount, Refusal):
        return refused(command, amount)
    extended = None
    slices, holds = held.slices, held.held
    if amount > holds:
        extended = more(account, held, amount - holds, now)
        slices, holds = plus(slices, extended.slices), holds + extended.amount
    overrun = max(0, amount - holds)
    amount -= overrun
    taken, rest = split(slices, amount)
    if not command.final:
        rest = ()
    parent = returns_to(account, held, now) if held.parent is not None and command.final else None
    repaid = paid_back(dict(account.debts), rest) if account.debts and parent is None else ()
    charged = CreditsCharged(
        reservation=held.id,
        charge=command.id,
        amount=amount,
        slices=taken,
        outcome=command.outcome,
        final=command.final,
        released=holds - amount if command.final else 0,
        overrun=overrun,
        rest=rest,
        lost=_lost(account, rest, repaid, now) if parent is None else (),
        repaid=repaid,
        parent=parent,
        tool=held.tool,
        usage=command.usage,
        price_version=None if command.usage is None else catalogue.version,
        windows=_new_windows(account, now),
        refund_days=catalogue.pricing.refund_days,
    )
    return (charged,) if extended is None or not extended.amount else (extended, charged)


def release(command: Release, account: Account, now: Ms) -> tuple[AnyEvent, ...]:
    """End a reservation; nothing is charged."""
    held = account.reservations.get(command.reservation)
    if held is None or held.expires_at <= now:
        return refused(command, gone(account, command.reservation))
    parent = returns_to(account, held, now)
    repaid = paid_back(dict(account.debts), held.slices) if account.debts and not parent else ()
    return (
        CreditsReleased(
            reservation=held.id,
            amount=held.held,
            slices=held.slices,
            outcome=command.outcome,
            lost=_lost(account, held.slices, repaid, now) if parent is None else (),
            repaid=repaid,
            tool=held.tool,
            parent=parent,
        ),
    )


def refund(
    command: Refund, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """Give back what a charge took, to the very lots, all of them together never above it."""
    charged = account.charges.get(command.charge)
    if charged is None or charged.refundable_until < now:
        return refused(command, Refusal(Reason.CHARGE_UNKNOWN, fields=("charge",)))
    amount = charged.left if command.amount is None else command.amount
    if not 0 < amount <= AMOUNT_MAX and charged.left:
        return refused(command, Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))
    if amount > charged.left or not charged.left:
        over = max(amount, 1) - charged.left
        return refused(command, Refusal(Reason.EXCEEDS_CHARGE, Remedy.NONE, shortfall=over))
    if (no := second_person(command, amount, catalogue)) is not None:
        return refused(command, no)
    slices, _ = split(charged.slices, amount)
    repaid = paid_back(dict(account.debts), slices) if account.debts else ()
    return (
        CreditsRefunded(
            refund=command.id,
            charge=command.charge,
            reservation=charged.reservation,
            amount=amount,
            slices=slices,
            reason=command.reason,
            extended=tuple(
                Extension(part.grant, now + REFUND_GRACE_MS)
                for part in minus(slices, repaid)
                if account.lot(part.grant).expires_at <= now
            ),
            tool=charged.tool,
            repaid=repaid,
            approved_by=command.approved_by,
        ),
    )


def expire(command: Expire) -> tuple[AnyEvent, ...]:
    """What was due is settled before any command is decided: left here is only what was not."""
    return refused(command, Refusal(Reason.NOT_DUE, Remedy.NONE))


def due(account: Account, now: Ms) -> tuple[AnyEvent, ...]:
    """What has come by time: reservations end, then what is left of lots, then grants begin.

    At most what fits into one batch beside a command's own events. What is left is as if its time
    had not come, but that nothing can be charged to it and no expired lot is drawn from; the next
    command, or the courier, settles on.
    """
    ended = sorted(
        (r for r in account.reservations.values() if r.expires_at <= now),
        key=lambda r: (r.expires_at, r.id),
    )
    events: list[AnyEvent] = []
    debts = dict(account.debts)
    lists = 3 if debts else 2  # slices, lost, and what paid a debt
    room = SETTLED_BYTES_MAX
    for held in ended:
        room -= EVENT_BYTES + lists * SLICE_BYTES * len(held.slices)
        if room < 0 and events:
            return tuple(events)
        parent = returns_to(account, held, now)
        repaid = paid_back(debts, held.slices) if parent is None else ()
        events.append(
            ReservationExpired(
                reservation=held.id,
                amount=held.held,
                slices=held.slices,
                lost=_lost(account, held.slices, repaid, now) if parent is None else (),
                repaid=repaid,
                tool=held.tool,
                parent=parent,
            )
        )
    for lot in account.lots:
        if not lot.available or lot.expires_at > now:
            continue
        room -= EVENT_BYTES
        if room < 0 and events:
            break
        events.append(GrantExpired(grant=lot.grant, amount=lot.available))
    if room < 0:
        return tuple(events)
    more, room = begun(account, now, debts, room, first=not events)
    told = notices(account, now, room // EVENT_BYTES)
    return (*events, *more, *told)


def _due(command: Charge, held: Reservation, catalogue: Catalogue) -> Credits | Refusal:
    """What a charge takes. Usage is cumulative: it is priced whole, less what was charged."""
    if (command.usage is None) == (command.amount is None):
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("usage", "amount"))
    if command.usage is not None:
        used = command.usage
        wrong = tuple(
            name
            for name, value in (
                ("cpuMs", used.cpu_ms),
                ("memoryMb", used.memory_mb),
                ("durationMs", used.duration_ms),
            )
            if not 0 <= value <= AMOUNT_MAX
        )
        if wrong:
            return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=wrong)
        return priced(command, held, catalogue)
    amount = command.amount or 0
    if not 0 <= amount <= AMOUNT_MAX:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    if amount > held.held:
        return Refusal(Reason.EXCEEDS_RESERVATION, shortfall=amount - held.held)
    return amount


def _lost(
    account: Account, slices: tuple[Slice, ...], repaid: tuple[Slice, ...], now: Ms
) -> tuple[Slice, ...]:
    """What of slices that come back has no lot to come back to; what pays a debt is not lost."""
    if repaid:
        slices = minus(slices, repaid)
    if len(slices) == 1:  # nearly always: one lot
        return slices if account.lot(slices[0].grant).expires_at <= now else ()
    return tuple(part for part in slices if account.lot(part.grant).expires_at <= now)


def _new_windows(account: Account, now: Ms) -> Windows | None:
    if account.day.start <= now < account.day.end:
        return None
    return counting(account.day, account.month, now, account.controls.time_zone)
