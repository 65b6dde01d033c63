"""Gauges that somebody must look up: ages and quarantine, every few seconds."""

import asyncio
import time

from payments import inbox
from payments.circuit import Circuits
from payments.inbox import Pool
from payments.index import Index
from payments.metrics import Metrics
from payments.relay import Relay

LOOK_EVERY_S = 2.0


class Board:
    """Looks until cancelled; raises what the database raises."""

    def __init__(
        self, metrics: Metrics, pool: Pool, index: Index, relay: Relay, circuits: Circuits
    ) -> None:
        self._metrics = metrics
        self._pool = pool
        self._index = index
        self._relay = relay
        self._circuits = circuits

    async def run(self) -> None:
        """For ever."""
        while True:
            self._metrics.inbox_age.set(await inbox.oldest_s(self._pool))
            recorded = self._relay.oldest_s
            self._metrics.outbox_age.set(max(0.0, time.time() - recorded) if recorded else 0.0)
            held = await asyncio.to_thread(self._index.held)
            for what in ("purchase", "command", "webhook"):
                number = sum(one.what == what for one in held)
                self._metrics.quarantined.labels(what).set(number)
            for operation in self._circuits.operations:
                is_open = self._circuits.is_open(operation)
                self._metrics.circuits.labels(operation).set(int(is_open))
            await asyncio.sleep(LOOK_EVERY_S)
