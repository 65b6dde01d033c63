"""Pages that stand by themselves: the way in, help, and what is said where there is no page."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.principals import not_found
from gateway.returning import HOME


class HelpView(Struct, frozen=True):
    """Answers to what people ask most."""

    shell: Shell


class Standing(Struct, frozen=True):
    """The pages."""

    doorway: Doorway

    async def home(self, _request: Request, visit: Visit | None) -> Response:
        """GET /."""
        return RedirectResponse("/sign-in" if visit is None else HOME, status_code=303)

    async def help(self, _request: Request, visit: Visit | None) -> Response:
        """GET /help."""
        shell = Shell(title="Help") if visit is None else visit.shell("Help", "help")
        return self.doorway.renderer.page("help.html", HelpView(shell))

    async def nothing(self, _visit: Visit) -> Response:
        """Whatever else is asked for under /account: a page that says so."""
        raise not_found()


def routes(page: Standing) -> APIRouter:
    """GET / and /help."""
    router = APIRouter()
    page.doorway.open_page(router, "GET", "/", page.home)
    page.doorway.open_page(router, "GET", "/help", page.help)
    return router


def last_routes(page: Standing) -> APIRouter:
    """What no other page took; comes after all of them."""
    router = APIRouter()
    page.doorway.page(router, "GET", "/account/{rest:path}", page.nothing)
    return router
