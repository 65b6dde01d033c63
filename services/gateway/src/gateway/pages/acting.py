"""/admin/accounts/{id}/do/{kind}: what staff does to an account: form, review, done or waiting.

A form names what it begins, so that pressing twice does it once. A no of the ledger is said at the
form; when no answer came, the same press again finds out.
"""

from urllib.parse import urlencode

from bus.trace import Trace
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct
from msgspec.structs import replace

from gateway.actions import DONE, TOO_OLD, Action, Actions, Ended, Kind
from gateway.balances import Balances, BalanceShown
from gateway.faults import of_no_answer
from gateway.pages import actionform, words
from gateway.pages.actionform import DAYS, REASONS, TARGETS, TITLES, Typed
from gateway.pages.limitsform import Fault
from gateway.pages.regions import PLAIN, Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.staffdoor import StaffDoor, StaffVisit, account_url
from gateway.principals import not_found
from gateway.problems import ProblemError
from gateway.waiting import NoAnswer


class ActionView(Struct, frozen=True, kw_only=True):
    """The form. `told`: why the last try was refused."""

    shell: Shell
    account: str
    kind: str
    typed: Typed
    target: str
    moves: bool
    gives: bool
    faults: list[Fault] = []
    told: str = ""
    reasons: tuple[tuple[str, str], ...] = REASONS
    days: tuple[tuple[str, str], ...] = tuple(DAYS.items())

    def fault(self, field: str) -> str:
        """What is wrong with a field."""
        return next((fault.says for fault in self.faults if fault.field == field), "")


class ReviewView(Struct, frozen=True, kw_only=True):
    """The review. `two`: it will wait for a second person."""

    shell: Shell
    account: str
    kind: str
    title: str
    typed: Typed
    says: list[str]
    two: bool
    above: int
    told: str = ""


class Acting(Struct, frozen=True):
    """Asks, reviews and acts. `above`: what one admin may move alone."""

    door: StaffDoor
    actions: Actions
    balances: Balances
    above: int

    async def form(self, visit: StaffVisit, account: str) -> Response:
        """GET …/do/{kind}?target=&amount=&reason=."""
        query = visit.request.query_params
        named = {name: query.get(name, "") for name in ("target", "amount", "reason")}
        return self._form(visit, account, actionform.typed(named))

    async def send(self, visit: StaffVisit, account: str) -> Response:
        """POST …/do/{kind}: the review, and with `sure` the action itself."""
        kind, form = _kind(visit.request), actionform.typed(visit.form)
        if "change" in visit.form:
            return self._form(visit, account, form)
        action, faults = actionform.parsed(
            kind, account, form, me=visit.me, now=visit.guest.now, above=self.above
        )
        if action is None:
            return self._form(visit, account, form, 422, faults=faults)
        if "sure" not in visit.form:
            return await self._review(visit, action, form)
        kept = await self.actions.begin(action)
        if kept.two:
            return RedirectResponse(f"/admin/waiting/{kept.id}", status_code=303)
        try:
            ended = await self.actions.carry_out(kept, visit.guest.now, _trace(visit))
        except NoAnswer as why:
            return await self._review(visit, action, form, of_no_answer(why))
        if ended.outcome != DONE:
            again = replace(form, key=actionform.new_key())
            return self._form(visit, account, again, 409, told=no_of(ended))
        return RedirectResponse(done_url(kept, ended), status_code=303)

    def _form(
        self,
        visit: StaffVisit,
        account: str,
        form: Typed,
        status: int = 200,
        *,
        faults: list[Fault] | None = None,
        told: str = "",
    ) -> Response:
        kind = _kind(visit.request)
        view = ActionView(
            shell=visit.shell(TITLES[kind], "find"),
            account=account,
            kind=kind.value,
            typed=form,
            target=TARGETS.get(kind, ""),
            moves=kind not in {Kind.FREEZE, Kind.THAW},
            gives=kind in {Kind.GRANT, Kind.ADJUSTMENT},
            faults=faults or [],
            told=told,
        )
        return self.door.doorway.renderer.page("admin-action.html", view, status)

    async def _review(
        self, visit: StaffVisit, action: Action, form: Typed, why: ProblemError | None = None
    ) -> Response:
        found = await region(self.balances.now(action.account, visit.guest.now), visit.request_id)
        balance: BalanceShown | None = None if isinstance(found, Trouble) else found
        view = ReviewView(
            shell=visit.shell("Review", "find"),
            account=action.account,
            kind=action.kind,
            title=TITLES[Kind(action.kind)],
            typed=form,
            says=actionform.effects(action, balance),
            two=action.two,
            above=self.above,
            told="" if why is None else PLAIN.get(why.problem.code, why.problem.detail),
        )
        status = 200 if why is None else why.problem.status
        return self.door.doorway.renderer.page("admin-review.html", view, status)


def routes(page: Acting) -> APIRouter:
    """Form, review and action."""
    router, path = APIRouter(), "/admin/accounts/{account}/do/{kind}"
    page.door.account_page(router, "GET", path, page.form, acts=True)
    page.door.account_page(router, "POST", path, page.send, acts=True)
    return router


def done_url(action: Action, ended: Ended) -> str:
    """The account's page, waiting for what was just done to be shown."""
    query = urlencode({"done": action.kind, "at": ended.position})
    return f"{account_url(action.account)}?{query}"


def no_of(ended: Ended) -> str:
    """Why the ledger said no, for staff."""
    if ended.outcome == TOO_OLD:
        return "This was first tried over a day ago; begin again."
    return f"The ledger said no: {words.reason(ended.outcome)}"


def _kind(request: Request) -> Kind:
    try:
        return Kind(str(request.path_params["kind"]))
    except ValueError:
        raise not_found() from None


def _trace(visit: StaffVisit) -> Trace:
    found: Trace = visit.request.scope["scrip.trace"]
    return found
