"""/gifts/claim: the page behind a gift's link. It shows what the code brings; a press takes it.

The code stands behind the `#` of the link, so no server, log or referrer ever sees it by itself: a
script puts it into the form, and without one it is pasted there.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway.gifts import GiftEnded, GiftOpened, Gifts
from gateway.keys import Scope
from gateway.moments import moment
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.rates import GIFTS

CODE_LENGTH_MAX = 64
_WRONG = {404, 409, 410}


class ClaimView(Struct, frozen=True, kw_only=True):
    """The field for the code; what it brings; or what came of it."""

    shell: Shell
    stranger: bool = False
    code: str = ""
    gift: GiftOpened | None = None
    ended: GiftEnded | None = None
    wrong: str = ""


class ClaimPage(Struct, frozen=True):
    """Opens a gift, takes it, or sends it back."""

    doorway: Doorway
    gifts: Gifts

    async def look(self, _request: Request, visit: Visit | None) -> Response:
        """GET /gifts/claim."""
        shell = Shell(title="A gift for you") if visit is None else _shell(visit)
        return self._page(ClaimView(shell=shell, stranger=visit is None))

    async def open(self, visit: Visit) -> Response:
        """POST /gifts/open: what the code brings, before anything moves."""
        visit.guest.limited(self.doorway.rates, GIFTS)
        code = _code(visit)
        try:
            found = await self.gifts.by_code(code, visit.guest.now)
        except ProblemError as why:
            return self._wrong(visit, code, why)
        gift = GiftOpened(amount=found.amount, note=found.note, until=moment(found.until))
        return self._page(ClaimView(shell=_shell(visit), code=code, gift=gift))

    async def claim(self, visit: Visit) -> Response:
        """POST /gifts/claim: its credits to whoever asks, once."""
        return await self._end(visit, takes=True)

    async def decline(self, visit: Visit) -> Response:
        """POST /gifts/decline: its credits back to whoever gave them."""
        return await self._end(visit, takes=False)

    async def _end(self, visit: Visit, *, takes: bool) -> Response:
        visit.guest.limited(self.doorway.rates, GIFTS)
        code, trace = _code(visit), visit.request.scope["scrip.trace"]
        end = self.gifts.claim if takes else self.gifts.decline
        try:
            ended = await end(visit.guest, code, trace)
        except ProblemError as why:
            return self._wrong(visit, code, why)
        return self._page(ClaimView(shell=_shell(visit), ended=ended))

    def _wrong(self, visit: Visit, code: str, why: ProblemError) -> Response:
        found = why.problem
        if found.status not in _WRONG:
            raise why
        says = found.detail if found.status != 404 else "No gift has this code. Check it."
        view = ClaimView(shell=_shell(visit), code=code, wrong=says)
        return self._page(view, 422 if found.status == 404 else found.status)

    def _page(self, view: ClaimView, status: int = 200) -> Response:
        return self.doorway.renderer.page("claim.html", view, status)


def routes(page: ClaimPage) -> APIRouter:
    """The pages of gifts for whoever got one."""
    router, door = APIRouter(), page.doorway
    door.open_page(router, "GET", "/gifts/claim", page.look)
    door.page(router, "POST", "/gifts/open", page.open, Scope.ADMIN)
    door.page(router, "POST", "/gifts/claim", page.claim, Scope.ADMIN)
    door.page(router, "POST", "/gifts/decline", page.decline, Scope.ADMIN)
    return router


def _shell(visit: Visit) -> Shell:
    return visit.shell("A gift for you", "gifts")


def _code(visit: Visit) -> str:
    return visit.form.get("code", "").strip()[:CODE_LENGTH_MAX]
