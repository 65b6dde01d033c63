"""Live pages: streams of what happens to an account, fed by the events that this process reads.

Each event is put into words once per account, however many tabs look at it. A stream keeps no
messages of its own: it has a place in what its account's channel keeps, so that a slow reader
costs nothing more than a fast one, and is cut off when what it has not read is kept no longer.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from enum import StrEnum

from bus.partition import partition_of
from bus.stream import Counted
from msgspec import Struct

from gateway.listening import Listener
from gateway.metrics import Metrics
from gateway.problems import RETRY_SOON_S, failure
from gateway.telling import Message, message

STREAMS_MAX = 4_096  # of one process; about 100 MB with their connections
STREAMS_PER_ACCOUNT_MAX = 64  # a team, each member with a few tabs
STREAMS_PER_CALLER_MAX = 12  # tabs of one person that can be seen at once; hidden ones hold none
KEPT_MAX = 1_000  # messages of one account; about 300 KB, for who comes back or reads slowly
LINGER_S = 120.0  # a channel is kept for those who come back soon
CHANNELS_MAX = 2 * STREAMS_MAX  # with those that linger


class End(StrEnum):
    """Why a stream ended, as its reader is told."""

    SLOW = "slow"  # does not read; what was missed can be asked for by its position
    SIGNED_OUT = "signed_out"  # the session or the key is over
    UNKNOWN = "sign_in_unavailable"  # who this is cannot be looked up for too long
    STOPPING = "stopping"  # this gateway stops; another one goes on
    GONE = "gone"  # the reader hung up; nobody is told


class Pass(Struct, frozen=True):
    """What a caller showed at the door: a key's text, or the cookie of a session."""

    key: bytes = b""
    session: str = ""


class Channel:
    """What is told of one account: everything since the event `since` is in `kept`."""

    __slots__ = ("account", "idle_since", "kept", "partition", "since", "streams")

    def __init__(self, account: str, partition: int, since: int) -> None:
        self.account = account
        self.partition = partition
        self.since = since
        self.kept: list[Message] = []
        self.streams: set[Stream] = set()
        self.idle_since = 0.0

    def add(self, told: Message) -> None:
        """Keep a message and wake everybody."""
        kept = self.kept
        kept.append(told)
        if len(kept) >= 2 * KEPT_MAX:  # half at once: cutting off one by one would copy all
            self.since = kept[KEPT_MAX - 1].seq
            del kept[:KEPT_MAX]
        for stream in self.streams:
            stream.woken.set()

    def after(self, seq: int, most: int) -> list[Message]:
        """Up to `most` messages after the event `seq`."""
        start = bisect_right(self.kept, seq, key=_seq)
        return self.kept[start : start + most]


class Stream:
    """One reader. `after` is the event that it was told last."""

    __slots__ = ("after", "caller", "channel", "over", "shown", "woken")

    def __init__(self, channel: Channel, caller: str, shown: Pass) -> None:
        self.channel = channel
        self.caller = caller
        self.shown = shown
        self.after = channel.since
        self.over: End | None = None
        self.woken = asyncio.Event()

    def end(self, why: End) -> None:
        """Nothing more is sent but why; the first reason stands."""
        if self.over is None:
            self.over = why
            self.woken.set()

    def take(self, most: int) -> list[Message]:
        """What comes next; ends the stream when a part of it is kept no longer."""
        if self.after < self.channel.since:
            self.end(End.SLOW)
            return []
        found = self.channel.after(self.after, most)
        if found:
            self.after = found[-1].seq
        return found


class Live:
    """All streams of this process, which hears events by this listener."""

    def __init__(self, partitions: int, listener: Listener, metrics: Metrics) -> None:
        self._partitions = partitions
        self._listener = listener
        self._metrics = metrics
        self._channels: dict[str, Channel] = {}
        self._callers: dict[str, int] = {}
        self._stopping = False
        self.streams: set[Stream] = set()
        metrics.gauge("scrip_live_streams", "Live pages that are open.", lambda: len(self.streams))

    def counted(self, batch: Iterable[Counted]) -> None:
        """Events that count; cheap while nobody looks."""
        if not (channels := self._channels):
            return
        for counted in batch:
            channel = channels.get(counted.event.account)
            if channel is not None and (told := message(counted)) is not None:
                channel.add(told)

    def open(self, account: str, caller: str, shown: Pass) -> Stream:
        """A new stream from now on; raises 429 and 503. Close it in any case."""
        if self._stopping or not self._listener.caught_up:
            raise failure(
                503,
                "live_unavailable",
                "Live updates are not there now; read the balance, and try again in a moment.",
                retry_after_s=RETRY_SOON_S,
            )
        channel = self._channels.get(account)
        crowded = channel is not None and len(channel.streams) >= STREAMS_PER_ACCOUNT_MAX
        if crowded or self._callers.get(caller, 0) >= STREAMS_PER_CALLER_MAX:
            raise failure(
                429,
                "too_many_streams",
                "As many pages as allowed are live already; close one, or read the balance.",
                retry_after_s=RETRY_SOON_S,
            )
        if len(self.streams) >= STREAMS_MAX:
            raise failure(
                503,
                "overloaded",
                "Too many pages are live; read the balance, and try again in a moment.",
                retry_after_s=RETRY_SOON_S,
            )
        if channel is None:
            partition = partition_of(account, self._partitions)
            channel = self._channels[account] = Channel(
                account, partition, self._listener.seen(partition)
            )
        stream = Stream(channel, caller, shown)
        stream.after = self.seen(channel)
        channel.streams.add(stream)
        self.streams.add(stream)
        self._callers[caller] = self._callers.get(caller, 0) + 1
        return stream

    def seen(self, channel: Channel) -> int:
        """The newest event heard of a channel's partition."""
        return self._listener.seen(channel.partition)

    def close(self, stream: Stream) -> None:
        """Forget a stream; its channel lingers."""
        self.streams.discard(stream)
        channel = stream.channel
        channel.streams.discard(stream)
        channel.idle_since = asyncio.get_running_loop().time()
        if (left := self._callers[stream.caller] - 1) == 0:
            del self._callers[stream.caller]
        else:
            self._callers[stream.caller] = left
        self._metrics.live_ended.add(End.GONE if stream.over is None else stream.over)

    def stop(self) -> None:
        """End all streams, and open no more."""
        self._stopping = True
        for stream in self.streams:
            stream.end(End.STOPPING)

    def sweep(self, at: float) -> None:
        """Drop the channels that nobody came back to, the oldest first where there are many."""
        idle = [channel for channel in self._channels.values() if not channel.streams]
        idle.sort(key=lambda channel: channel.idle_since)
        surplus = len(self._channels) - CHANNELS_MAX
        for number, channel in enumerate(idle):
            if number < surplus or at - channel.idle_since >= LINGER_S:
                del self._channels[channel.account]


def _seq(told: Message) -> int:
    return told.seq
