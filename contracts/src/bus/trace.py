"""What travels beside a message: the request id and the W3C trace context, as Kafka headers."""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

Headers: TypeAlias = Sequence[tuple[str, bytes]]


class Trace(Struct, frozen=True, gc=False):
    """A request's id and its `traceparent`; empty when unknown."""

    request_id: str = ""
    traceparent: str = ""

    def headers(self) -> list[tuple[str, bytes]]:
        """As Kafka headers; none for what is unknown."""
        pairs = (("x-request-id", self.request_id), ("traceparent", self.traceparent))
        return [(name, value.encode()) for name, value in pairs if value]


def trace_of(headers: Headers) -> Trace:
    """The trace that a record carries."""
    found = dict(headers)
    return Trace(
        request_id=found.get("x-request-id", b"").decode("ascii", "replace"),
        traceparent=found.get("traceparent", b"").decode("ascii", "replace"),
    )
