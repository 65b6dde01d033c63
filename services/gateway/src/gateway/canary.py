"""Whether the ledger answers: known from the traffic, and asked for when there is none."""

import asyncio
import time
from secrets import token_hex

from bus.trace import Trace
from contracts.catalogue import Catalogue
from contracts.commands import Actor, ActorKind, Estimate
from contracts.units import ANONYMOUS, Ms

from gateway.waiting import Bridge, NoAnswer

LATELY_S = 30.0  # an event that counted within this says enough
WAIT_MS: Ms = 1_500  # a healthy ledger answers in milliseconds

_ACTOR = Actor(ActorKind.SERVICE, "gateway-readiness")


class Canary:
    """Asks for an estimate in the name of nobody, at most one at a time."""

    def __init__(self, bridge: Bridge, catalogue: Catalogue) -> None:
        self._bridge = bridge
        self._tool = next(tool.id for tool in catalogue.tools.values() if not tool.requires_account)
        self._alone = asyncio.Lock()

    async def sings(self) -> bool:
        """Whether an event counted lately; asks when none did."""
        async with self._alone:
            at = asyncio.get_running_loop().time()
            if at - self._bridge.flight.progressed_at < LATELY_S:
                return True
            question = Estimate(
                id=f"canary-{token_hex(8)}", account=ANONYMOUS, actor=_ACTOR, tool=self._tool
            )
            try:
                now = time.time_ns() // 1_000_000
                await self._bridge.ask(question, now, Trace(), WAIT_MS)
            except NoAnswer:
                return False
        return True
