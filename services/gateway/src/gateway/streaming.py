"""The wire of a live page: server-sent events, a comment every 15 s, and an end that says why.

A reader who takes nothing for 10 s is cut off: its connection is dropped with what waits in it.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence

from contracts.codec import encode
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.live import End, Live, Stream
from gateway.metrics import Duration
from gateway.telling import Message, frame

HEARTBEAT_S = 15.0  # shorter than the idle time of common proxies
SEND_WITHIN_S = 10.0  # a reader who took nothing for this long is gone or broken
MESSAGES_AT_ONCE = 64  # about 20 kB: what may stand in a connection's buffer beside its own 64 kB
PAUSE_S = 0.04  # between two writes; what comes meanwhile goes out together
RETRY_MS, RETRY_SPREAD_MS = 2_000, 3_000  # not everybody comes back at the same moment
ABORT = "scrip.abort"  # in the scope: drops the connection, whatever waits in it
_BEAT = b": still here\n\n"
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # proxies that would wait for more
}


class Protocol(HttpToolsProtocol):
    """HTTP as before; a request's scope can drop its connection, which no response can."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]


class LiveResponse(Response):
    """Serves one stream until either side ends it. `first` is sent before what comes."""

    def __init__(self, live: Live, stream: Stream, first: Sequence[bytes], delay: Duration) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._live = live
        self._stream = stream
        self._first = first
        self._delay = delay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; ends within 10 s of the reason for it."""
        leaving = asyncio.ensure_future(_leave(receive, self._stream))
        try:
            async with asyncio.timeout(SEND_WITHIN_S) as patience:
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(start)
                await self._told(send, patience)
        except TimeoutError:
            self._stream.end(End.SLOW)
            abort: Callable[[], None] = scope[ABORT]
            abort()
            await leaving  # the server knows by then that nobody is there
        finally:
            leaving.cancel()
            self._live.close(self._stream)

    async def _told(self, send: Send, patience: asyncio.Timeout) -> None:
        stream = self._stream
        retry = RETRY_MS + secrets.randbelow(RETRY_SPREAD_MS)
        await _write(send, b"retry: %d\n\n" % retry + b"".join(self._first), patience)
        while stream.over is None:
            stream.woken.clear()
            if found := stream.take(MESSAGES_AT_ONCE):
                await _write(send, b"".join([told.frame for told in found]), patience)
                self._count(found)
                await _rest(patience)
            elif stream.over is None and not await _woken(stream, patience):
                await _write(send, _BEAT, patience)
        if stream.over is not End.GONE:
            last = frame("end", encode({"reason": stream.over.value}))
            await _write(send, last, patience, more=False)

    def _count(self, sent: Sequence[Message]) -> None:
        now = time.time_ns() // 1_000_000
        for told in sent:
            self._delay.took(max(0, now - told.at) / 1000)


async def _write(send: Send, body: bytes, patience: asyncio.Timeout, *, more: bool = True) -> None:
    patience.reschedule(asyncio.get_running_loop().time() + SEND_WITHIN_S)
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _rest(patience: asyncio.Timeout) -> None:
    patience.reschedule(None)
    await asyncio.sleep(PAUSE_S)


async def _woken(stream: Stream, patience: asyncio.Timeout) -> bool:
    """Wait for something to send; False: nothing came for a heartbeat."""
    patience.reschedule(None)
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            await stream.woken.wait()
    except TimeoutError:
        return False
    return True


async def _leave(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end(End.GONE)
