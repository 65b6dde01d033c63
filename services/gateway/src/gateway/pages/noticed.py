"""/notifications: what the owner was told, read or not; beside it what is wanted, and a test.

Marking as read and choosing are forms; two tabs that choose differently are told (412) and shown
what stands now. How many are unread stands in the head of every page.
"""

from contracts.notifications import NotificationKind
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.bodies import name_or_404
from gateway.choices import Choice, ChoicesShown
from gateway.creditsettings import version_of
from gateway.keys import Scope
from gateway.noticeroutes import Desk
from gateway.noticewords import KIND_TITLES
from gateway.notifications import NotificationShown
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE

PATH = "/notifications"
PREFERENCES = f"{PATH}/preferences"


class NoticesView(Struct, frozen=True, kw_only=True):
    """The list. `newer`: this is not its first page; `may`: whether this visitor may mark."""

    shell: Shell
    items: list[NotificationShown] | Trouble
    may: bool = True
    unread: int = 0
    next_query: str = ""
    newer: bool = False
    sent: bool = False

    @property
    def newest(self) -> str:
        """Up to which one everything is marked."""
        return "" if isinstance(self.items, Trouble) or not self.items else self.items[0].id


class Line(Struct, frozen=True):
    """A kind as the form shows it."""

    kind: str
    title: str
    in_app: bool
    email: bool


class ChoicesView(Struct, frozen=True, kw_only=True):
    """What is wanted. `differs`: somebody chose meanwhile, and this is what they chose."""

    shell: Shell
    lines: list[Line] | Trouble
    version: str = "0"
    alert_in_app: bool = True
    alert_email: bool = True
    saved: bool = False
    differs: bool = False


class Noticed(Struct, frozen=True):
    """Reads and changes."""

    doorway: Doorway
    desk: Desk

    async def page(self, visit: Visit) -> Response:
        """GET /notifications?cursor=."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        cursor, listed = visit.query("cursor"), self.desk.listed
        found = await region(listed.page(visit.account, cursor), visit.request_id)
        shell = visit.shell("Notifications", "notifications")
        if isinstance(found, Trouble):
            view = NoticesView(shell=shell, items=found)
            return self.doorway.renderer.page("notifications.html", view, 503)
        view = NoticesView(
            shell=shell,
            items=found.items,
            may=Scope.ADMIN in visit.guest.principal.scopes,
            unread=found.unread,
            next_query="" if found.next_cursor is None else f"cursor={found.next_cursor}",
            newer=bool(cursor),
            sent=bool(visit.query("sent")),
        )
        return self.doorway.renderer.page("notifications.html", view)

    async def mark(self, visit: Visit) -> Response:
        """POST /notifications/read: one, by `id`, or all up to `up_to`."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        listed, now = self.desk.listed, visit.guest.now
        if named := visit.form.get("id", ""):
            await listed.read(visit.account, name_or_404(named), now)
        else:
            await listed.read_all(visit.account, name_or_404(visit.form.get("up_to", "")), now)
        return RedirectResponse(PATH, status_code=303)

    async def test(self, visit: Visit) -> Response:
        """POST /notifications/test."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        await self.desk.test(visit.account, visit.guest.now)
        return RedirectResponse(f"{PATH}?sent=1", status_code=303)

    async def preferences(self, visit: Visit) -> Response:
        """GET /notifications/preferences."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        now = await region(self.desk.choices.held(visit.account), visit.request_id)
        if isinstance(now, Trouble):
            shell = visit.shell("What you are told", "notifications")
            view = ChoicesView(shell=shell, lines=now)
            return self.doorway.renderer.page("notification-preferences.html", view, 503)
        view = await self._view(visit, now, saved=bool(visit.query("saved")))
        return self.doorway.renderer.page("notification-preferences.html", view)

    async def choose(self, visit: Visit) -> Response:
        """POST /notifications/preferences."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        listed, mailed = (
            frozenset(visit.form.get(name, "").split(",")) for name in ("in_app", "email")
        )
        choices = self.desk.choices
        now = await choices.held(visit.account)
        wanted = [
            Choice(one.kind, one.kind.value in listed, one.kind.value in mailed)
            for one in now.choices
        ]
        version = version_of(visit.form.get("version", ""))
        try:
            await choices.replace(visit.account, version, wanted)
        except ProblemError as why:
            if why.problem.status != 412:
                raise
            view = await self._view(visit, await choices.held(visit.account), differs=True)
            return self.doorway.renderer.page("notification-preferences.html", view, 412)
        return RedirectResponse(f"{PREFERENCES}?saved=1", status_code=303)

    async def _view(
        self, visit: Visit, now: ChoicesShown, *, saved: bool = False, differs: bool = False
    ) -> ChoicesView:
        alerts = await self.desk.choices.channels(visit.account, NotificationKind.TEST_ALERT)
        return ChoicesView(
            shell=visit.shell("What you are told", "notifications"),
            lines=[_line(choice) for choice in now.choices],
            version=now.version,
            alert_in_app=alerts.listed,
            alert_email=alerts.mailed,
            saved=saved,
            differs=differs,
        )


def routes(page: Noticed) -> APIRouter:
    """The list, marking, the test, and the choices."""
    router = APIRouter()
    serve = page.doorway.page
    serve(router, "GET", PATH, page.page)
    serve(router, "POST", f"{PATH}/read", page.mark, Scope.ADMIN)
    serve(router, "POST", f"{PATH}/test", page.test, Scope.ADMIN)
    serve(router, "GET", PREFERENCES, page.preferences)
    serve(router, "POST", PREFERENCES, page.choose, Scope.ADMIN)
    return router


def _line(choice: Choice) -> Line:
    return Line(choice.kind.value, KIND_TITLES[choice.kind], choice.in_app, choice.email)
