"""Estimate and Reserve: what a run may cost, and setting that aside."""

from contracts.catalogue import Catalogue, HoldPolicy, Mode, Status, Tool
from contracts.commands import Estimate, Extend, GrantKind, Limits, Reserve
from contracts.events import (
    AnyEvent,
    CreditsReserved,
    EstimateGiven,
    LimitStatus,
    ReservationExtended,
    Slice,
)
from contracts.pricing import Quote
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, ANONYMOUS, MINUTE, Credits, Ms

from ledger.domain import nesting
from ledger.domain.account import Account, Estimated, Reservation
from ledger.domain.admission import admit, bounds, chain, nearest
from ledger.domain.alerting import is_quiet, told
from ledger.domain.allowance import not_in_plan, spare_today
from ledger.domain.capping import counts_of
from ledger.domain.expecting import expected
from ledger.domain.freezing import WHOLE
from ledger.domain.nesting import parent_of
from ledger.domain.refusal import Refusal, refused

HOLD_LIFETIME_MS = 5 * MINUTE  # when nobody says how long: the slowest tool five times over
HOLD_LIFETIME_MS_MAX = 15 * MINUTE  # longer than the slowest tool, shorter than a support call
_ENDED = {
    "charged": Reason.RESERVATION_ENDED,
    "released": Reason.RESERVATION_ENDED,
    "expired": Reason.RESERVATION_EXPIRED,
}
SLICES_MAX = 1_000  # lots of one hold: 100 kB in each of its events, which must fit into one batch


