"""Sign-in links: one use, 15 minutes, and only their SHA-256 is stored.

A link is used up by one statement, so that of two who follow it at once one is let in.
"""

import hashlib
import secrets

from contracts.units import MINUTE, Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.problems import failure

LIFETIME_MS = 15 * MINUTE  # longer than slow mail, shorter than a forgotten open mailbox
PER_ADDRESS_MAX = 5  # within a lifetime: more would be a nuisance in somebody's mailbox

_MAKE = """
WITH gone AS (
  DELETE FROM identity.links WHERE expires_at <= %(now)s
)
INSERT INTO identity.links (sha256, email, back, made_at, expires_at)
SELECT %(sha256)s, %(email)s, %(back)s, %(now)s, %(expires)s
 WHERE (SELECT count(*) FROM identity.links
         WHERE email = %(email)s AND expires_at > %(now)s) < %(most)s"""
_USE = """
DELETE FROM identity.links WHERE sha256 = %(sha256)s AND expires_at > %(now)s
RETURNING email, back"""


class Used(Struct):
    """Whom a link was sent to, and where they go on."""

    email: str
    back: str


class Links:
    """Makes links and uses them up."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def make(self, email: str, back: str, now: Ms) -> str:
        """A new link's token; raises 429 while this address has too many."""
        token = secrets.token_urlsafe(32)
        values = {
            "sha256": _sha256(token),
            "email": email,
            "back": back,
            "now": now,
            "expires": now + LIFETIME_MS,
            "most": PER_ADDRESS_MAX,
        }
        if await self._identity.change(_MAKE, values) != 1:
            raise failure(
                429,
                "rate_limited",
                "Enough links are on their way to this address; use the newest, or wait.",
                retry_after_s=LIFETIME_MS // 1000,
            )
        return token

    async def use(self, token: str, now: Ms) -> Used:
        """Whom this link was sent to; raises 410 if it is used, expired or unknown."""
        values = {"sha256": _sha256(token), "now": now}
        if (found := await self._identity.row(Used, _USE, values)) is None:
            raise failure(
                410,
                "link_over",
                "This link was used already or is too old. Ask for a new one.",
            )
        return found


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
