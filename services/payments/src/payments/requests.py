"""A request's body and key, checked at the door; a struct as an answer."""

from typing import TypeVar

import msgspec
from contracts.codec import encode
from fastapi import Request
from fastapi.responses import Response
from msgspec import Struct

from payments.problems import failure

BODY_BYTES_MAX = 16 << 10  # far above any of these bodies
KEY_LENGTH_MAX = 128

_Body = TypeVar("_Body", bound=Struct)


async def body(request: Request, kind: type[_Body]) -> _Body:
    """The decoded body; raises 413 or 422 naming what is wrong."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > BODY_BYTES_MAX:
            raise failure(413, "body_too_large", f"At most {BODY_BYTES_MAX} bytes.")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        raise failure(422, "invalid_request", f"The request does not fit: {why}.") from why


def idempotency_key(request: Request, *, needed: bool = False) -> str:
    """The caller's name for its request; empty when there is none and none is needed."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > KEY_LENGTH_MAX or not key.isprintable():
        raise failure(422, "invalid_request", "Idempotency-Key: at most 128 printable characters.")
    if needed and not key:
        raise failure(
            422, "idempotency_key_missing", "Send an Idempotency-Key: a name for this request."
        )
    return key


def answer(shown: Struct, status: int = 200) -> Response:
    """A struct as JSON."""
    return Response(encode(shown), status_code=status, media_type="application/json")
