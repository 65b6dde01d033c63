"""/account/credits: what there is, until when, for how long, how to get more, what happened."""

from datetime import date, datetime
from typing import TypeAlias

from contracts.catalogue import Catalogue, Pack
from contracts.units import DAY, FOREVER
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from gateway.balances import BalanceShown, LimitUsed
from gateway.moments import milliseconds
from gateway.pages import purchases, words
from gateway.pages.history import Line, line
from gateway.pages.regions import Trouble, region, trouble
from gateway.pages.render import unit_price
from gateway.pages.runout import RunOut, run_out
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.passing import Passing
from gateway.problems import failure
from gateway.reads import Reads
from gateway.statement import Asked
from gateway.usage import UsageShown, last_days

LINES = 8  # the newest entries; the history has all of them
PACE_DAYS = 30
SOON_MS = 30 * DAY
QUIET = ("AnswerRepeated", "EstimateGiven")


class LotView(Struct, frozen=True):
    """A lot with something left. `soon`: it expires within thirty days."""

    kind: str
    available: int
    held: int
    amount: int
    expires_at: datetime | None
    soon: bool


class PackView(Struct, frozen=True):
    """A pack for sale; `each` is what a credit costs."""

    id: str
    credits: int
    price_minor: int
    currency: str
    expires_days: int
    each: str


class TopUp(Struct, frozen=True):
    """The rule by which credits are bought by themselves."""

    below: int
    credits: int
    price_minor: int
    monthly_max_minor: int
    currency: str


Lots: TypeAlias = list[LotView] | Trouble


class OverviewView(Struct, frozen=True, kw_only=True):
    """The whole page."""

    shell: Shell
    balance: BalanceShown | Trouble
    pending: list[purchases.Pending] | Trouble
    lots: Lots
    limits: list[LimitUsed]
    pace: RunOut | None
    packs: list[PackView]
    top_up: TopUp | None
    lines: list[Line] | Trouble
    chosen: int
    need: int = 0


class Overview(Struct, frozen=True):
    """Reads what the page shows."""

    doorway: Doorway
    reads: Reads
    passing: Passing
    catalogue: Catalogue

    async def page(self, visit: Visit) -> Response:
        """GET /account/credits; `need` is a shortfall that brought somebody here."""
        need = visit.query("need")
        view = await self.view(visit, int(need) if need.isdigit() and len(need) < 10 else 0)
        return self.doorway.renderer.page("credits.html", view)

    async def view(self, visit: Visit, need: int = 0) -> OverviewView:
        """Each region by itself: what fails says so, the rest is there."""
        shell, balance = visit.shell("Credits", "credits"), visit.balance
        lines = await region(self._lines(visit), visit.request_id)
        used = await region(self._used(visit), visit.request_id)
        shown: BalanceShown | Trouble = balance or _away(visit.request_id)
        return OverviewView(
            shell=shell,
            balance=shown,
            pending=await region(purchases.pending(self.passing, visit), visit.request_id),
            lots=_lots(shown, visit.guest.now),
            limits=[] if balance is None else [x for x in balance.limits if x.name != "run"],
            pace=None if isinstance(used, Trouble) or balance is None else _pace(balance, used),
            packs=[pack_view(pack) for pack in self.catalogue.packs.values()],
            top_up=await self._top_up(visit),
            lines=lines,
            chosen=_chosen(list(self.catalogue.packs.values()), need),
            need=need,
        )

    async def _lines(self, visit: Visit) -> list[Line]:
        asked = Asked(None, 0, FOREVER, None, LINES, QUIET)
        return [line(found) for found in (await self.reads.statement(visit.guest, asked)).items]

    async def _used(self, visit: Visit) -> UsageShown:
        span = last_days(PACE_DAYS, visit.guest.now, visit.zone)
        return await self.reads.usage.within(visit.account, span, visit.zone)

    async def _top_up(self, visit: Visit) -> TopUp | None:
        if visit.balance is None:
            return None
        rule = (await self.reads.balances.controls(visit.account)).top_up
        if rule is None or (pack := self.catalogue.packs.get(rule.pack)) is None:
            return None
        return TopUp(
            rule.below, pack.credits, pack.price_minor, rule.monthly_max_minor, pack.currency
        )


def routes(page: Overview) -> APIRouter:
    """GET /account/credits."""
    router = APIRouter()
    page.doorway.page(router, "GET", "/account/credits", page.page)
    return router


def pack_view(pack: Pack) -> PackView:
    """A pack as it is offered."""
    each = unit_price(pack.price_minor, pack.credits, pack.currency)
    return PackView(pack.id, pack.credits, pack.price_minor, pack.currency, pack.expires_days, each)


def _chosen(packs: list[Pack], need: int) -> int:
    """Which pack stands chosen, from 1: the smallest that is enough, none without a need."""
    if not need:
        return 0
    enough = (place for place, pack in enumerate(packs, start=1) if pack.credits >= need)
    return next(enough, len(packs))


def _lots(balance: BalanceShown | Trouble, now: int) -> Lots:
    if isinstance(balance, Trouble):
        return balance
    return [
        LotView(
            words.KINDS.get(lot.kind, lot.kind),
            lot.available,
            lot.held,
            lot.amount,
            lot.expires_at,
            lot.expires_at is not None and milliseconds(lot.expires_at) - now < SOON_MS,
        )
        for lot in balance.lots
    ]


def _pace(balance: BalanceShown, used: UsageShown) -> RunOut | None:
    days: list[tuple[date, int]] = [(day.date, day.credits) for day in used.days]
    return run_out(balance.available, days, days[-1][0]) if days else None


def _away(request_id: str) -> Trouble:
    return trouble(failure(503, "reads_unavailable", ""), request_id)
