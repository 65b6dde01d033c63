"""API keys `scrip_<env>_<id>_<secret><crc>`: what one looks like, and what one may do.

The CRC tells a typo or a truncated key from a wrong one before anything is looked up. Only the
SHA-256 of the whole key is kept; the secret has 190 random bits, so a plain hash is enough.
"""

import hashlib
import hmac
import secrets
import string
from enum import StrEnum
from zlib import crc32

from contracts.units import Ms
from msgspec import Struct

_LETTERS = string.ascii_letters + string.digits
_ID_LENGTH = 12  # 71 bits: keys of one installation never collide by chance
_SECRET_LENGTH = 32  # 190 bits
_CRC_LENGTH = 8  # CRC-32 in hex
_KEY_LENGTH_MAX = 128


class Scope(StrEnum):
    """What a key may be used for."""

    READ = "read"
    SPEND = "spend"
    GRANT = "grant"
    ADMIN = "admin"


class Key(Struct, frozen=True):
    """A key as it is stored. `account` None: a service key, for any account."""

    id: str
    sha256: bytes
    scopes: frozenset[Scope]
    account: str | None = None
    label: str = ""
    created_at: Ms = 0
    expires_at: Ms | None = None
    revoked_at: Ms | None = None

    def usable(self, now: Ms) -> bool:
        """Whether it opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def make(env: str) -> tuple[str, str]:
    """A new key's id and its text; the text is shown once and never stored."""
    key_id = "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))
    secret = "".join(secrets.choice(_LETTERS) for _ in range(_SECRET_LENGTH))
    head = f"scrip_{env}_{key_id}_{secret}"
    return key_id, head + _crc(head.encode())


def sha256(text: str | bytes) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).digest()


def id_of(text: bytes, env: bytes) -> str | None:
    """The id within a well-formed key of this environment; None for anything else."""
    if len(text) > _KEY_LENGTH_MAX or not text.startswith(b"scrip_"):
        return None
    head, crc = text[:-_CRC_LENGTH], text[-_CRC_LENGTH:]
    if b"%08x" % crc32(head) != crc:
        return None
    parts = head.split(b"_")
    if len(parts) != 4 or parts[1] != env:
        return None
    return parts[2].decode("ascii", "replace")


def opens(key: Key, text: bytes) -> bool:
    """Whether this text is that key; takes the same time for a near miss."""
    return hmac.compare_digest(key.sha256, hashlib.sha256(text).digest())


def _crc(head: bytes) -> str:
    return f"{crc32(head):08x}"
