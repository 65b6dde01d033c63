"""Sign-in by a link sent by e-mail; sign-out here and everywhere; who I am.

Whoever reads the mailbox owns the account, so there is no password to lose. Everybody hears the
same answer, known or not. Opening the link changes nothing (mail scanners open links): the page
behind it asks for one press, and the press uses the link up.
"""

import time
from datetime import timedelta
from urllib.parse import urlencode

from contracts.units import Ms
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway import bodies
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import decoder
from gateway.door import must_be_from_here
from gateway.links import LIFETIME_MS, Links
from gateway.mail import Mail
from gateway.people import People, Person, address
from gateway.problems import failure
from gateway.returning import HOME, here
from gateway.sessions import Sessions
from gateway.web import shown

LINK = "/sign-in/link"
_MINUTES = timedelta(milliseconds=LIFETIME_MS) // timedelta(minutes=1)
_TEXT = """Follow this link to sign in to Scrip:

{link}

It works once, for {minutes} minutes. If you did not ask for it, do nothing: nobody can use it
without this message.
"""

_asked = decoder(bodies.LinkAskedBody)
_followed = decoder(bodies.LinkFollowedBody)


class Me(Struct, rename="camel"):
    """Who is signed in. `account` None: staff have none. `acts_for`: a team chosen on the pages."""

    account: str | None
    email: str | None
    role: str
    acts_for: str | None = None


class SignedOut(Struct):
    """How many sessions ended."""

    sessions: int


class SignIn(Struct, frozen=True):
    """What signing in needs. `public_url`: where people find this gateway."""

    sessions: Sessions
    people: People
    links: Links
    mail: Mail
    public_url: str

    async def send(self, email: str, now: Ms, back: str = HOME) -> None:
        """Send a link to an address, to go on at a page; raises 422, 429, 503."""
        to = address(email)
        query = urlencode({"token": await self.links.make(to, here(back), now)})
        text = _TEXT.format(link=f"{self.public_url}{LINK}?{query}", minutes=_MINUTES)
        await self.mail.send(to, "Your link to sign in", text)

    async def follow(self, token: str, now: Ms) -> tuple[str, str]:
        """For who was sent this link: a new session's cookie value, and where to go on; 410."""
        used = await self.links.use(token, now)
        person = await self.people.with_email(used.email, now)
        return await self.sessions.sign_in(person, now), used.back

    async def who(self, request: Request, now: Ms) -> tuple[str, Person]:
        """The cookie's value and its person; raises 401, 403 for a request from elsewhere."""
        headers: dict[bytes, bytes] = dict(request.scope["headers"])
        must_be_from_here(request.method, headers)
        token = self.sessions.token(headers.get(b"cookie", b""))
        person = None if token is None else await self.sessions.person(token, now)
        if token is None or person is None:
            raise failure(401, "unauthenticated", "Sign in first.")
        return token, person


def routes(signing: SignIn) -> APIRouter:
    """The routes of signing in and out."""
    router = APIRouter(tags=["people"])
    sessions = signing.sessions

    @router.post("/api/sign-in", summary="Send a link to sign in to an e-mail address")
    async def ask(request: Request) -> Response:
        body = await read_body(request.receive, BODY_BYTES_MAX)
        asked: bodies.LinkAskedBody = _asked(body)
        await signing.send(asked.email, _now())
        return Response(status_code=202)

    @router.post(LINK, summary="Use the link up and be signed in")
    async def follow(request: Request) -> Response:
        must_be_from_here("POST", dict(request.scope["headers"]))
        body = await read_body(request.receive, BODY_BYTES_MAX)
        followed: bodies.LinkFollowedBody = _followed(body)
        cookie, _ = await signing.follow(followed.token, _now())
        return sessions.give(Response(status_code=204), cookie)

    @router.get("/api/me", summary="Who is signed in")
    async def me(request: Request) -> Response:
        token, person = await signing.who(request, _now())
        account = person.id if person.role == "owner" else None
        seen = await sessions.seen(token, _now())
        team = None if seen is None or seen.seat is None else seen.team
        return shown(Me(account, person.email, person.role, team))

    @router.post("/api/sign-out", summary="End this session")
    async def sign_out(request: Request) -> Response:
        token, _ = await signing.who(request, _now())
        await sessions.sign_out(token)
        return sessions.take(Response(status_code=204))

    @router.post("/api/sign-out/everywhere", summary="End all of your sessions")
    async def everywhere(request: Request) -> Response:
        _, person = await signing.who(request, _now())
        return sessions.take(shown(SignedOut(await sessions.sign_out_everywhere(person.id))))

    return router


def _now() -> Ms:
    return time.time_ns() // 1_000_000
