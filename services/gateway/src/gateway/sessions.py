"""Development sessions: anyone may sign in as any account. In memory; gone with the process."""

import secrets

from contracts.units import HOUR, MINUTE, Ms

COOKIE = "scrip_session"
IDLE_MS = 30 * MINUTE
ABSOLUTE_MS = 12 * HOUR
SESSIONS_MAX = 10_000  # on a developer's machine; the oldest goes first


class Sessions:
    """Who is signed in, by the cookie's value."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, Ms, Ms]] = {}

    def sign_in(self, account: str, now: Ms) -> str:
        """A new session's cookie value."""
        if len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        token = secrets.token_urlsafe(32)
        self._open[token] = (account, now, now)
        return token

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._open.pop(token, None)

    def account(self, token: str, now: Ms) -> str | None:
        """Who this is; None for an unknown, idle or old session."""
        if (found := self._open.get(token)) is None:
            return None
        account, since, seen = found
        if now - since >= ABSOLUTE_MS or now - seen >= IDLE_MS:
            del self._open[token]
            return None
        self._open[token] = (account, since, now)
        return account


def token_of(cookie: bytes) -> str | None:
    """Our cookie in a Cookie header."""
    for pair in cookie.decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return None
