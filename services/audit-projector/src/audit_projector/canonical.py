r"""RFC 8785: one JSON value has one sequence of bytes, so that a hash of it means something.

The fast way is taken where it is provably the same: pure ASCII without `\u` escapes (then the
order of names by bytes is the order by UTF-16, and only the short escapes occur) and no number with
a fraction or exponent. Integers beyond 2**53, which RFC 8785 leaves out, are written in full: a log
must not stop at a number.
"""

import json
from typing import Any, NoReturn

import msgspec
import rfc8785


class NotCanonical(ValueError):
    """These bytes are no JSON at all."""


class _HasFloat(Exception):
    pass


def _float(_: str) -> NoReturn:
    raise _HasFloat


_plain = msgspec.json.Decoder(float_hook=_float).decode
_any = msgspec.json.Decoder().decode
_written = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="sorted").encode


def canonical(raw: bytes) -> bytes:
    """The canonical bytes of a JSON document; raises NotCanonical."""
    try:
        if raw.isascii() and b"\\u" not in raw:
            try:
                return _sorted(_plain(raw))
            except _HasFloat:
                pass
        return canonical_value(_any(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise NotCanonical(f"not JSON: {wrong}") from wrong


def canonical_struct(raw: bytes, decoded: msgspec.Struct) -> bytes:
    """The same as `canonical(raw)`, sooner, when `raw` is how we would write `decoded` ourselves.

    Then nothing in it is unknown to its struct, whose names are ASCII. It must hold no `Raw`.
    """
    if raw.isascii() and b"\\u" not in raw and _written(decoded) == raw:
        return _sorted(decoded)
    return canonical(raw)


def canonical_value(value: Any) -> bytes:  # a JSON value has no narrower type
    """The canonical bytes of a decoded JSON value, the careful way."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        members = (canonical_value(name) + b":" + canonical_value(value[name]) for name in names)
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical_value, value)) + b"]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).encode()
    if isinstance(value, float):
        return rfc8785.dumps(value)
    return json.dumps(value).encode()
