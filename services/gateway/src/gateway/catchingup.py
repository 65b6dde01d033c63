"""How a live page begins: with what it missed since its position, or with the balance as it is.

What was missed stands in the account's channel, or in the read models once they have reached the
moment from which the channel is whole; so a page resumes at any gateway, also after a restart.
A position that is too old (or none of ours) is answered by `reset` and a fresh snapshot.
"""

import asyncio
from typing import Final

from contracts.codec import CodecError, decode_event, encode
from contracts.events import VERSIONS, Balance, PartitionClaimed
from contracts.units import Ms
from msgspec import Struct

from gateway import positions
from gateway.balances import Balances
from gateway.freshness import LOOK_EVERY_S, Freshness
from gateway.live import Live, Stream
from gateway.moments import moment
from gateway.positions import Place, PositionError
from gateway.readmodels import ReadModels
from gateway.telling import SNAPSHOT, Told, frame, told

MISSED_MAX = 500  # read again for one page; who missed more is served better by a snapshot
AHEAD_S = 1.0  # gateways hear the same event within milliseconds of each other
RESET: Final = frame("reset", encode({"reason": "position_too_old"}))

_MISSED = """
SELECT type, seq, at_ms, available, held, spent, detail::text AS detail FROM read.entries
 WHERE account = %(account)s ORDER BY version DESC LIMIT %(most)s"""


class Entry(Struct):
    """A row of read.entries, as far as a page is told of it."""

    type: str
    seq: int
    at_ms: Ms
    available: int
    held: int
    spent: int
    detail: str


class _Header(Struct):
    type: str
    v: int
    seq: int
    at: Ms
    balance: Balance


class CatchingUp(Struct, frozen=True):
    """Brings a new stream to where its reader stands."""

    live: Live
    models: ReadModels
    balances: Balances
    freshness: Freshness

    async def begin(self, stream: Stream, last: str | None) -> list[bytes]:
        """What is sent first; raises 503 while the read models are too far behind."""
        if not last:
            return [await self._snapshot(stream)]
        if (place := await self._place(stream, last)) is not None:
            missed = await self._missed(stream, place)
            if missed is not None:
                return missed
        return [RESET, await self._snapshot(stream)]

    async def _place(self, stream: Stream, last: str) -> Place | None:
        channel = stream.channel
        try:
            found = positions.place(last)
        except PositionError:
            return None
        if found.partition != channel.partition:
            return None
        loop = asyncio.get_running_loop()
        until = loop.time() + AHEAD_S
        while found.seq > self.live.seen(channel):  # told by a gateway that is ahead of this one
            if loop.time() >= until:
                return None
            await asyncio.sleep(LOOK_EVERY_S)
        return found

    async def _missed(self, stream: Stream, place: Place) -> list[bytes] | None:
        """What happened after a place; None: too much, or it cannot be told any more."""
        channel, account = stream.channel, stream.channel.account
        if channel.since <= place.seq:
            stream.after = place.seq
            return []  # all of it is in the channel still
        whole_from = channel.since
        await self.freshness.reach(account, positions.shown(channel.partition, whole_from))
        values = {"account": account, "most": MISSED_MAX + 1}
        rows = await self.models.rows(Entry, _MISSED, values)
        if len(rows) > MISSED_MAX and rows[-1].seq > place.seq:
            return None
        try:
            missed = [
                again(row, channel.partition)
                for row in reversed(rows)
                if place.seq < row.seq <= whole_from
            ]
        except CodecError:
            return None
        stream.after = whole_from
        return missed

    async def _snapshot(self, stream: Stream) -> bytes:
        """The balance as read, at least as new as the moment from which the stream goes on."""
        channel = stream.channel
        whole_from = stream.after = max(channel.since, self.live.seen(channel))
        wanted = positions.shown(channel.partition, whole_from)
        await self.freshness.reach(channel.account, wanted)
        found = await self.balances.amounts(channel.account)
        stream.after = max(whole_from, found.seq)
        position = positions.shown(channel.partition, found.seq)
        shown = Told(
            type="Snapshot",
            at=moment(found.at_ms),
            position=position,
            balance=Balance(found.available, found.held, found.spent),
        )
        return frame(SNAPSHOT, encode(shown), position)


def again(row: Entry, partition: int) -> bytes:
    """The message of an event, from its statement entry; raises CodecError."""
    balance = Balance(row.available, row.held, row.spent)
    head = encode(_Header(row.type, VERSIONS[row.type], row.seq, row.at_ms, balance))
    own = row.detail.encode()[1:]
    event = decode_event(head[:-1] + (own if own == b"}" else b"," + own))
    if isinstance(event, PartitionClaimed):
        raise CodecError("a claim is nobody's event")
    found = told(event, partition)
    if found is None:
        return b""
    name, said = found
    return frame(name, encode(said), said.position)
