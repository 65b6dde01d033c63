"""What an account used: totals, per tool and per day, and the change against the period before."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from contracts.units import DAY, Ms
from msgspec import Struct

from gateway.moments import milliseconds, moment
from gateway.readmodels import ReadModels
from gateway.windows import day_start

PERIODS = {"7d": 7, "30d": 30, "90d": 90}
DAYS_MAX = 366  # in one answer

_BUCKETS = """
SELECT bucket_ms, tool, runs, completed, failed, charged, refunded
  FROM read.usage
 WHERE account = %(account)s AND bucket_ms >= %(start)s AND bucket_ms < %(end)s"""


class Bucket(Struct):
    """A row of read.usage."""

    bucket_ms: Ms
    tool: str
    runs: int
    completed: int
    failed: int
    charged: int
    refunded: int


class Used(Struct, kw_only=True):
    """How many runs, how they ended, and what they cost (refunds taken off in `credits`)."""

    runs: int = 0
    completed: int = 0
    failed: int = 0
    charged: int = 0
    refunded: int = 0
    credits: int = 0


class UsedByTool(Used, rename="camel", kw_only=True):
    """Of one tool; the empty id stands for reservations of a plain amount."""

    tool_id: str


class UsedByDay(Used, kw_only=True):
    """On one day of the account's calendar."""

    date: date


class Change(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Against the period before; the percentage is absent when there was nothing before."""

    credits: int
    runs: int
    credits_percent: float | None = None


class UsageShown(Struct, rename="camel", kw_only=True):
    """Usage within [from, to)."""

    from_: datetime = msgspec.field(name="from")
    to: datetime
    time_zone: str
    total: Used
    previous: Used
    change: Change
    tools: list[UsedByTool]
    days: list[UsedByDay]


class Span(Struct, frozen=True):
    """Whole days [start, end) in a time zone."""

    start: Ms
    end: Ms


class Cell(Struct, frozen=True):
    """One tool on one day of the account's calendar: the finest that a sheet shows."""

    date: date
    tool_id: str
    used: Used


class Usage:
    """Reads of usage."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    async def within(self, account: str, span: Span, time_zone: str) -> UsageShown:
        """The usage of a span, and of the span of the same length before it."""
        before = span.start - (span.end - span.start)
        buckets = await self._models.rows(
            Bucket, _BUCKETS, {"account": account, "start": before, "end": span.end}
        )
        total, previous = Used(), Used()
        tools: dict[str, UsedByTool] = {}
        days = {day: UsedByDay(date=day) for day in _days(span, time_zone)}
        zone = ZoneInfo(time_zone)
        for bucket in buckets:
            if bucket.bucket_ms < span.start:
                _add(previous, bucket)
                continue
            _add(total, bucket)
            _add(tools.setdefault(bucket.tool, UsedByTool(tool_id=bucket.tool)), bucket)
            day = moment(bucket.bucket_ms).astimezone(zone).date()
            if day in days:
                _add(days[day], bucket)
        return UsageShown(
            from_=moment(span.start),
            to=moment(span.end),
            time_zone=time_zone,
            total=total,
            previous=previous,
            change=_change(total, previous),
            tools=sorted(tools.values(), key=lambda tool: (-tool.credits, tool.tool_id)),
            days=list(days.values()),
        )

    async def cells(self, account: str, span: Span, time_zone: str) -> list[Cell]:
        """The same usage by day and tool; adds up to what `within` says."""
        buckets = await self._models.rows(
            Bucket, _BUCKETS, {"account": account, "start": span.start, "end": span.end}
        )
        zone, cells = ZoneInfo(time_zone), dict[tuple[date, str], Used]()
        for bucket in buckets:
            day = moment(bucket.bucket_ms).astimezone(zone).date()
            _add(cells.setdefault((day, bucket.tool), Used()), bucket)
        return [Cell(day, tool, used) for (day, tool), used in sorted(cells.items(), key=_place)]


def _place(cell: tuple[tuple[date, str], Used]) -> tuple[date, str]:
    return cell[0]


def last_days(days: int, now: Ms, time_zone: str) -> Span:
    """The last so many days of the account's calendar, today included."""
    zone = ZoneInfo(time_zone)
    today = moment(now).astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    return Span(_midnight(first, zone), _midnight(today + timedelta(days=1), zone))


def between(start: Ms, end: Ms, time_zone: str) -> Span:
    """Whole days that cover [start, end)."""
    first = day_start(start, time_zone)
    last = day_start(end - 1, time_zone)
    zone = ZoneInfo(time_zone)
    after = moment(last).astimezone(zone).date() + timedelta(days=1)
    return Span(first, min(_midnight(after, zone), first + DAYS_MAX * DAY))


def _midnight(day: date, zone: ZoneInfo) -> Ms:
    return milliseconds(datetime(day.year, day.month, day.day, tzinfo=zone))


def _days(span: Span, time_zone: str) -> list[date]:
    zone = ZoneInfo(time_zone)
    first = moment(span.start).astimezone(zone).date()
    last = moment(span.end - 1).astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _add(used: Used, bucket: Bucket) -> None:
    used.runs += bucket.runs
    used.completed += bucket.completed
    used.failed += bucket.failed
    used.charged += bucket.charged
    used.refunded += bucket.refunded
    used.credits += bucket.charged - bucket.refunded


def _change(total: Used, previous: Used) -> Change:
    more = total.credits - previous.credits
    percent = round(100 * more / previous.credits, 1) if previous.credits > 0 else None
    return Change(credits=more, runs=total.runs - previous.runs, credits_percent=percent)
