"""Signing in by a provider as pages: away to it, and back, where everything is said on one page.

Leaving is a link, not a form: the policy of our pages lets forms lead nowhere else.
"""

import time

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.openid import BACK, OpenIdSignIn
from gateway.pages.signing import SigningPages
from gateway.pages.visit import Visit
from gateway.problems import ProblemError
from gateway.returning import HOME, here
from gateway.sessions import in_cookie

AWAY = "/sign-in/with"
_TOLD = {403, 410, 503}  # what the page of signing in can say; anything else is a page of its own


class Providing(Struct, frozen=True):
    """There and back."""

    signing: SigningPages
    openid: OpenIdSignIn

    async def leave(self, request: Request, _visit: Visit | None) -> Response:
        """GET /sign-in/with?to=."""
        to, now = here(request.query_params.get("to", HOME)), time.time_ns() // 1_000_000
        try:
            url, browser = await self.openid.leave(self._browser(request), to, now)
        except ProblemError as why:
            return self._told(why)
        return self.openid.mark(RedirectResponse(url, status_code=303), browser)

    async def back(self, request: Request, _visit: Visit | None) -> Response:
        """GET /sign-in/back, sent by the provider."""
        now = time.time_ns() // 1_000_000
        try:
            cookie, to = await self.openid.arrive(request.query_params, self._browser(request), now)
        except ProblemError as why:
            return self._told(why)
        return self.openid.sessions.give(RedirectResponse(to, status_code=303), cookie)

    def _browser(self, request: Request) -> str:
        cookie = request.headers.get("cookie", "").encode("latin-1")
        return in_cookie(cookie, self.openid.cookie) or ""

    def _told(self, why: ProblemError) -> Response:
        if why.problem.status not in _TOLD:
            raise why
        return self.signing.told(why)


def routes(page: Providing) -> APIRouter:
    """The pages of signing in by a provider."""
    router, door = APIRouter(), page.signing.doorway
    door.open_page(router, "GET", AWAY, page.leave)
    door.open_page(router, "GET", BACK, page.back)
    return router
