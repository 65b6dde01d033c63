"""The read models against what they must say, in one snapshot of the database."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import psycopg
from contracts.codec import encode

from audit_projector.finance.comparing import Check, compare
from audit_projector.finance.expected import Account, Expected

_FETCH = 5_000  # rows a round trip

_BALANCES: Final = """
SELECT account, available, held, spent, granted, received, expired, revoked, sent, debt,
    version, as_of_ms
FROM read.balances
"""
_LOTS: Final = """
SELECT account, grant_id, amount, available, held, expires_at_ms
FROM read.lots WHERE kind <> 'transfer'
"""
_OPEN: Final = """
SELECT account, reservation, amount, held, charged, released
FROM read.reservations WHERE status = 'open'
"""
_ENDED: Final = """
SELECT account, status, count(*), sum(amount)::bigint, sum(charged)::bigint,
    sum(released)::bigint, sum(held)::bigint
FROM read.reservations WHERE status <> 'open' GROUP BY account, status
"""
_REFUNDS: Final = """
SELECT account, sum(refunded)::bigint FROM read.reservations
GROUP BY account HAVING sum(refunded) <> 0
"""
_ENTRIES: Final = """
SELECT account, count(*), max(version), sum(amount)::bigint, sum(seq)::bigint
FROM read.entries GROUP BY account
"""
_USAGE: Final = """
SELECT account, bucket_ms, tool, runs, completed, failed, charged, refunded FROM read.usage
"""
_COSTS: Final = "SELECT tool, price_version, credits, runs FROM read.tool_costs"
_PLANS: Final = """
SELECT account, plan, start_ms, end_ms, credits, day_limit, given, version, at_ms FROM read.plans
"""
_TRANSFERS: Final = """
SELECT account, transfer, receiver, amount, returned, sent_at_ms, settled_at_ms FROM read.transfers
"""
_UPCOMING: Final = """
SELECT account, grant_id, amount, effective_from_ms, expires_at_ms FROM read.upcoming
"""
_FREEZES: Final = "SELECT account, grant_id, reason, at_ms FROM read.freezes"
_CONTROLS: Final = "SELECT account, controls FROM read.controls"
_PARTITION_EVENTS: Final = "SELECT 'all', count(*) FROM read.partition_events"


def checks(connection: psycopg.Connection[Any], expected: Expected) -> Iterator[Check]:
    """Compare table after table; the connection is inside the snapshot's transaction."""
    yield compare(
        "balances",
        {n: balance_of(a) for n, a in expected.accounts.items()},
        _rows(connection, _BALANCES),
    )
    yield compare(
        "lots",
        {
            key: (lot.amount, lot.available, lot.held, lot.expires_at)
            for key, lot in expected.lots.items()
            if lot.expires_at is not None
        },
        _rows(connection, _LOTS, 2),
    )
    yield from _reservations(connection, expected)
    yield compare(
        "entries, per account: count, newest version, sums of amounts and sequence numbers",
        {
            name: (account.version, account.version, account.moved_sum, account.seq_sum)
            for name, account in expected.accounts.items()
        },
        _rows(connection, _ENTRIES),
    )
    yield compare(
        "usage, per quarter of an hour and tool",
        {key: tuple(used) for key, used in expected.used.items()},
        _rows(connection, _USAGE, 3),
    )
    yield compare("what runs of tools cost", expected.costs, _rows(connection, _COSTS, 3))
    yield compare(
        "controls",
        {name: (msgspec.json.decode(after),) for name, after in expected.controls.items()},
        _rows(connection, _CONTROLS),
    )
    yield compare("plans", expected.plans, _rows(connection, _PLANS))
    yield compare(
        "freezes",
        {key: (since,) for key, since in expected.freezes.items()},
        _rows(connection, _FREEZES, 3),
    )
    yield compare("grants that begin later", expected.upcoming, _rows(connection, _UPCOMING, 2))
    yield compare(
        "transfers",
        {
            key: (one.to, one.amount, one.returned, one.sent_at, one.settled_at)
            for key, one in expected.transfers.sent.items()
        },
        _rows(connection, _TRANSFERS, 2),
    )
    yield compare(
        "events of no account",
        {"all": (expected.partition_events,)},
        _rows(connection, _PARTITION_EVENTS),
    )


def balance_of(account: Account) -> tuple[int, ...]:
    """What the row of an account's balance must say, but for its name."""
    parts = account.amounts
    sums = (parts.granted, parts.received, parts.expired, parts.revoked, parts.sent, parts.debt)
    return *account.stated, *sums, account.version, account.at


def _reservations(connection: psycopg.Connection[Any], expected: Expected) -> Iterator[Check]:
    yield compare(
        "open reservations",
        {
            key: (one.amount, one.held, one.charged, one.released)
            for key, one in expected.open.items()
        },
        _rows(connection, _OPEN, 2),
    )
    yield compare(
        "ended reservations, per account and status",
        {key: (*sums, 0) for key, sums in expected.ended.items()},
        _rows(connection, _ENDED, 2),
    )
    yield compare(
        "refunds, per account",
        {name: (refunded,) for name, refunded in expected.refunded.items()},
        _rows(connection, _REFUNDS),
    )


def invariants(expected: Expected) -> Iterator[Check]:
    """What must hold of the events themselves."""
    sums = Check("granted + received = available + held + spent + expired + revoked + sent")
    stated = Check("events add up to the balances they state")
    versions = Check("versions without gaps")
    parts = Check("no part below zero")
    for name, account in expected.accounts.items():
        for check in (sums, stated, versions, parts):
            check.compared += 1
        if account.amounts.difference:
            sums.differ(f"{name}: off by {account.amounts.difference}")
        if account.misstated:
            stated.differ(f"{name}: {account.misstated} events state another balance")
        if account.version_gaps:
            versions.differ(f"{name}: {account.version_gaps} events out of order")
        if min(msgspec.structs.astuple(account.amounts)) < 0:
            parts.differ(f"{name}: {encode(account.amounts).decode()}")
    yield from (sums, stated, versions, parts)
    yield _agreeing(expected, "lots add up to available", "available")
    yield _agreeing(expected, "lots hold what reservations hold", "held")
    held = Check("open reservations add up to held", len(expected.accounts))
    by_account: dict[str, int] = {}
    for (name, _), one in expected.open.items():
        by_account[name] = by_account.get(name, 0) + one.held
    for name, account in expected.accounts.items():
        if by_account.get(name, 0) != account.amounts.held:
            held.differ(f"{name}: {by_account.get(name, 0)}, held is {account.amounts.held}")
    yield held
    moved = Check("transfers arrived once, or came back", len(expected.transfers))
    for difference in expected.transfers.differences():
        moved.differ(difference)
    yield moved


def _agreeing(expected: Expected, title: str, part: str) -> Check:
    check, sums = Check(title), dict.fromkeys(expected.accounts, 0)
    for (name, _), lot in expected.lots.items():
        sums[name] += getattr(lot, part)
    for name, total in sums.items():
        check.compared += 1
        if total != getattr(expected.accounts[name].amounts, part):
            check.differ(
                f"{name}: {total}, {part} is {getattr(expected.accounts[name].amounts, part)}"
            )
    return check


def _rows(
    connection: psycopg.Connection[Any], query: str, keys: int = 1
) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Rows as (key, values): the first `keys` columns are the key."""
    with connection.cursor(name="verify") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(query.encode())
        for row in cursor:
            yield (row[0] if keys == 1 else tuple(row[:keys])), tuple(row[keys:])
