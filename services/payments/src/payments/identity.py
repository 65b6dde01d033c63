"""Who calls: the gateway's identity token, checked whole; nobody else's word counts.

Only public keys are here: whoever reads this process's memory can vouch for nobody.
"""

import re

import jwt
import msgspec
from contracts.identity import ALGORITHM, HEADER, ISSUER, PAYMENTS, TYPE, Identity
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Request

from payments.problems import failure
from payments.settings import SettingsError

_NEEDED = ["iss", "aud", "sub", "iat", "exp"]


_BLOCK = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


def public_keys(pem: str) -> tuple[Ed25519PublicKey, ...]:
    """The keys of a text with any number of PEM blocks; raises SettingsError."""
    found = []
    for block in _BLOCK.findall(pem):
        try:
            key = load_pem_public_key(block.encode())
        except ValueError as why:
            raise SettingsError("SCRIP_IDENTITY_PUBLIC_KEYS has a block that is no key") from why
        if not isinstance(key, Ed25519PublicKey):
            raise SettingsError("SCRIP_IDENTITY_PUBLIC_KEYS must be Ed25519 keys")
        found.append(key)
    if pem and not found:
        raise SettingsError("SCRIP_IDENTITY_PUBLIC_KEYS has no public key in PEM")
    return tuple(found)


class Guard:
    """Checks tokens by the keys in force; without a key nobody gets in."""

    def __init__(self, keys: tuple[Ed25519PublicKey, ...]) -> None:
        self._keys = keys

    def caller(self, request: Request, scope: str) -> Identity:
        """The caller with this scope; raises 401 or 403 to answer with."""
        found = self._read(request.headers.get(HEADER, ""))
        if found is None:
            raise failure(401, "unauthenticated", "Call this through the gateway, with a key.")
        if scope not in found.scopes:
            raise failure(403, "scope_missing", f"This needs a key with the scope {scope!r}.")
        return found

    def _read(self, token: str) -> Identity | None:
        read = (_by(key, token) for key in self._keys if token)
        return next((found for found in read if found is not None), None)


def _by(key: Ed25519PublicKey, token: str) -> Identity | None:
    try:
        if jwt.get_unverified_header(token).get("typ") != TYPE:
            return None
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=PAYMENTS,
            issuer=ISSUER,
            options={"require": _NEEDED},
        )
        return msgspec.convert(claims, Identity)
    except (jwt.InvalidTokenError, msgspec.ValidationError):
        return None
