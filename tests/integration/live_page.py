"""A live page without a browser: reads server-sent events from `/api/live`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

WITHIN_S = 20.0


class Said(msgspec.Struct):
    """One event of the stream."""

    name: str
    id: str
    body: dict[str, Any]


class Page:
    """What a page is told, in order. `last` is what it would name when it comes back."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last = ""
        self._lines = answer.aiter_lines()

    async def next(self, within_s: float = WITHIN_S) -> Said:
        """The next event; raises TimeoutError, and EOFError when the stream is over."""
        async with asyncio.timeout(within_s):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "event" in fields:
                    self.last = fields.get("id", self.last)
                    body = msgspec.json.decode(fields["data"])
                    return Said(fields["event"], fields.get("id", ""), body)
                else:
                    fields = {}  # a comment, or how long to wait before coming back
        raise EOFError

    async def until(self, name: str) -> Said:
        """The next event of this name."""
        while (said := await self.next()).name != name:
            pass
        return said


@asynccontextmanager
async def page(client: httpx.AsyncClient, last: str = "", **headers: str) -> AsyncIterator[Page]:
    """An open page, as of `last`."""
    sent = {**headers, **({"Last-Event-ID": last} if last else {})}
    async with client.stream("GET", "/api/live", headers=sent) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield Page(answer)
