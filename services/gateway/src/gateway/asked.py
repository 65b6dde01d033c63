"""What a request says about itself: the key that names it, the account it is for, the path's id."""

import re
from collections.abc import Mapping

from gateway.asgi import Call
from gateway.bodies import NAME
from gateway.principals import not_found
from gateway.problems import failure

_name = re.compile(NAME).match


def key_of(call: Call) -> str:
    """The Idempotency-Key, plain or in quotes; 400 when it is missing or not of our alphabet."""
    return key_in(call.headers)


def key_in(headers: Mapping[bytes, bytes]) -> str:
    """The same, of any request's headers."""
    raw = headers.get(b"idempotency-key", b"").decode("latin-1")
    if raw.startswith('"') and raw.endswith('"') and len(raw) > 1:
        raw = raw[1:-1]
    if _name(raw) is None:
        raise failure(
            400,
            "idempotency_key_missing" if not raw else "idempotency_key_invalid",
            "Send a header `Idempotency-Key` of 1 to 64 characters out of A-Z a-z 0-9 . _ : -"
            " and the same one again when you retry.",
        )
    return raw


def account_of(call: Call, named: str | None) -> str:
    """The account to act on: named in the body or by `Scrip-Account`, or the key's own."""
    if named is None and (header := call.headers.get(b"scrip-account")):
        named = header.decode("latin-1")
        if _name(named) is None:
            raise not_found()
    return call.principal.acts_for(named)


def id_of(call: Call) -> str:
    """The id in the path; 404 for what can be no id."""
    name = call.names[0]
    if _name(name) is None:
        raise not_found()
    return name


def member_of(call: Call, named: str | None) -> None:
    """Raise 403 where the caller may not say who runs: it would choose whose limit counts."""
    if named is not None:
        call.principal.must_be_staff()
