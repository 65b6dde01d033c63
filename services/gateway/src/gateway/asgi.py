"""A request and a reply in plain ASGI: only what the hot routes need, nothing allocated twice."""

from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from secrets import token_hex
from typing import Any, TypeAlias

from bus.trace import Trace
from contracts.runs import INPUT_BYTES_MAX
from contracts.units import Ms

from gateway.principals import Principal
from gateway.problems import CONTENT_TYPE, failure

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

BODY_BYTES_MAX = 16 << 10  # far above any command; with its envelope far below a Kafka record
RUN_BODY_BYTES_MAX = INPUT_BYTES_MAX + (8 << 10)  # the input, and what is around it
BATCH_BODY_BYTES_MAX = 1 << 20  # 1,000 items
_ID_LENGTH_MAX = 128  # of a request id that we echo
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", CONTENT_TYPE)
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")


class Call:
    """One request. `names` are the parts of the path that are not fixed."""

    __slots__ = ("address", "approved_by", "body", "headers", "names", "now", "principal", "trace")

    principal: Principal
    approved_by: str | None

    def __init__(
        self,
        headers: dict[bytes, bytes],
        names: tuple[str, ...],
        trace: Trace,
        now: Ms,
        address: str,
    ) -> None:
        self.headers = headers
        self.names = names
        self.trace = trace
        self.now = now
        self.address = address
        self.body = b""
        self.approved_by = None


class Reply:
    """One answer: JSON bytes already encoded."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, headers: Headers = ()) -> None:
        self.status = status
        self.body = body
        self.headers = headers


class RequestIds:
    """Ids for requests that came without one: a fresh prefix per process, then a number."""

    def __init__(self) -> None:
        self._prefix = token_hex(6)
        self._numbers = count(1)

    def trace(self, headers: dict[bytes, bytes]) -> Trace:
        """The request's id, the caller's if it is harmless, and its trace context."""
        given = headers.get(b"x-request-id", b"")
        if not given or len(given) > _ID_LENGTH_MAX or not _KEPT.issuperset(given):
            request_id = f"{self._prefix}-{next(self._numbers):x}"
        else:
            request_id = given.decode()
        parent = headers.get(b"traceparent", b"")
        if not parent or len(parent) != 55 or not _KEPT.issuperset(parent):
            return Trace(request_id)
        return Trace(request_id, parent.decode())


async def read_body(receive: Receive, most: int) -> bytes:
    """The whole body; 413 above `most` bytes."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                break
        body = b"".join(parts)
    if message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > most:
        raise failure(413, "body_too_large", f"The body may have {most} bytes at most.")
    return body


class ClientGone(Exception):
    """The caller hung up before its request was complete."""


async def respond(send: Send, reply: Reply, trace: Trace) -> None:
    """Send a reply with its request id and trace context."""
    sent = [
        _JSON if reply.status < 400 else _PROBLEM,
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-request-id", trace.request_id.encode()),
        *reply.headers,
    ]
    if trace.traceparent:
        sent.append((b"traceparent", trace.traceparent.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": sent})
    await send({"type": "http.response.body", "body": reply.body})
