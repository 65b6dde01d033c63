"""Rate limits of all gateways are one: what each counted is added up in Postgres, twice a second.

A call is decided in memory and never waits for this. So a caller who spreads a burst over several
gateways within half a second is let in by each; after that, all of them know. A gateway that
starts learns where everybody stands. While Postgres is away, each gateway limits by itself.
"""

import asyncio
import time

import structlog
from msgspec import Struct

from gateway.identity import Identity
from gateway.problems import ProblemError
from gateway.rates import MINUTE_S, OWNERS_MAX, Rates

log = structlog.get_logger(__name__)

SHARE_EVERY_S = 0.5  # shorter than a person repeats a click, and two statements a gateway
OVERLAP_S = 5.0  # clocks of gateways may differ by this much, and statements last

_ADD = """
WITH gone AS (DELETE FROM identity.rates WHERE changed_at < %(old)s)
INSERT INTO identity.rates (rule, owner, arrival, changed_at)
SELECT g.rule, g.owner, %(now)s + g.added, %(now)s
  FROM unnest(%(rules)s::text[], %(owners)s::text[], %(added)s::float8[])
       AS g (rule, owner, added)
 ORDER BY g.rule, g.owner
    ON CONFLICT (rule, owner) DO UPDATE
   SET arrival = greatest(identity.rates.arrival, %(now)s) + excluded.arrival - %(now)s,
       changed_at = %(now)s"""
_HEAR = """
SELECT rule, owner, arrival FROM identity.rates WHERE changed_at > %(since)s
 ORDER BY changed_at DESC LIMIT %(most)s"""


class _Row(Struct):
    rule: str
    owner: str
    arrival: float


class SharedRates:
    """Adds what this gateway counted, and hears what the others did."""

    def __init__(self, rates: Rates, identity: Identity) -> None:
        self._rates = rates
        self._identity = identity
        self._heard_at = 0.0

    async def keep_sharing(self) -> None:
        """Share for ever."""
        while True:
            await asyncio.sleep(SHARE_EVERY_S)
            try:
                await self.share()
            except ProblemError:
                log.warning("rates_not_shared")

    async def share(self) -> None:
        """Add and hear once; raises 503, and what was counted stays to be added."""
        now, counted = time.time(), self._rates.counted()
        if counted:
            values = {
                "rules": [rule for rule, _ in counted],
                "owners": [owner for _, owner in counted],
                "added": list(counted.values()),
                "now": now,
                "old": now - 2 * MINUTE_S,
            }
            try:
                await self._identity.change(_ADD, values)
            except ProblemError:
                self._rates.not_added(counted)
                raise
        since = {"since": self._heard_at - OVERLAP_S, "most": OWNERS_MAX}
        rows = await self._identity.rows(_Row, _HEAR, since)
        self._rates.heard({(row.rule, row.owner): row.arrival for row in rows})
        self._heard_at = now
