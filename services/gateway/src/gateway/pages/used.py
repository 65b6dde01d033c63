"""/account/usage: what was used, by day and by tool, against the period before; as CSV too."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from gateway.pages import words
from gateway.pages.charts import Bars, bars, share
from gateway.pages.regions import Trouble, region
from gateway.pages.render import day
from gateway.pages.sheets import sheet
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import failure
from gateway.reads import Reads
from gateway.usage import PERIODS, UsageShown, Used, UsedByDay, UsedByTool

TOOLS_SHOWN = 6  # the others stand in one row that adds up
LABELS = {"7d": "7 days", "30d": "30 days", "90d": "90 days"}
DAYS_MAX = 366


class ToolRow(Struct, frozen=True):
    """A tool's usage, or that of all the others (`tool_id` None); `mille` of the total."""

    tool_id: str | None
    used: Used
    mille: int
    others: int = 0


class Range(Struct, frozen=True):
    """What was asked for: a named period, or the first and last day of an own one."""

    period: str
    first: str = ""
    last: str = ""

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        return f"from={self.first}&to={self.last}" if self.first else f"period={self.period}"


class Figures(Struct, frozen=True, kw_only=True):
    """Everything that is shown of a period."""

    usage: UsageShown
    chart: Bars
    tools: list[ToolRow]


class UsageView(Struct, frozen=True, kw_only=True):
    """The whole page."""

    shell: Shell
    asked: Range
    figures: Figures | Trouble
    wrong: str = ""
    periods: tuple[tuple[str, str], ...] = tuple(LABELS.items())

    @property
    def first(self) -> date:
        """The first day that is shown."""
        return self._days[0].date

    @property
    def last(self) -> date:
        """The last one."""
        return self._days[-1].date

    @property
    def _days(self) -> list[UsedByDay]:
        return [] if isinstance(self.figures, Trouble) else self.figures.usage.days


class UsagePage(Struct, frozen=True):
    """Reads the usage."""

    doorway: Doorway
    reads: Reads

    async def page(self, visit: Visit) -> Response:
        """GET /account/usage?period= or ?from=&to= (days of the account's calendar)."""
        asked, wrong = _asked(visit), ""
        start = end = None
        if asked.first:
            start, end, wrong = _instants(asked, visit.zone)
        found = await region(
            self.reads.used(visit.guest, asked.period, start, end), visit.request_id
        )
        lost = isinstance(found, Trouble)
        view = UsageView(
            shell=visit.shell("Usage", "usage"),
            asked=asked,
            figures=found if isinstance(found, Trouble) else figures(found),
            wrong=wrong,
        )
        status = 503 if lost else 422 if wrong else 200
        return self.doorway.renderer.page("usage.html", view, status)

    async def download(self, visit: Visit) -> Response:
        """GET /account/usage.csv: a row for each tool on each day; they add up to the page."""
        asked, zone = _asked(visit), visit.zone
        start, end, wrong = _instants(asked, zone) if asked.first else (None, None, "")
        if wrong:
            raise failure(422, "invalid_request", wrong)
        span = self.reads.span(visit.guest, zone, asked.period, start, end)
        cells = await self.reads.usage.cells(visit.account, span, zone)
        rows: list[Sequence[str | int]] = [_HEAD]
        for cell in cells:
            used = cell.used
            rows.append(
                (
                    cell.date.isoformat(), cell.tool_id, words.tool(cell.tool_id), used.runs,
                    used.completed, used.failed, used.charged, used.refunded, used.credits,
                )
            )  # fmt: skip
        return sheet("credit-usage.csv", rows)


_HEAD = (
    "date", "tool", "title", "runs", "completed", "failed", "charged", "refunded", "credits",
)  # fmt: skip


def routes(page: UsagePage) -> APIRouter:
    """GET /account/usage and its CSV."""
    router = APIRouter()
    page.doorway.page(router, "GET", "/account/usage", page.page)
    page.doorway.page(router, "GET", "/account/usage.csv", page.download)
    return router


def figures(found: UsageShown) -> Figures:
    """What the page shows of a period."""
    return Figures(
        usage=found,
        chart=bars([(day(one.date), one.credits) for one in found.days]),
        tools=tool_rows(found.tools, found.total),
    )


def tool_rows(tools: Sequence[UsedByTool], total: Used) -> list[ToolRow]:
    """The dearest tools, and the rest in one row; together they are the total."""
    shown, rest = tools[:TOOLS_SHOWN], tools[TOOLS_SHOWN:]
    rows = [ToolRow(tool.tool_id, tool, share(tool.credits, total.credits)) for tool in shown]
    if rest:
        others = Used(
            runs=sum(tool.runs for tool in rest),
            completed=sum(tool.completed for tool in rest),
            failed=sum(tool.failed for tool in rest),
            charged=sum(tool.charged for tool in rest),
            refunded=sum(tool.refunded for tool in rest),
            credits=sum(tool.credits for tool in rest),
        )
        rows.append(ToolRow(None, others, share(others.credits, total.credits), len(rest)))
    return rows


def _asked(visit: Visit) -> Range:
    first, last = visit.query("from"), visit.query("to")
    period = visit.query("period", "30d")
    return Range(period if period in PERIODS else "30d", first or last, last or first)


def _instants(asked: Range, zone: str) -> tuple[datetime | None, datetime | None, str]:
    """The instants of whole days, or what is wrong with them."""
    try:
        first, last = date.fromisoformat(asked.first), date.fromisoformat(asked.last)
    except ValueError:
        return None, None, "Give both days, like 2026-01-31. The last 30 days are shown instead."
    if first > last:
        return None, None, "The first day is after the last. The last 30 days are shown instead."
    if not (date(2000, 1, 1) <= first and last < date(2200, 1, 1)):
        return None, None, "Days lie between 2000 and 2199. The last 30 days are shown instead."
    if (last - first).days >= DAYS_MAX:
        return None, None, "At most 366 days at once. The last 30 days are shown instead."
    clock = ZoneInfo(zone)
    after = last + timedelta(days=1)
    start = datetime(first.year, first.month, first.day, tzinfo=clock)
    return (
        start.astimezone(UTC),
        datetime(after.year, after.month, after.day, tzinfo=clock).astimezone(UTC),
        "",
    )
