"""/tools and /tools/{id}: the 24 tools, each with what a run costs now and the form that runs it.

Anybody may look; what needs an account says so. The estimate is asked of the ledger like any other
and asked again while limits are typed. A run that is refused keeps the form and says what is
missing; one that began leads to its own page, which shows it to its end and what it cost.
"""

from contracts.catalogue import Catalogue, Mode, Tool
from contracts.codec import encode
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import replace

from gateway.asgi import Call
from gateway.bodies import AskedLimits
from gateway.estimates import Estimates
from gateway.keys import Scope
from gateway.keystore import now_ms
from gateway.pages import toolform, words
from gateway.pages.limitsform import Fault
from gateway.pages.offers import Offer, offer
from gateway.pages.regions import PLAIN, Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.toolform import Typed
from gateway.pages.visit import Doorway, Visit, is_partial, sent
from gateway.principals import Principal, anonymous, not_found
from gateway.problems import Problem, failure
from gateway.runs import Runs

WAIT = b"wait=2"  # a short run shows its end at once, a long one its own page
_WORKING = {200, 202, 504}  # it runs, or ran, or nobody can say: its page knows


class Studio(Struct, frozen=True):
    """The tools of one studio."""

    title: str
    tools: list[Tool]


class ToolsView(Struct, frozen=True):
    """All of them."""

    shell: Shell
    studios: list[Studio]


class ToolView(Struct, frozen=True, kw_only=True):
    """One of them. `known`: the visitor is signed in; `told` why the last try was refused."""

    shell: Shell
    tool: Tool
    studio: str
    known: bool
    browser: bool
    typed: Typed
    offer: Offer | Trouble
    faults: list[Fault] = []
    told: str = ""
    problem: Problem | None = None

    def fault(self, field: str) -> str:
        """What is wrong with a field."""
        return next((fault.says for fault in self.faults if fault.field == field), "")


class ToolPages(Struct, frozen=True):
    """Shows and runs tools."""

    doorway: Doorway
    catalogue: Catalogue
    estimates: Estimates
    runs: Runs

    async def every(self, _request: Request, visit: Visit | None) -> Response:
        """GET /tools."""
        studios = [
            Studio(title, [tool for tool in self.catalogue.tools.values() if tool.studio == name])
            for name, title in words.STUDIOS.items()
        ]
        view = ToolsView(_shell(visit, "Tools"), [studio for studio in studios if studio.tools])
        return self.doorway.renderer.page("tools.html", view)

    async def page(self, request: Request, visit: Visit | None) -> Response:
        """GET /tools/{id}."""
        tool = self._tool(request)
        view = await self._view(request, visit, tool, toolform.blank(tool))
        return self.doorway.renderer.page("tool.html", view)

    async def estimate(self, request: Request, visit: Visit | None) -> Response:
        """POST /tools/{id}/estimate: the price for these limits; a fragment while one types."""
        tool = self._tool(request)
        form = toolform.typed(await sent(request, visit))
        view = await self._view(request, visit, tool, form)
        _, faults = toolform.limits(form, tool)
        template = "parts/offer.html" if is_partial(request) else "tool.html"
        return self.doorway.renderer.page(
            template, replace(view, faults=faults), 422 if faults else 200
        )

    async def run(self, visit: Visit) -> Response:
        """POST /tools/{id}/run: begin it and lead to its page, or say why not."""
        tool, form = self._tool(visit.request), toolform.typed(visit.form)
        body, faults = toolform.parsed(form, tool)
        if faults:
            view = await self._view(visit.request, visit, tool, form)
            return self.doorway.renderer.page("tool.html", replace(view, faults=faults), 422)
        call = _call(visit.request, visit.guest.principal)
        call.headers |= {b"idempotency-key": form.key.encode("ascii", "replace"), b"prefer": WAIT}
        call.body = encode(body)
        reply = await self.runs.post(tool, call)
        if reply.status in _WORKING:
            url = f"/account/runs/{form.key}?began={visit.guest.now}"
            return RedirectResponse(url, status_code=303)
        return await self._refused(visit, tool, form, decode(reply.body, type=Problem))

    async def _refused(self, visit: Visit, tool: Tool, form: Typed, told: Problem) -> Response:
        """The form again with what was said; a run that was tried needs a new name."""
        form = replace(form, key=toolform.new_key())
        view = await self._view(visit.request, visit, tool, form)
        says = words.REASONS.get(told.code) or PLAIN.get(told.code, told.detail)
        view = replace(view, told=says, problem=told)
        return self.doorway.renderer.page("tool.html", view, told.status)

    async def _view(
        self, request: Request, visit: Visit | None, tool: Tool, form: Typed
    ) -> ToolView:
        asked, faults = toolform.limits(form, tool)
        shell = _shell(visit, tool.title)
        return ToolView(
            shell=shell,
            tool=tool,
            studio=words.STUDIOS[tool.studio],
            known=visit is not None,
            browser=tool.mode is Mode.CLIENT_ONLY,
            typed=form,
            offer=await region(
                self._offer(request, visit, tool, None if faults else asked), shell.request_id
            ),
        )

    async def _offer(
        self, request: Request, visit: Visit | None, tool: Tool, asked: AskedLimits | None
    ) -> Offer:
        address = "" if request.client is None else request.client.host
        caller = anonymous(address) if visit is None else visit.guest.principal
        if visit is None and tool.requires_account:
            raise failure(503, "sign_in_for_price", "Sign in to see what this tool costs you.")
        call = _call(request, caller)
        return await offer(self.estimates, call, tool, asked, known=visit is not None)

    def _tool(self, request: Request) -> Tool:
        found = self.catalogue.tools.get(str(request.path_params["id"]))
        if found is None:
            raise not_found()
        return found


def routes(page: ToolPages) -> APIRouter:
    """The pages of the tools."""
    router, door = APIRouter(), page.doorway
    door.open_page(router, "GET", "/tools", page.every)
    door.open_page(router, "GET", "/tools/{id}", page.page)
    door.open_page(router, "POST", "/tools/{id}/estimate", page.estimate)
    door.page(router, "POST", "/tools/{id}/run", page.run, Scope.SPEND)
    return router


def _shell(visit: Visit | None, title: str) -> Shell:
    return Shell(title=title, here="tools") if visit is None else visit.shell(title, "tools")


def _call(request: Request, caller: Principal) -> Call:
    """The same visitor's question to the API."""
    call = Call({}, (), request.scope["scrip.trace"], now_ms(), "")
    call.principal = caller
    return call
