"""What gateways count of callers in memory and share through Postgres: rates and last uses."""

import asyncio

from msgspec import Struct

from gateway.identity import Identity
from gateway.lastused import LastUsed
from gateway.rates import Rates
from gateway.sharedrates import SharedRates


class Tallies(Struct, frozen=True):
    """Both of them."""

    rates: Rates
    last_used: LastUsed
    shared: SharedRates

    async def keep(self) -> None:
        """Share and write for ever."""
        await asyncio.gather(self.last_used.keep_writing(), self.shared.keep_sharing())


def tallies_of(identity: Identity, mode: str) -> Tallies:
    """Nothing counted yet. `mode` is that of Rates."""
    rates = Rates(mode)
    return Tallies(rates, LastUsed(identity), SharedRates(rates, identity))
