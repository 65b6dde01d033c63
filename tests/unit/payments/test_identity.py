"""Whose word counts: a fresh token for payments, signed by the gateway's key; nobody else's."""

import time
from typing import Any

import jwt
import pytest
from contracts.commands import ActorKind
from contracts.identity import ALGORITHM, HEADER, ISSUER, LIFETIME_S, PAYMENTS, TYPE
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import Request
from payments.identity import Guard, public_keys
from payments.problems import ProblemError
from payments.settings import SettingsError

GATEWAY, OLD, STRANGER = (Ed25519PrivateKey.generate() for _ in range(3))


def pem(*keys: Ed25519PrivateKey) -> str:
    shapes = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    return "".join(key.public_key().public_bytes(*shapes).decode() for key in keys)


GUARD = Guard(public_keys(pem(GATEWAY, OLD)))


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": PAYMENTS,
        "sub": "session:1",
        "iat": now,
        "exp": now + LIFETIME_S,
        "account": "ada",
        "scopes": ["read"],
        "kind": ActorKind.PERSON,
        "actor": "ada",
        **other,
    }


def token(key: Any = GATEWAY, algorithm: str = ALGORITHM, typ: str = TYPE, **other: Any) -> str:
    return jwt.encode(claims(**other), key, algorithm, headers={"typ": typ})


def asking(shown: str) -> Request:
    return Request({"type": "http", "headers": [(HEADER.encode(), shown.encode())]})


@pytest.mark.parametrize("key", [GATEWAY, OLD])
def test_the_gateways_word_counts_and_the_old_keys_while_it_is_rolled(
    key: Ed25519PrivateKey,
) -> None:
    assert GUARD.caller(asking(token(key)), "read").account == "ada"


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "x.y.z",
        token(STRANGER),
        token("x" * 64, "HS256"),
        token("", "none"),
        token(typ="JWT"),
        token(aud="another"),
        token(iss="another"),
        token(exp=int(time.time()) - 1),
        token(account=7),
    ],
)
def test_nobody_elses_word_counts(shown: str) -> None:
    with pytest.raises(ProblemError) as refused:
        GUARD.caller(asking(shown), "read")
    assert refused.value.problem.status == 401


def test_the_public_key_taken_for_a_shared_secret_opens_nothing() -> None:
    import base64
    import hashlib
    import hmac

    import msgspec

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()

    signed = f"{part({'alg': 'HS256', 'typ': TYPE})}.{part(claims())}"
    mac = hmac.new(pem(GATEWAY).encode(), signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(ProblemError):
        GUARD.caller(asking(forged), "read")


def test_without_a_key_nobody_gets_in() -> None:
    with pytest.raises(ProblemError):
        Guard(public_keys("")).caller(asking(token()), "read")


def test_keys_that_are_none_are_named_at_the_start() -> None:
    for wrong in ("secret", pem(GATEWAY).replace("M", "!", 1)):
        with pytest.raises(SettingsError, match="SCRIP_IDENTITY_PUBLIC_KEYS"):
            public_keys(wrong)