def estimate(
    command: Estimate, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """Give a price range that is honoured while it is valid."""
    tool = _runnable(command.tool, catalogue)
    if isinstance(tool, Refusal):
        return refused(command, tool)
    limits = _asked(command.limits, tool)
    if isinstance(limits, Refusal):
        return refused(command, limits)
    priced, basis = expected(tool, limits, catalogue)
    parent = None
    if command.parent is not None:
        found = parent_of(account, command.parent, now)
        if isinstance(found, Refusal):
            return refused(command, found)
        parent = found
    no, near = None, None
    met: tuple[LimitStatus, ...] = ()
    if account.id == ANONYMOUS:
        no = _needs_account(tool)
    elif priced.max:
        counts = counts_of(command, account, parent)
        no = not_in_plan(tool, account, catalogue) or admit(
            account, priced.max, now, counts=counts, parent=parent
        )
        met_by = bounds(account, priced.max, now, counts=counts, parent=parent)
        near = nearest(met_by, account, now)
        met = chain(met_by, account, now) if command.chain else ()
    return (
        EstimateGiven(
            estimate=command.id,
            tool=tool.id,
            limits=limits,
            min=priced.min,
            typical=priced.typical,
            max=priced.max,
            items=priced.items,
            price_version=catalogue.version,
            valid_until=now + catalogue.pricing.estimate_valid_ms,
            allowed=no is None,
            reason=no.reason if no else None,
            limit=no.limit if no else near,
            chain=met,
            basis=basis,
        ),
    )


def reserve(
    command: Reserve, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """Hold credits for one run."""
    lifetime = HOLD_LIFETIME_MS if command.lifetime_ms is None else command.lifetime_ms
    if not 0 < lifetime <= HOLD_LIFETIME_MS_MAX:
        return refused(command, Refusal(Reason.LIFETIME_OUT_OF_RANGE, fields=("lifetimeMs",)))
    if command.id in account.reservations or command.id in account.ended:
        # Its answer is forgotten by now, how it ended is not: one id never ends twice.
        return refused(command, Refusal(Reason.ID_CONFLICT, fields=("id",)))
    if account.freezes and WHOLE in account.freezes:
        return refused(command, Refusal(Reason.ACCOUNT_FROZEN, Remedy.CONTACT_SUPPORT))
    held = _terms(command, account, now, catalogue)
    if isinstance(held, Refusal):
        return refused(command, held)
    if command.parent is not None:
        return nesting.reserve(command, account, held, now + lifetime, now)
    counts = counts_of(command, account, None) if account.controls.caps else ()
    if (no := admit(account, held.amount, now, counts=counts)) is not None:
        return refused(command, no)
    held.slices, missing = draw(account, held.amount, now)
    if missing:
        no = Refusal(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=missing)
        return refused(command, no)
    held.expires_at = now + lifetime
    if is_quiet(account.controls):
        return (held,)
    return (*told(account, held.amount, now, catalogue, counts), held)


def extend(
    command: Extend, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """More time or more credits for a run under way; of a tool never above its own maximum."""
    held = account.reservations.get(command.reservation)
    if held is None or held.expires_at <= now:
        return refused(command, gone(account, command.reservation))
    if no := _wrong_extension(command, held, catalogue):
        return refused(command, no)
    slices: tuple[Slice, ...] = ()
    if held.parent is not None:
        return nesting.extend(command, account, held, now)
    if command.amount:
        no = admit(account, command.amount, now, held.amount, counts=held.counts)
        if no is not None:
            return refused(command, no)
        slices, missing = draw(account, command.amount, now)
        if missing or len(held.slices) + len(slices) > SLICES_MAX:
            short = missing or command.amount
            return refused(
                command, Refusal(Reason.INSUFFICIENT_CREDITS, Remedy.TOP_UP, shortfall=short)
            )
    expires_at = held.expires_at
    if command.lifetime_ms is not None:
        expires_at = max(expires_at, now + command.lifetime_ms)
    extended = ReservationExtended(
        reservation=held.id, amount=command.amount, slices=slices, expires_at=expires_at
    )
    return (*told(account, command.amount, now, catalogue, held.counts), extended)


def _wrong_extension(command: Extend, held: Reservation, catalogue: Catalogue) -> Refusal | None:
    if not 0 <= command.amount <= AMOUNT_MAX:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    if command.amount == 0 and command.lifetime_ms is None:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount", "lifetimeMs"))
    lifetime = command.lifetime_ms
    if lifetime is not None and not 0 < lifetime <= HOLD_LIFETIME_MS_MAX:
        return Refusal(Reason.LIFETIME_OUT_OF_RANGE, fields=("lifetimeMs",))
    tool = catalogue.tools.get(held.tool) if held.tool is not None else None
    if command.amount and tool is not None and held.amount + command.amount > tool.max_credits:
        over = held.amount + command.amount - tool.max_credits
        return Refusal(Reason.RUN_LIMIT, Remedy.CHANGE_REQUEST, shortfall=over)
    return None


def gone(account: Account, reservation: str) -> Refusal:
    """Why a reservation cannot be used; one that is still open here is expired and unsettled."""
    if reservation in account.reservations:
        return Refusal(Reason.RESERVATION_EXPIRED, Remedy.NONE)
    ended = account.ended.get(reservation)
    if ended is None:
        return Refusal(Reason.RESERVATION_UNKNOWN, fields=("reservation",))
    return Refusal(_ENDED[ended.how], Remedy.NONE)


def draw(account: Account, amount: Credits, now: Ms) -> tuple[tuple[Slice, ...], Credits]:
    """The slices of lots, in burn-down order, that make up `amount`, and what is missing of it.

    Nothing of frozen lots, and of a plan's only what its day still lets. Something is missing only
    of what so many lots hold that one event could not name them, or while more lots have just
    expired than one batch can tell.
    """
    slices: list[Slice] = []
    frozen, plan = account.freezes, account.plan
    spare = spare_today(account, now) if plan is not None else 0
    for lot in account.lots:
        if not lot.available or lot.expires_at <= now or (frozen and lot.grant in frozen):
            continue
        there = lot.available
        if plan is not None and lot.kind is GrantKind.PLAN:
            there = min(there, spare)
            spare -= there
            if not there:
                continue
        if amount <= there and not slices:  # nearly always: one lot
            return (Slice(lot.grant, amount),), 0
        take = min(amount, there)
        slices.append(Slice(lot.grant, take))
        amount -= take
        if not amount or len(slices) == SLICES_MAX:
            break
    return tuple(slices), amount


def _terms(
    command: Reserve, account: Account, now: Ms, catalogue: Catalogue
) -> CreditsReserved | Refusal:
    """What is to be held and at which price: by amount, by tool, or as estimated before."""
    if (command.tool is None) == (command.amount is None):
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("toolId", "amount"))
    if command.tool is None:
        if command.limits is not None or command.estimate is not None:
            return Refusal(Reason.REQUESTED_LIMITS_INVALID, fields=("requestedLimits",))
        amount = command.amount or 0
        if not 0 < amount <= AMOUNT_MAX:
            return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
        return _held(command, amount)
    tool = _runnable(command.tool, catalogue)
    if isinstance(tool, Refusal):
        return tool
    if tool.mode is Mode.CLIENT_ONLY:
        return Refusal(Reason.TOOL_CLIENT_ONLY, Remedy.NONE)
    if tool.feature is not None and (no := not_in_plan(tool, account, catalogue)) is not None:
        return no
    if command.estimate is not None:
        return _as_estimated(command, account, now, tool.hold_policy)
    limits = _asked(command.limits, tool)
    if isinstance(limits, Refusal):
        return limits
    priced, basis = expected(tool, limits, catalogue)
    held = _priced(command, limits, priced, catalogue.version, tool.hold_policy)
    held.basis = basis
    return held


def _as_estimated(
    command: Reserve, account: Account, now: Ms, hold: HoldPolicy
) -> CreditsReserved | Refusal:
    given: Estimated | None = account.estimates.get(command.estimate or "")
    if given is None or given.valid_until < now:
        return Refusal(Reason.ESTIMATE_UNKNOWN, Remedy.ESTIMATE_AGAIN, fields=("estimateId",))
    if given.tool != command.tool or command.limits not in (None, given.limits):
        return Refusal(
            Reason.ESTIMATE_MISMATCH, Remedy.ESTIMATE_AGAIN, fields=("toolId", "requestedLimits")
        )
    priced = Quote(given.min, given.typical, given.max)
    held = _priced(command, given.limits, priced, given.price_version, hold)
    held.basis = given.basis
    return held


def _priced(
    command: Reserve, limits: Limits, priced: Quote, version: str, hold: HoldPolicy
) -> CreditsReserved:
    held = _held(command, priced.max)
    if hold is HoldPolicy.TYPICAL and priced.typical < priced.max:
        held.amount, held.ceiling = max(priced.typical, priced.min), priced.max
    held.min, held.typical = priced.min, priced.typical
    held.tool, held.limits = command.tool, limits
    held.price_version, held.estimate = version, command.estimate
    return held


def _held(command: Reserve, amount: Credits) -> CreditsReserved:
    return CreditsReserved(
        reservation=command.id,
        amount=amount,
        slices=(),
        expires_at=0,
        key=command.key,
        member=command.member,
    )


def _runnable(tool_id: str, catalogue: Catalogue) -> Tool | Refusal:
    tool = catalogue.tools.get(tool_id)
    if tool is None:
        return Refusal(Reason.TOOL_UNKNOWN, fields=("toolId",))
    if tool.status is Status.DISABLED:
        return Refusal(Reason.TOOL_DISABLED, Remedy.NONE)
    return tool


def _asked(limits: Limits | None, tool: Tool) -> Limits | Refusal:
    """The limits asked for, each within [1, the tool's]; never clamped silently."""
    if limits is None:
        return tool.limits
    most = tool.limits
    wrong = tuple(
        name
        for name, asked, top in (
            ("cpuMs", limits.cpu_ms, most.cpu_ms),
            ("memoryMb", limits.memory_mb, most.memory_mb),
            ("durationMs", limits.duration_ms, most.duration_ms),
        )
        if not 1 <= asked <= top
    )
    return Refusal(Reason.REQUESTED_LIMITS_INVALID, fields=wrong) if wrong else limits


def _needs_account(tool: Tool) -> Refusal | None:
    return Refusal(Reason.ACCOUNT_RESERVED) if tool.requires_account else None
