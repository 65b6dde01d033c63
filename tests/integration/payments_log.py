"""What the ledger's log says, read to its end: balances, and the grants by their source."""

from collections import Counter

from bus.stream import EventStream, from_the_start
from contracts.events import AnyEvent, CreditsGranted


async def counted(bootstrap: str, prefix: str) -> list[AnyEvent]:
    """Every event that counts."""
    stream = EventStream(bootstrap, await from_the_start(bootstrap, prefix), prefix)
    await stream.start()
    found: list[AnyEvent] = []
    try:
        ends = await stream.ends()
        while any(stream.readers[p].offset < end for p, end in ends.items()):
            found += [one.event for one in await stream.next(timeout_ms=200)]
        assert stream.skipped == 0
    finally:
        await stream.stop()
    return found


async def balances(bootstrap: str, prefix: str) -> dict[str, int]:
    """Available credits of each account after its newest event."""
    return {
        event.account: event.balance.available
        for event in await counted(bootstrap, prefix)
        if event.balance is not None
    }


async def grants(bootstrap: str, prefix: str) -> Counter[tuple[str, str]]:
    """How often each (account, source) was granted; anything above one is a double."""
    return Counter(
        (event.account, event.source)
        for event in await counted(bootstrap, prefix)
        if isinstance(event, CreditsGranted)
    )
