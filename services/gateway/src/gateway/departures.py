"""Who left for a provider, and may come back: once, within ten minutes, in the same browser.

The browser's cookie is 256 random bits. `nonce` and `verifier` follow from it and from the state,
so that what is stored, two hashes, opens nothing.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

from contracts.units import MINUTE, Ms
from msgspec import Struct

from gateway.identity import Identity
from gateway.problems import failure

LIFETIME_MS = 10 * MINUTE  # to type a password and a second factor, and to look for the phone
SECRET_LENGTH = 43  # of 256 bits in base64

_START = """
WITH gone AS (
  DELETE FROM identity.departures WHERE expires_at <= %(now)s
)
INSERT INTO identity.departures (state, browser, back, expires_at)
VALUES (%(state)s, %(browser)s, %(back)s, %(expires)s)"""
_ARRIVE = """
DELETE FROM identity.departures
 WHERE state = %(state)s AND browser = %(browser)s AND expires_at > %(now)s
RETURNING back"""


class Departure(Struct, frozen=True):
    """One way to the provider and back."""

    browser: str
    state: str
    back: str

    @property
    def nonce(self) -> str:
        """What the token must name."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What proves, with the code, that it was asked for here (PKCE)."""
        return self._derived("verifier")

    def _derived(self, use: str) -> str:
        mac = hmac.digest(self.browser.encode(), f"{use}:{self.state}".encode(), "sha256")
        return urlsafe_b64encode(mac).rstrip(b"=").decode()


class _Back(Struct):
    back: str


class Departures:
    """Notes who leaves, and uses each departure up."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def start(self, browser: str, back: str, now: Ms) -> Departure:
        """Somebody leaves; a browser without a secret is given one."""
        kept = browser if len(browser) == SECRET_LENGTH else secrets.token_urlsafe(32)
        departure = Departure(kept, secrets.token_urlsafe(32), back)
        await self._identity.change(
            _START, {**_hashes(departure), "back": back, "now": now, "expires": now + LIFETIME_MS}
        )
        return departure

    async def arrive(self, browser: str, state: str, now: Ms) -> Departure:
        """Somebody is back; raises 410 for what is used, old, unknown or of another browser."""
        found = Departure(browser, state, "")
        row = await self._identity.row(_Back, _ARRIVE, {**_hashes(found), "now": now})
        if row is None:
            raise failure(
                410,
                "sign_in_over",
                "This sign-in was used already, is too old, or began in another browser.",
            )
        return Departure(browser, state, row.back)


def _hashes(departure: Departure) -> dict[str, object]:
    return {"state": _sha256(departure.state), "browser": _sha256(departure.browser)}


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
