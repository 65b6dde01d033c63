"""Secrets and keys that the services of one installation share: made once, for their owner only."""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def make_secret(file: Path) -> None:
    """Something that nobody can guess."""
    if not file.exists():
        _write(file, secrets.token_urlsafe(32).encode())


def make_keys(private: Path, public: Path) -> None:
    """An Ed25519 pair: one file signs, the other checks; that one can be made again."""
    if not private.exists():
        fresh = Ed25519PrivateKey.generate()
        _write(
            private,
            fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
    if not public.exists():
        key = load_pem_private_key(private.read_bytes(), password=None)
        checks = key.public_key()
        public.write_bytes(checks.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _write(file: Path, text: bytes) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(text)
    fresh.replace(file)
