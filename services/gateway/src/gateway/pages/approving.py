"""/admin/waiting: what one admin asked for and another must approve; nobody approves their own."""

from datetime import datetime

from bus.trace import Trace
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.actions import DONE, Action, Actions, Kind
from gateway.bodies import name_or_404
from gateway.faults import of_no_answer
from gateway.moments import moment
from gateway.pages import actionform
from gateway.pages.acting import done_url, no_of
from gateway.pages.actionform import TITLES
from gateway.pages.regions import PLAIN, Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.staffdoor import StaffDoor, StaffVisit
from gateway.waiting import NoAnswer


class Waiting(Struct, frozen=True, kw_only=True):
    """One action that waits, for whoever looks. `mine`: they asked for it themselves."""

    id: str
    title: str
    account: str
    says: list[str]
    reason: str
    note: str
    by: str
    asked_at: datetime
    until: datetime
    mine: bool
    state: str = ""


class WaitingView(Struct, frozen=True, kw_only=True):
    """All of them. `over`: one was dropped just now."""

    shell: Shell
    waiting: list[Waiting] | Trouble
    over: bool


class ApprovalView(Struct, frozen=True, kw_only=True):
    """One of them. `open`: it waits still."""

    shell: Shell
    one: Waiting
    open: bool
    acts: bool
    told: str = ""


class Approving(Struct, frozen=True):
    """Shows what waits, and lets the second person decide."""

    door: StaffDoor
    actions: Actions

    async def page(self, visit: StaffVisit) -> Response:
        """GET /admin/waiting?over=."""
        view = WaitingView(
            shell=visit.shell("Waiting for a second person", "waiting"),
            waiting=await region(self._waiting(visit), visit.request_id),
            over=bool(visit.query("over")),
        )
        return self.door.doorway.renderer.page("admin-waiting.html", view)

    async def one(self, visit: StaffVisit) -> Response:
        """GET /admin/waiting/{id}; looking at what it is about is a look at the account."""
        return await self._one(visit, await self._named(visit))

    async def decide(self, visit: StaffVisit) -> Response:
        """POST /admin/waiting/{id}: approve, decline, or withdraw one's own."""
        action, now = await self._named(visit), visit.guest.now
        if "approve" not in visit.form:
            mine = action.asked_by == visit.me
            await self.actions.drop(action.id, visit.me, now, mine=mine)
            return RedirectResponse("/admin/waiting?over=1", status_code=303)
        approved = await self.actions.approve(action.id, visit.me, now)
        trace: Trace = visit.request.scope["scrip.trace"]
        try:
            ended = await self.actions.carry_out(approved, now, trace)
        except NoAnswer as why:
            found = of_no_answer(why).problem
            told = PLAIN.get(found.code, found.detail)
            return await self._one(visit, approved, found.status, told=told)
        if ended.outcome != DONE:
            return await self._one(visit, await self.actions.one(action.id), 409, told=no_of(ended))
        await self.door.looks.opened(visit.me, action.account, _why(action), now)
        return RedirectResponse(done_url(approved, ended), status_code=303)

    async def _named(self, visit: StaffVisit) -> Action:
        action = await self.actions.one(name_or_404(str(visit.request.path_params["action"])))
        what = f"{visit.request.method} {visit.request.url.path}"[:200]
        looks, now = self.door.looks, visit.guest.now
        await looks.noted(visit.me, action.account, what, _why(action), now)
        return action

    async def _one(
        self, visit: StaffVisit, action: Action, status: int = 200, *, told: str = ""
    ) -> Response:
        view = ApprovalView(
            shell=visit.shell(TITLES[Kind(action.kind)], "waiting"),
            one=await self._shown(visit, action),
            open=action.ended_at is None
            and (action.until > visit.guest.now or action.approved_by == visit.me),
            acts=visit.acts,
            told=told,
        )
        return self.door.doorway.renderer.page("admin-approval.html", view, status)

    async def _waiting(self, visit: StaffVisit) -> list[Waiting]:
        found = await self.actions.waiting(visit.guest.now)
        return [await self._shown(visit, action) for action in found]

    async def _shown(self, visit: StaffVisit, action: Action) -> Waiting:
        return Waiting(
            id=action.id,
            title=TITLES[Kind(action.kind)],
            account=action.account,
            says=actionform.effects(action, None),
            reason=action.reason,
            note=action.note,
            by=await self.door.doorway.people.name(action.asked_by),
            asked_at=moment(action.asked_at),
            until=moment(action.until),
            mine=action.asked_by == visit.me,
            state=action.outcome,
        )


def routes(page: Approving) -> APIRouter:
    """The list, one of it, and the decision."""
    router, path = APIRouter(), "/admin/waiting/{action}"
    page.door.page(router, "GET", "/admin/waiting", page.page)
    page.door.page(router, "GET", path, page.one)
    page.door.page(router, "POST", path, page.decide, acts=True)
    return router


def _why(action: Action) -> str:
    return f"asked to approve {action.id}"
