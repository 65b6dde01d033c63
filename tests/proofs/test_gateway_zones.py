"""Usage adds up in every time zone: days = tools = total = what the buckets hold, over DST days."""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import psycopg
import pytest
from contracts.commands import Controls
from engine.guard import Guard
from engine.local import Engine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.gateway_world import World, fresh, world

ZONES = ("UTC", "Asia/Kolkata", "America/Los_Angeles", "Europe/London", "Etc/GMT+8")
QUARTER = timedelta(minutes=15)
# days on which a clock of one of these zones is put forward or back, and an ordinary one
AROUND = (
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 6, 15, tzinfo=UTC),
)
BUCKETS = st.dictionaries(
    st.tuples(st.integers(-4 * 96, 4 * 96), st.sampled_from(("", "a-b", "c-d"))),
    st.tuples(st.integers(0, 10_000), st.integers(0, 500)),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("zones")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    off = {"SCRIP_RATE_LIMITS": "off"}
    with world(engine, database, prefix, folder, guard, gateway=off) as made:
        yield made


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    buckets=BUCKETS,
    zone=st.sampled_from(ZONES),
    around=st.sampled_from(AROUND),
    first=st.integers(-4, 0),
    days=st.integers(1, 4),
)
def test_days_tools_and_total_are_one_sum(
    api: World,
    buckets: dict[tuple[int, str], tuple[int, int]],
    zone: str,
    around: datetime,
    first: int,
    days: int,
) -> None:
    account, place = fresh("acc"), ZoneInfo(zone)
    rows = {(around + n * QUARTER, tool): amounts for (n, tool), amounts in buckets.items()}
    start = datetime.combine((around + timedelta(days=first)).date(), datetime.min.time(), place)
    end = datetime.combine(start.date() + timedelta(days=days), datetime.min.time(), place)
    keep(api.database, account, zone, rows)
    told = httpx.get(
        f"{api.base}/v1/accounts/{account}/usage",
        params={"from": start.isoformat(), "to": end.isoformat()},
        headers={"Authorization": f"Bearer {KEYS.setdefault(api.base, api.key())}"},
        trust_env=False,
    ).json()
    inside = {key: x for key, x in rows.items() if start <= key[0] < end}
    total = sum(charged - refunded for charged, refunded in inside.values())
    assert told["timeZone"] == zone
    assert told["total"]["credits"] == total
    assert sum(day["credits"] for day in told["days"]) == total
    assert sum(tool["credits"] for tool in told["tools"]) == total
    assert len(told["days"]) == days
    by_day: Counter[str] = Counter()
    for (at, _), (charged, refunded) in inside.items():
        by_day[at.astimezone(place).date().isoformat()] += charged - refunded
    assert {x["date"]: x["credits"] for x in told["days"] if x["credits"]} == {
        day: spent for day, spent in by_day.items() if spent
    }


KEYS: dict[str, str] = {}


def keep(
    url: str, account: str, zone: str, rows: dict[tuple[datetime, str], tuple[int, int]]
) -> None:
    """Put what the projector would have put."""
    controls = msgspec.json.encode(Controls(time_zone=zone)).decode()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO read.controls VALUES (%s, %s, 1, 0)", (account, controls))
        cursor.executemany(
            "INSERT INTO read.usage VALUES (%s, %s, %s, 1, 1, 0, %s, %s)",
            [
                (account, int(at.timestamp()) * 1000, tool, charged, refunded)
                for (at, tool), (charged, refunded) in rows.items()
            ],
        )
