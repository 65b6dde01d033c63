"""HTTP/1.1 over kept connections, as little of it as the demo needs, so that it shows the gateway.

A general client would spend more time on a request than the gateway and the ledger together.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct


class WireError(ConnectionError):
    """The connection broke before the whole answer was read; whether it was heard is unknown."""


class Answer(Struct, frozen=True):
    """A status and the JSON that came with it."""

    status: int
    body: Any


class Wire:
    """Kept connections to one origin, one request at a time on each."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        origin = urlsplit(url)
        self._host, self._port = origin.hostname or "", origin.port or 80
        named = {"Host": origin.netloc, "Content-Type": "application/json", **headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request and read its answer; raises WireError."""
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{more}Content-Length: {len(body)}\r\n\r\n"
        reader, writer = await self._connection()
        try:
            writer.write(head.encode("ascii") + body)
            answer = await _read(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as why:
            writer.close()
            raise WireError(repr(why)) from why
        self._idle.append((reader, writer))
        return answer

    async def close(self) -> None:
        """Close every connection."""
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._idle:
            return self._idle.pop()
        try:
            return await asyncio.open_connection(self._host, self._port)
        except OSError as why:
            raise WireError(repr(why)) from why


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    size = 0
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            size = int(value)
    raw = await reader.readexactly(size)
    return Answer(status, json.loads(raw) if raw else None)
