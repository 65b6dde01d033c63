"""Hands a run whose credits are held to the tool workers, until Kafka has it."""

import asyncio

from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from bus.trace import Trace
from contracts.catalogue import Catalogue
from contracts.codec import encode
from contracts.events import CreditsReserved
from contracts.runs import RunDispatched
from contracts.topics import RUN_DISPATCH
from msgspec import Raw

TRY_AGAIN_S = 0.2


class Dispatch:
    """The way to `tool-runs.dispatch`."""

    def __init__(self, outbox: Outbox, prefix: str, partitions: int, catalogue: Catalogue) -> None:
        self._outbox = outbox
        self._topic = prefix + RUN_DISPATCH.name
        self._partitions = partitions
        self._catalogue = catalogue

    async def hand_over(self, held: CreditsReserved, given: Raw, trace: Trace) -> None:
        """Publish the run; returns when it is acknowledged, however long that takes."""
        tool_id = held.tool or ""
        run = RunDispatched(
            run=held.reservation,
            account=held.account,
            tool=tool_id,
            reservation=held.reservation,
            input=given,
            limits=held.limits or self._catalogue.tools[tool_id].limits,
            expires_at=held.expires_at,
        )
        partition = partition_of(run.run, self._partitions)
        key, value, headers = run.run.encode(), encode(run), trace.headers()
        while True:
            try:
                await self._outbox.send(self._topic, partition, key, value, headers)
            except Undelivered:
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                return
