"""How an account remembers freezes, plans, alerts, top-ups and prices. Part of evolve."""

from contracts.commands import Controls
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    Allowance,
    CreditsGranted,
    EstimateGiven,
    PlanChanged,
    ThresholdCrossed,
    TopUpDue,
)
from contracts.units import DAY

from ledger.domain.account import Account, Estimated
from ledger.domain.alerting import LOW, LOW_BALANCE, LOW_PERCENT, remembered
from ledger.domain.capping import limit_of, name_of

MONTH_MAX_MS = 32 * DAY  # the longest month, in any time zone


def frozen(account: Account, event: AccountFrozen) -> None:
    """A reason stands."""
    reasons = account.freezes.setdefault(event.grant or "", [])
    if event.reason not in reasons:
        reasons.append(event.reason)


def thawed(account: Account, event: AccountThawed) -> None:
    """A reason stands no more."""
    reasons = account.freezes[event.grant or ""]
    reasons.remove(event.reason)
    if not reasons:
        del account.freezes[event.grant or ""]


def crossed(account: Account, event: ThresholdCrossed) -> None:
    """A threshold was told of, in the window that ends then; low credits, until more come in."""
    name = event.limit.name
    until = event.limit.resets_at or 0
    if name in LOW:
        until = account.granted + account.received
    account.crossed[remembered(name, event.cap)] = (until, event.percent)


def rules_changed(account: Account, before: Controls, after: Controls) -> None:
    """What was told of an alert or a cap says nothing of one that stands in its place."""
    for name, was, now in (
        (LOW_BALANCE, before.low_balance, after.low_balance),
        (LOW_PERCENT, before.low_percent, after.low_percent),
    ):
        if was != now:
            account.crossed.pop(name, None)
    for cap in before.caps:
        if cap not in after.caps:
            account.crossed.pop(remembered(limit_of(cap), name_of(cap)), None)


def top_up_due(account: Account, event: TopUpDue) -> None:
    """A top-up is under way."""
    account.top_up_since = event.at


def topped_up(account: Account, event: CreditsGranted) -> None:
    """The one under way is over; what it cost is kept for the longest month."""
    account.top_up_since = account.top_up_wait = account.top_up_declines = 0
    account.top_ups = [kept for kept in account.top_ups if event.at - kept[0] < MONTH_MAX_MS]
    if event.cost_basis is not None:
        account.top_ups.append((event.at, event.cost_basis.amount_minor))


def estimated(account: Account, event: EstimateGiven) -> None:
    """A price stands while it is valid."""
    over = []  # the oldest stand first: a busy account (anonymous) never looks at all of them
    for given, estimated in account.estimates.items():
        if estimated.valid_until >= event.at:
            break
        over.append(given)
    for given in over:
        del account.estimates[given]
    account.estimates[event.estimate] = Estimated(
        event.tool,
        event.limits,
        event.min,
        event.typical,
        event.max,
        event.price_version,
        event.valid_until,
        event.basis,
    )


def planned(account: Account, period: Allowance) -> None:
    """The plan's period as it stands; one that renews falls due at its end."""
    account.plan = period
    if period.renews:
        account.next_due = min(account.next_due, period.end)


def plan_changed(account: Account, event: PlanChanged) -> None:
    """Another plan, or another period of it."""
    if event.allowance is not None:
        planned(account, event.allowance)
