"""One zygote process and the line to it: start, ask, hear, end.

A link lives as long as its zygote.  When the zygote dies, every run that was in it ends as
`Failed(crashed)` (which costs nothing), and the link says so once, through `gone`.
"""

import asyncio
import contextlib
import socket
import sys
from dataclasses import dataclass, field

import msgspec

from studio_tools.frames import (
    LENGTH_BYTES,
    Cancel,
    Ended,
    FromZygote,
    Ready,
    Start,
    frame_length,
    pack,
)
from studio_tools.outcomes import Failed, Limits, Outcome, Reason, Usage

READY_WITHIN_S = 20.0  # starting takes about 0.3 s; a loaded machine may need much longer
END_WITHIN_S = 2.0  # an orderly end is immediate; after this it is killed


@dataclass(frozen=True, slots=True)
class ZygoteConfig:
    """Where the tools come from.  `may_fork` and `search` are for tests."""

    registry: str
    may_fork: bool = False
    search: tuple[str, ...] = ()


class ZygoteError(Exception):
    """The zygote did not start.  Its own words are on stderr."""


@dataclass(slots=True)
class Link:
    """Made by `open_link`.  `ask` may be called by many at once."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ready: Ready
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: dict[int, asyncio.Future[Outcome]] = field(default_factory=dict)
    _next_slot: int = 1
    _listener: asyncio.Task[None] | None = None

    def listen(self) -> None:
        self._listener = asyncio.create_task(self._listen(), name="zygote-listener")

    async def ask(self, tool: str, payload: bytes, limits: Limits, grace_s: float) -> Outcome:
        """Run and wait.  Kills the whole zygote if it says nothing `grace_s` after the timeout."""
        slot, self._next_slot = self._next_slot, self._next_slot + 1
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self.gone.is_set():
            return _lost()
        self._waiting[slot] = answer
        self.writer.write(pack(Start(slot, tool, payload, limits)))
        try:
            async with asyncio.timeout(limits.timeout_ms / 1000 + grace_s):
                return await answer
        except TimeoutError:
            self.kill()
            return Failed(Reason.TIMEOUT, Usage(), "the zygote did not answer and was killed")
        except asyncio.CancelledError:
            if not self.gone.is_set():
                self.writer.write(pack(Cancel(slot)))
            raise
        finally:
            self._waiting.pop(slot, None)

    def kill(self) -> None:
        self.gone.set()  # at once: nobody may ask a dying zygote
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def close(self) -> None:
        """End the zygote and every run in it."""
        self.writer.close()
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()
        if self._listener is not None:
            await self._listener

    async def _listen(self) -> None:
        decoder = msgspec.msgpack.Decoder(FromZygote)
        try:
            while True:
                message = decoder.decode(await _frame(self.reader))
                if isinstance(message, Ended):
                    self._settle(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the zygote is gone, which is all there is to know
        finally:
            self.gone.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_result(_lost())
            self.kill()
            self.writer.close()

    def _settle(self, ended: Ended) -> None:
        waiting = self._waiting.get(ended.slot)
        if waiting is not None and not waiting.done():
            waiting.set_result(ended.outcome)


async def open_link(config: ZygoteConfig) -> Link:
    """Start a zygote and wait until it is warm.  Raises ZygoteError."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            "studio_tools.zygote",
            str(theirs.fileno()),
            config.registry,
            "may-fork" if config.may_fork else "no-fork",
            *config.search,
            pass_fds=(theirs.fileno(),),
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            first = msgspec.msgpack.decode(await _frame(reader), type=FromZygote)
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as wrong:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        writer.close()
        raise ZygoteError("the zygote did not start; its own words are on stderr") from wrong
    assert isinstance(first, Ready)
    link = Link(process, reader, writer, first)
    link.listen()
    return link


async def _frame(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(frame_length(await reader.readexactly(LENGTH_BYTES)))


def _lost() -> Failed:
    return Failed(Reason.CRASHED, Usage(), "the zygote died with the run in it")
