"""Embed tokens: what a page of another origin may show of one account, for a quarter of an hour.

Made by a service that holds an API key, for one account and one origin; reads the balance and asks
prices, nothing else. Only its SHA-256 is stored. It ends with its key, too.
"""

import hashlib
import secrets

from contracts.units import MINUTE, Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.keyring import KeyRing
from gateway.problems import failure

LIFETIME_MS = 15 * MINUTE  # a page asks its own server for the next one
PER_ACCOUNT_MAX = 200  # alive at once: page views of one account in a lifetime
TOKEN_LENGTH_MAX = 64

_MAKE = """
WITH gone AS (
  DELETE FROM identity.embeds WHERE expires_at <= %(now)s
)
INSERT INTO identity.embeds (sha256, account, origin, key, expires_at)
SELECT %(sha256)s, %(account)s, %(origin)s, %(key)s, %(expires)s
 WHERE (SELECT count(*) FROM identity.embeds
         WHERE account = %(account)s AND expires_at > %(now)s) < %(most)s"""
_FIND = """
SELECT account, origin, key, expires_at FROM identity.embeds
 WHERE sha256 = %(sha256)s AND expires_at > %(now)s"""


class Embed(Struct, frozen=True):
    """What a token opens: the account, for pages of this origin; `key` is the id of who made it."""

    account: str
    origin: str
    key: str
    expires_at: Ms


class EmbedTokens:
    """Makes and finds them."""

    def __init__(self, identity: Identity, ring: KeyRing) -> None:
        self._identity = identity
        self._ring = ring

    async def make(self, account: str, origin: str, key: str, now: Ms) -> tuple[str, Ms]:
        """A new token and when it ends; raises 429 while an account has too many."""
        token, expires = secrets.token_urlsafe(32), now + LIFETIME_MS
        values = {
            "sha256": _sha256(token),
            "account": account,
            "origin": origin,
            "key": key,
            "now": now,
            "expires": expires,
            "most": PER_ACCOUNT_MAX,
        }
        if await self._identity.change(_MAKE, values) != 1:
            raise failure(
                429,
                "rate_limited",
                "This account has enough embed tokens; use them until they end.",
                retry_after_s=LIFETIME_MS // 1000,
            )
        return token, expires

    async def find(self, token: str, origin: str, now: Ms) -> Embed | None:
        """What a token opens for a page of this origin, while its key is good."""
        if len(token) > TOKEN_LENGTH_MAX:
            return None
        values = {"sha256": _sha256(token), "now": now}
        found = await self._identity.row(Embed, _FIND, values)
        if found is None or found.origin != origin or self._ring.over(found.key, now):
            return None
        return found


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
