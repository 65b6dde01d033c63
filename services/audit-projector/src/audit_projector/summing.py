"""The invariants of the read models, looked at some hundred accounts at a time, in SQL.

Each question is one statement, and so one snapshot: the projector moves all tables together.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
from contracts.invariants import Invariant

AT_ONCE: Final = 500  # accounts of a question: some milliseconds each

LOOKED_AT: Final = (
    Invariant.SUMS_ZERO,
    Invariant.NO_NEGATIVE_PART,
    Invariant.HELD_IS_RESERVATIONS,
    Invariant.LOTS_ARE_AVAILABLE,
)
_ROWS: Final = b"""
WITH chosen AS (
  SELECT * FROM read.balances WHERE account > %(after)s ORDER BY account LIMIT %(most)s
), lots AS (
  SELECT account, sum(available)::bigint AS available, sum(held)::bigint AS held,
    least(min(available), min(held), min(amount)) AS least
  FROM read.lots WHERE account IN (SELECT account FROM chosen) GROUP BY account
), runs AS (
  SELECT account, sum(held)::bigint AS held, least(min(held), min(charged), min(released)) AS least
  FROM read.reservations
  WHERE status = 'open' AND account IN (SELECT account FROM chosen) GROUP BY account
)
SELECT account,
  granted + received - chosen.available - chosen.held - spent - expired - revoked - sent <> 0,
  least(chosen.available, chosen.held, spent, granted, received, expired, revoked, sent, debt,
    lots.least, runs.least) < 0,
  chosen.held <> coalesce(runs.held, 0) OR chosen.held <> coalesce(lots.held, 0),
  chosen.available <> coalesce(lots.available, 0)
FROM chosen LEFT JOIN lots USING (account) LEFT JOIN runs USING (account) ORDER BY account
"""


def looked(
    connection: psycopg.Connection[Any], after: str
) -> tuple[str | None, list[tuple[Invariant, str]]]:
    """The next accounts: the last of them (None at the end), and what each violates."""
    rows = connection.execute(_ROWS, {"after": after, "most": AT_ONCE}).fetchall()
    found = list(_violations(rows))
    return (str(rows[-1][0]) if len(rows) == AT_ONCE else None), found


def _violations(rows: list[tuple[Any, ...]]) -> Iterator[tuple[Invariant, str]]:
    for account, *broken in rows:
        for invariant, is_broken in zip(LOOKED_AT, broken, strict=True):
            if is_broken:
                yield invariant, str(account)
