"""Signing in and out as pages: an address is asked for, a link is sent, one press uses it up.

Opening the link changes nothing, because mail scanners open links. Its page sends no referrer to
others; the own host must hear where the press comes from, or it would be refused.
"""

import time

from contracts.units import MINUTE
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct
from msgspec.structs import replace

from gateway.bodies import name_or_404
from gateway.links import LIFETIME_MS
from gateway.pages.regions import PLAIN
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit, sent
from gateway.people import EMAIL_LENGTH_MAX
from gateway.principals import not_found
from gateway.problems import ProblemError
from gateway.returning import HOME, here
from gateway.sessions import TOKEN_LENGTH_MAX
from gateway.signin import LINK, SignIn

PATH = "/sign-in"
PRESS = "/sign-in/press"
ACT = "/account/acting"
_TOLD = {422, 429, 503}  # what the form itself can say; anything else is a page of its own


class SignInView(Struct, frozen=True, kw_only=True):
    """The form. `sent`: a link is on its way; `over`: the link that was used is.

    `anyone`: a machine for development, where anybody may be anybody. `provider`: who else may say
    who one is; `told`: what came of asking them. `to`: where one goes on.
    """

    shell: Shell
    email: str = ""
    wrong: str = ""
    sent: bool = False
    over: bool = False
    anyone: bool = False
    provider: str = ""
    told: str = ""
    to: str = HOME
    minutes: int = LIFETIME_MS // MINUTE


class LinkView(Struct, frozen=True):
    """The one press that uses a link up."""

    shell: Shell
    token: str


class SigningPages(Struct, frozen=True):
    """Signing in and out."""

    doorway: Doorway
    signing: SignIn
    anyone: bool = False
    provider: str = ""

    async def form(self, request: Request, visit: Visit | None) -> Response:
        """GET /sign-in?to=; who is in already goes on."""
        to = here(request.query_params.get("to", HOME))
        if visit is not None:
            return RedirectResponse(to, status_code=303)
        return self.shown(SignInView(shell=_shell(), to=to))

    def shown(self, view: SignInView, status: int = 200) -> Response:
        """The page of signing in, with every way in that there is."""
        full = replace(view, anyone=self.anyone, provider=self.provider)
        return self.doorway.renderer.page("sign-in.html", full, status)

    def told(self, why: ProblemError) -> Response:
        """The same, saying why a provider did not bring anybody in."""
        view = SignInView(shell=_shell(), told=_WRONG.get(why.problem.code, why.problem.detail))
        return self.shown(view, why.problem.status)

    async def send(self, request: Request, visit: Visit | None) -> Response:
        """POST /sign-in: the same page for every address, known or not."""
        form = await sent(request, visit)
        email, to = form.get("email", "").strip()[:EMAIL_LENGTH_MAX], here(form.get("to", HOME))
        try:
            await self.signing.send(email, time.time_ns() // 1_000_000, to)
        except ProblemError as why:
            status, code = why.problem.status, why.problem.code
            if status not in _TOLD:
                raise
            wrong = _WRONG.get(code, PLAIN.get(code, code))
            return self.shown(SignInView(shell=_shell(), email=email, wrong=wrong, to=to), status)
        return self.shown(SignInView(shell=_shell(), email=email, sent=True, to=to))

    async def link(self, request: Request, _visit: Visit | None) -> Response:
        """GET /sign-in/link?token=."""
        token = request.query_params.get("token", "")[:TOKEN_LENGTH_MAX]
        return self.doorway.renderer.page("link.html", LinkView(_shell(), token))

    async def press(self, request: Request, visit: Visit | None) -> Response:
        """POST /sign-in/press: use the link up; one that is over leads to a new one."""
        token = (await sent(request, visit)).get("token", "")
        try:
            cookie, to = await self.signing.follow(token, time.time_ns() // 1_000_000)
        except ProblemError as why:
            if why.problem.code != "link_over":
                raise
            return self.shown(SignInView(shell=_shell(), over=True), 410)
        return self.signing.sessions.give(RedirectResponse(to, status_code=303), cookie)

    async def become(self, request: Request, visit: Visit | None) -> Response:
        """POST /sign-in/as: any account, on a machine for development."""
        form = await sent(request, visit)
        account, to = name_or_404(form.get("account", "").strip()), here(form.get("to", HOME))
        now = time.time_ns() // 1_000_000
        person = await self.signing.people.with_id(account, now)
        cookie = await self.signing.sessions.sign_in(person, now)
        return self.signing.sessions.give(RedirectResponse(to, status_code=303), cookie)

    async def act(self, visit: Visit) -> Response:
        """POST /account/acting: act for a team from now on, or for oneself; raises 404."""
        account = name_or_404(visit.form.get("account", ""))
        cookie = visit.request.headers.get("cookie", "").encode("latin-1")
        token = self.signing.sessions.token(cookie)
        team = None if account == visit.person else account
        if token is None or not await self.signing.sessions.act_for(token, team):
            raise not_found()
        return RedirectResponse(HOME, status_code=303)

    async def out(self, visit: Visit) -> Response:
        """POST /sign-out: here, or with `everywhere` on every device."""
        cookie = visit.request.headers.get("cookie", "").encode("latin-1")
        sessions = self.signing.sessions
        if "everywhere" in visit.form:
            await sessions.sign_out_everywhere(visit.person)
        elif (token := sessions.token(cookie)) is not None:
            await sessions.sign_out(token)
        return sessions.take(RedirectResponse(PATH, status_code=303))


def routes(page: SigningPages) -> APIRouter:
    """The pages of signing in and out."""
    router = APIRouter()
    page.doorway.open_page(router, "GET", PATH, page.form)
    page.doorway.open_page(router, "POST", PATH, page.send)
    page.doorway.open_page(router, "GET", LINK, page.link)
    page.doorway.open_page(router, "POST", PRESS, page.press)
    if page.anyone:
        page.doorway.open_page(router, "POST", "/sign-in/as", page.become)
    page.doorway.page(router, "POST", "/sign-out", page.out, about_me=True)
    page.doorway.page(router, "POST", ACT, page.act, about_me=True)
    return router


_WRONG = {
    "email_invalid": "Enter an e-mail address like ada@example.org.",
    "rate_limited": "Enough links are on their way to this address. Use the newest, or wait.",
    "mail_unavailable": "The mail cannot be sent right now. Try again in a minute.",
    "provider_unavailable": "They cannot be asked right now. Try again, or let us send a link.",
    "provider_refused": "They did not say who you are. Try again, or let us send a link.",
    "sign_in_over": "That took too long, or it began in another browser. Begin again here.",
    "token_refused": "What they said about you cannot be believed, so nobody was signed in.",
    "email_unverified": "They have not verified your e-mail address. Let us send a link to it.",
    "email_elsewhere": "They may not speak for your e-mail address. Let us send a link to it.",
    "staff_not_linked": "Staff sign in by a link. Let us send you one.",
}


def _shell() -> Shell:
    return Shell(title="Sign in")
