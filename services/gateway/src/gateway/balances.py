"""What an account has, now or as of an instant, its lots, and how far its limits are used."""

from datetime import datetime

import msgspec
from contracts.commands import Controls
from contracts.events import Balance
from contracts.units import Ms
from msgspec import Struct

from gateway import positions
from gateway.freezes import Frozen, freezes
from gateway.freshness import Freshness
from gateway.moments import moment, moment_or_none
from gateway.plans import PlanHeld, plan_of
from gateway.readmodels import Reading, ReadModels
from gateway.upcoming import Upcoming, upcoming
from gateway.windows import windows_at

LOTS_MAX = 1_000  # with something in them; an account with more has other troubles

_NOW = """
SELECT coalesce(b.available, 0) AS available, coalesce(b.held, 0) AS held,
       coalesce(b.spent, 0) AS spent, p.seq, p.at_ms, coalesce(b.debt, 0) AS debt
  FROM read.progress p LEFT JOIN read.balances b ON b.account = %(account)s
 WHERE p.partition = %(partition)s"""
_THEN = """
SELECT coalesce(e.available, 0) AS available, coalesce(e.held, 0) AS held,
       coalesce(e.spent, 0) AS spent, p.seq, p.at_ms
  FROM read.progress p LEFT JOIN LATERAL (
       SELECT available, held, spent FROM read.entries
        WHERE account = %(account)s AND at_ms <= %(as_of)s ORDER BY version DESC LIMIT 1
       ) e ON true
 WHERE p.partition = %(partition)s"""
_LOTS = """
SELECT grant_id, kind, priority, amount, available, held, effective_from_ms, expires_at_ms, source
  FROM read.lots WHERE account = %(account)s AND (available > 0 OR held > 0)
 ORDER BY priority, expires_at_ms, version LIMIT %(most)s"""
_CONTROLS = "SELECT controls::text AS controls FROM read.controls WHERE account = %(account)s"
_USED = """
SELECT coalesce(sum(charged - refunded) FILTER (WHERE bucket_ms >= %(day)s), 0)::bigint AS day,
       coalesce(sum(charged - refunded), 0)::bigint AS month
  FROM read.usage WHERE account = %(account)s AND bucket_ms >= %(month)s"""

_controls = msgspec.json.Decoder(Controls).decode


class Amounts(Struct):
    """An account's parts, and how far its partition is projected."""

    available: int
    held: int
    spent: int
    seq: int
    at_ms: Ms
    debt: int = 0


class LotRow(Struct):
    """A row of read.lots."""

    grant_id: str
    kind: str
    priority: int
    amount: int
    available: int
    held: int
    effective_from_ms: Ms
    expires_at_ms: Ms
    source: str


class ControlsRow(Struct):
    """The JSON of an owner's settings."""

    controls: str


class UsedRow(Struct):
    """What was spent today and this month."""

    day: int
    month: int


