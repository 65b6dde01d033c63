"""Sign-in by an OpenID provider: away to it and back, by an authorization code with PKCE."""

from collections.abc import Mapping

from contracts.units import Ms
from fastapi.responses import Response
from msgspec import Struct

from gateway.departures import LIFETIME_MS, Departures
from gateway.logins import Logins
from gateway.problems import failure
from gateway.provider import Provider
from gateway.sessions import Sessions

BACK = "/sign-in/back"  # the one redirect address to register with the provider
CODE_LENGTH_MAX = 4_096  # of the longest that providers are known to make


class OpenIdSignIn(Struct, frozen=True):
    """What signing in by a provider needs."""

    provider: Provider
    departures: Departures
    logins: Logins
    sessions: Sessions

    @property
    def name(self) -> str:
        """What people call the provider."""
        return self.provider.known.name

    @property
    def cookie(self) -> str:
        """The name of the cookie that ties the way back to the browser that left."""
        return self.sessions.cookie.replace("session", "departure")

    async def leave(self, browser: str, back: str, now: Ms) -> tuple[str, str]:
        """The provider's address to go to, and the browser's secret; raises 503."""
        departure = await self.departures.start(browser, back, now)
        return await self.provider.way(departure), departure.browser

    async def arrive(self, query: Mapping[str, str], browser: str, now: Ms) -> tuple[str, str]:
        """A new session's cookie value, and where to go on; raises 403, 410, 503."""
        departure = await self.departures.arrive(browser, query.get("state", ""), now)
        code, named = query.get("code", ""), query.get("iss", self.provider.known.issuer)
        if "error" in query or not 0 < len(code) <= CODE_LENGTH_MAX:
            raise failure(403, "provider_refused", "The provider did not say who you are.")
        if named != self.provider.known.issuer:
            raise failure(403, "token_refused", "The answer came from another provider.")
        stranger = await self.provider.who(code, departure)
        person = await self.logins.person(stranger, self.provider.known, now)
        return await self.sessions.sign_in(person, now), departure.back

    def mark(self, response: Response, browser: str) -> Response:
        """The same response, with the browser's secret: sent along when the provider sends back."""
        response.set_cookie(
            self.cookie,
            browser,
            max_age=LIFETIME_MS // 1000,
            httponly=True,
            samesite="lax",
            path="/",
            secure=self.sessions.secure,
        )
        return response
