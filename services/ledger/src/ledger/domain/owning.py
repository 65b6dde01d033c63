"""Grant and SetControls: what an account gets, and what its owner wants of it."""

import re

from contracts.caps import Cap
from contracts.catalogue import Catalogue
from contracts.commands import ActorKind, Controls, Grant, GrantKind, SetControls
from contracts.events import AnyEvent, ControlsChanged, CreditsGranted
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, FOREVER, Ms

from ledger.domain.account import Account
from ledger.domain.allowance import above_plan
from ledger.domain.capping import CAPS_MAX
from ledger.domain.coming import first_notice, scheduled
from ledger.domain.refusal import Refusal, refused
from ledger.domain.revoking import paid_first, second_person
from ledger.domain.windows import counting, zone_exists

# Smaller burns first: what was given before what was paid for.
PRIORITY: dict[GrantKind, int] = {
    GrantKind.PROMO: 10,
    GrantKind.GOODWILL: 20,
    GrantKind.GIFT: 30,
    GrantKind.PLAN: 40,
    GrantKind.TOPUP: 50,
    GrantKind.PAID: 50,
}
PRIORITY_MAX = 1_000  # room on both sides of the defaults
DEBTS_PAID_MAX = 1_000  # debts that one event can name; the next grant pays on
CONCURRENCY_MAX = 1_000  # runs at once; more is no limit anybody means
ALERTS_MAX = 10  # percents; each stands in the account and in every ControlsChanged
_CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217


def grant(command: Grant, account: Account, now: Ms, catalogue: Catalogue) -> tuple[AnyEvent, ...]:
    """A new lot, which pays debts first, now or later; the same source grants once, for ever."""
    priority = PRIORITY[command.kind] if command.priority is None else command.priority
    if no := _wrong_grant(command, priority, now):
        return refused(command, no)
    if command.source in account.sources:
        return refused(command, Refusal(Reason.SOURCE_ALREADY_GRANTED, Remedy.NONE))
    if command.id in account.upcoming or any(lot.grant == command.id for lot in account.lots):
        return refused(command, Refusal(Reason.GRANT_EXISTS, Remedy.NONE))
    if (no := second_person(command, command.amount, catalogue)) is not None:
        return refused(command, no)
    if command.effective_from > now:
        return (scheduled(command, priority),)
    return (
        CreditsGranted(
            grant=command.id,
            kind=command.kind,
            source=command.source,
            amount=command.amount,
            priority=priority,
            effective_from=command.effective_from or now,
            expires_at=command.expires_at,
            notice=first_notice(command.kind, now, command.expires_at),
            cost_basis=command.cost_basis,
            repaid=paid_first(account, command.amount, DEBTS_PAID_MAX) if account.debts else (),
            reason=command.reason,
            approved_by=command.approved_by,
        ),
    )


def set_controls(
    command: SetControls, account: Account, now: Ms, catalogue: Catalogue
) -> tuple[AnyEvent, ...]:
    """New limits, alerts, top-up rule and time zone, whole; never changes what is owned."""
    after = command.controls
    wrong = _wrong_controls(after, catalogue)
    if account.plan is not None and command.actor.kind is not ActorKind.ADMIN:
        wrong += above_plan(account, after.day_limit, after.month_limit)
    if wrong:
        return refused(command, Refusal(Reason.CONTROLS_INVALID, fields=wrong))
    moved = after.time_zone != account.controls.time_zone
    windows = counting(account.day, account.month, now, after.time_zone) if moved else None
    return (ControlsChanged(before=account.controls, after=after, windows=windows),)


def _wrong_grant(command: Grant, priority: int, now: Ms) -> Refusal | None:
    if not 0 < command.amount <= AMOUNT_MAX:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    if not 0 <= priority <= PRIORITY_MAX:
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=("priority",))
    if wrong := _beyond_storage(command):
        return Refusal(Reason.AMOUNT_OUT_OF_RANGE, fields=wrong)
    if command.expires_at <= max(now, command.effective_from):
        return Refusal(Reason.EXPIRY_IN_THE_PAST, fields=("expiresAt",))
    return None


def _beyond_storage(command: Grant) -> tuple[str, ...]:
    """What an encoded account and a 64-bit column cannot hold, or no currency has."""
    wrong = []
    if command.effective_from < 0:
        wrong.append("effectiveFrom")
    if command.expires_at > FOREVER:
        wrong.append("expiresAt")
    cost = command.cost_basis
    if cost is not None and not (
        0 <= cost.amount_minor <= AMOUNT_MAX and _CURRENCY.fullmatch(cost.currency)
    ):
        wrong.append("costBasis")
    return tuple(wrong)


def _wrong_controls(controls: Controls, catalogue: Catalogue) -> tuple[str, ...]:
    limits = (
        ("runLimit", controls.run_limit),
        ("dayLimit", controls.day_limit),
        ("monthLimit", controls.month_limit),
    )
    wrong = [name for name, limit in limits if limit is not None and not 0 <= limit <= AMOUNT_MAX]
    percents = controls.alert_percents
    if len(percents) > ALERTS_MAX or any(not 1 <= percent <= 100 for percent in percents):
        wrong.append("alertPercents")
    if controls.low_balance is not None and not 0 < controls.low_balance <= AMOUNT_MAX:
        wrong.append("lowBalance")
    if controls.low_percent is not None and not 0 < controls.low_percent < 100:
        wrong.append("lowPercent")
    if not zone_exists(controls.time_zone):
        wrong.append("timeZone")
    if controls.concurrency is not None and not 1 <= controls.concurrency <= CONCURRENCY_MAX:
        wrong.append("concurrency")
    if not _caps_fit(controls.caps):
        wrong.append("caps")
    rule = controls.top_up
    if rule is not None and not (
        rule.pack in catalogue.packs
        and 0 < rule.below <= AMOUNT_MAX
        and 0 < rule.monthly_max_minor <= AMOUNT_MAX
    ):
        wrong.append("topUp")
    return tuple(wrong)


def _caps_fit(caps: tuple[Cap, ...]) -> bool:
    """No more than fit, in range, and one of each key, member or tool in a window."""
    named = {(cap.of, cap.id, cap.window) for cap in caps}
    return len(named) == len(caps) <= CAPS_MAX and all(0 <= cap.limit <= AMOUNT_MAX for cap in caps)