class LotHeld(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What is left of one grant."""

    grant_id: str
    kind: str
    source: str
    priority: int
    amount: int
    available: int
    held: int
    effective_from: datetime
    expires_at: datetime | None = None


class LimitUsed(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A limit of the owner and how far it is used; `limit` absent: none is set."""

    name: str
    limit: int | None = None
    used: int
    held: int
    left: int | None = None
    resets_at: datetime | None = None


class BalanceShown(Struct, rename="camel", kw_only=True):
    """What an account has. `complete`: everything decided until `as_of` is in it.

    `debt` is owed of revoked grants; what stands in `frozen` is part of `available` all the same.
    """

    account: str
    available: int
    held: int
    spent: int
    balance: Balance
    lots: list[LotHeld]
    limits: list[LimitUsed]
    as_of: datetime
    complete: bool
    position: str
    debt: int = 0
    frozen: list[Frozen] = []
    plan: PlanHeld | None = None
    upcoming: list[Upcoming] = []


class CreditsShown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """The same for the pages of the account's owner."""

    available: int
    held: int
    spent: int
    day: LimitUsed
    month: LimitUsed
    plan: str | None = None
    plan_period_end: datetime | None = None
    alert_percents: tuple[int, ...]
    as_of: datetime
    complete: bool
    position: str
    debt: int = 0
    frozen: list[Frozen] = []
    upcoming: list[Upcoming] = []


class Balances:
    """Reads of balances; each answer is one snapshot of the read models."""

    def __init__(self, models: ReadModels, freshness: Freshness) -> None:
        self._models = models
        self._freshness = freshness

    async def now(self, account: str, now: Ms) -> BalanceShown:
        """As far as it is projected."""
        seen = self._freshness.seen(account)
        async with self._models.snapshot() as reading:
            amounts = await self._amounts(reading, account, None)
            lots = await reading.rows(LotRow, _LOTS, {"account": account, "most": LOTS_MAX})
            limits = await _limits(reading, account, amounts, now)
            frozen = await freezes(reading, account)
            plan = await plan_of(reading, account)
            coming = await upcoming(reading, account)
        complete = amounts.seq >= seen
        as_of = max(now, amounts.at_ms) if complete else amounts.at_ms
        found = self._shown(account, amounts, lots, limits, as_of=as_of, complete=complete)
        found.debt, found.frozen, found.plan = amounts.debt, frozen, plan
        found.upcoming = coming
        return found

    async def then(self, account: str, as_of: Ms) -> BalanceShown:
        """As it was; lots, limits, debt and freezes are of now and therefore left out."""
        seen = self._freshness.seen(account)
        async with self._models.snapshot() as reading:
            amounts = await self._amounts(reading, account, as_of)
        complete = amounts.at_ms >= as_of or amounts.seq >= seen
        return self._shown(account, amounts, [], [], as_of=as_of, complete=complete)

    async def credits(self, account: str, now: Ms) -> CreditsShown:
        """What the owner's pages show."""
        shown = await self.now(account, now)
        controls = await self.controls(account)
        by_name = {limit.name: limit for limit in shown.limits}
        return CreditsShown(
            available=shown.available,
            held=shown.held,
            spent=shown.spent,
            day=by_name["day"],
            month=by_name["month"],
            alert_percents=controls.alert_percents,
            as_of=shown.as_of,
            complete=shown.complete,
            position=shown.position,
            debt=shown.debt,
            frozen=shown.frozen,
            upcoming=shown.upcoming,
            plan=None if shown.plan is None else shown.plan.plan,
            plan_period_end=None if shown.plan is None else shown.plan.period_end,
        )

    async def controls(self, account: str) -> Controls:
        """The owner's settings; the defaults when nothing was set."""
        async with self._models.snapshot() as reading:
            return await _controls_of(reading, account)

    async def amounts(self, account: str) -> Amounts:
        """The parts alone, as far as they are projected."""
        async with self._models.snapshot() as reading:
            return await self._amounts(reading, account, None)

    async def _amounts(self, reading: Reading, account: str, as_of: Ms | None) -> Amounts:
        found = await reading.rows(
            Amounts,
            _NOW if as_of is None else _THEN,
            {
                "account": account,
                "partition": self._freshness.partition(account),
                "as_of": as_of,
            },
        )
        return found[0] if found else Amounts(0, 0, 0, 0, 0)

    def _shown(
        self,
        account: str,
        amounts: Amounts,
        lots: list[LotRow],
        limits: list[LimitUsed],
        *,
        as_of: Ms,
        complete: bool,
    ) -> BalanceShown:
        return BalanceShown(
            account=account,
            available=amounts.available,
            held=amounts.held,
            spent=amounts.spent,
            balance=Balance(amounts.available, amounts.held, amounts.spent),
            lots=[_lot(row) for row in lots],
            limits=limits,
            as_of=moment(as_of),
            complete=complete,
            position=positions.shown(self._freshness.partition(account), amounts.seq),
        )


async def _controls_of(reading: Reading, account: str) -> Controls:
    found = await reading.rows(ControlsRow, _CONTROLS, {"account": account})
    return _controls(found[0].controls) if found else Controls()


async def _limits(reading: Reading, account: str, amounts: Amounts, now: Ms) -> list[LimitUsed]:
    controls = await _controls_of(reading, account)
    windows = windows_at(now, controls.time_zone)
    (used,) = await reading.rows(
        UsedRow,
        _USED,
        {"account": account, "day": windows.day.start, "month": windows.month.start},
    )
    run = controls.run_limit
    limits = [] if run is None else [LimitUsed(name="run", limit=run, used=0, held=0, left=run)]
    for name, limit, spent, window in (
        ("day", controls.day_limit, used.day, windows.day),
        ("month", controls.month_limit, used.month, windows.month),
    ):
        limits.append(
            LimitUsed(
                name=name,
                limit=limit,
                used=max(0, spent),
                held=amounts.held,
                left=None if limit is None else max(0, limit - max(0, spent) - amounts.held),
                resets_at=moment(window.end),
            )
        )
    return limits


def _lot(row: LotRow) -> LotHeld:
    return LotHeld(
        grant_id=row.grant_id,
        kind=row.kind,
        source=row.source,
        priority=row.priority,
        amount=row.amount,
        available=row.available,
        held=row.held,
        effective_from=moment(row.effective_from_ms),
        expires_at=moment_or_none(row.expires_at_ms),
    )
