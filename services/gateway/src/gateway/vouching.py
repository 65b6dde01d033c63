"""Vouching for a caller to a service behind the same host: an identity token of one minute."""

import time

import jwt
from contracts.identity import ALGORITHM, ISSUER, LIFETIME_S, PAYMENTS, TYPE
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.guest import Guest
from gateway.settings import SettingsError


class Vouching:
    """Signs with one Ed25519 key; without a key it is not `able` and nobody is vouched for."""

    def __init__(self, pem: str) -> None:
        self._key = _key(pem) if pem else None

    @property
    def able(self) -> bool:
        """Whether there is a key."""
        return self._key is not None

    def token(self, guest: Guest) -> str:
        """Who calls, signed."""
        if self._key is None:
            raise SettingsError("SCRIP_IDENTITY_KEY is not set; nobody can be vouched for")
        now, who = int(time.time()), guest.principal
        claims = {
            "iss": ISSUER,
            "aud": PAYMENTS,
            "sub": who.id,
            "iat": now,
            "exp": now + LIFETIME_S,
            "account": guest.account,
            "scopes": sorted(who.scopes),
            "kind": who.actor.kind,
            "actor": who.actor.id,
        }
        return jwt.encode(claims, self._key, ALGORITHM, headers={"typ": TYPE})


def _key(pem: str) -> Ed25519PrivateKey:
    try:
        found = load_pem_private_key(pem.encode(), password=None)
    except ValueError as why:
        raise SettingsError("SCRIP_IDENTITY_KEY is no private key in PEM") from why
    if not isinstance(found, Ed25519PrivateKey):
        raise SettingsError("SCRIP_IDENTITY_KEY must be an Ed25519 key")
    return found
