"""Who calls: the gateway's identity token, checked whole; nobody else's word counts."""

import jwt
import msgspec
from contracts.identity import ALGORITHM, HEADER, ISSUER, PAYMENTS, SECRET_BYTES_MIN, TYPE, Identity
from fastapi import Request

from payments.problems import failure

_NEEDED = ["iss", "aud", "sub", "iat", "exp"]


class Guard:
    """Checks tokens under one secret; without a secret nobody gets in."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode() if len(secret.encode()) >= SECRET_BYTES_MIN else b""

    def caller(self, request: Request, scope: str) -> Identity:
        """The caller with this scope; raises 401 or 403 to answer with."""
        found = self._read(request.headers.get(HEADER, ""))
        if found is None:
            raise failure(401, "unauthenticated", "Call this through the gateway, with a key.")
        if scope not in found.scopes:
            raise failure(403, "scope_missing", f"This needs a key with the scope {scope!r}.")
        return found

    def _read(self, token: str) -> Identity | None:
        if not self._secret or not token:
            return None
        try:
            if jwt.get_unverified_header(token).get("typ") != TYPE:
                return None
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=PAYMENTS,
                issuer=ISSUER,
                options={"require": _NEEDED},
            )
            return msgspec.convert(claims, Identity)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
