"""/admin: from whatever somebody names to the account; and the reason before it opens."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.looks import ANY_ACCOUNT, WHY_LENGTH_MAX, why_of
from gateway.lookups import Found, Lookups
from gateway.pages import words
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.staffdoor import HOME, StaffDoor, StaffVisit, account_url, subject
from gateway.returning import here


class FindView(Struct, frozen=True, kw_only=True):
    """The search. `asked` empty: nothing was looked for yet."""

    shell: Shell
    asked: str
    found: list[Found] | Trouble
    by_email: bool


class WhyView(Struct, frozen=True, kw_only=True):
    """The question before an account opens."""

    shell: Shell
    account: str
    to: str
    why: str = ""
    wrong: str = ""


class Finding(Struct, frozen=True):
    """Finds accounts and opens them."""

    door: StaffDoor
    lookups: Lookups

    async def page(self, visit: StaffVisit) -> Response:
        """GET /admin?q=; an address that was looked for is on record with whose it is."""
        asked = visit.query("q").strip()
        found: list[Found] | Trouble = []
        if asked:
            looking = self.lookups.named(asked, by_email=visit.sees_people)
            found = await region(looking, visit.request_id)
        if not isinstance(found, Trouble):
            if "@" in asked:
                for one in found:
                    await self._noted(visit, one.account)
            found = [Found(one.account, words.entry(one.what), one.event) for one in found]
        view = FindView(
            shell=visit.shell("Find an account", "find"),
            asked=asked,
            found=found,
            by_email=visit.sees_people,
        )
        status = 503 if isinstance(found, Trouble) else 200
        return self.door.doorway.renderer.page("admin-find.html", view, status)

    async def why(self, visit: StaffVisit) -> Response:
        """GET /admin/why?account=&to=."""
        return self._why(visit, subject(visit.query("account")), _here(visit.query("to")))

    async def open(self, visit: StaffVisit) -> Response:
        """POST /admin/why: the reason opens the account for an hour."""
        account, to = subject(visit.form.get("account", "")), _here(visit.form.get("to", ""))
        said = visit.form.get("why", "")
        why = why_of(said)
        if not why:
            return self._why(visit, account, to, said=said[:WHY_LENGTH_MAX])
        await self.door.looks.opened(visit.me, account, why, visit.guest.now)
        return RedirectResponse(to if to != HOME else account_url(account), status_code=303)

    def _why(self, visit: StaffVisit, account: str, to: str, said: str | None = None) -> Response:
        view = WhyView(
            shell=visit.shell("Why do you look?", "events" if account == ANY_ACCOUNT else "find"),
            account="" if account == ANY_ACCOUNT else account,
            to=to,
            why=said or "",
            wrong=""
            if said is None
            else f"Say it in one line of at most {WHY_LENGTH_MAX} characters.",
        )
        page = self.door.doorway.renderer.page
        return page("admin-why.html", view, 200 if said is None else 422)

    async def _noted(self, visit: StaffVisit, account: str) -> None:
        looks, now = self.door.looks, visit.guest.now
        await looks.noted(visit.me, account, "GET /admin", "found by the address", now)


def routes(page: Finding) -> APIRouter:
    """The search and the question."""
    router, door = APIRouter(), page.door
    door.page(router, "GET", HOME, page.page)
    door.page(router, "GET", "/admin/why", page.why)
    door.page(router, "POST", "/admin/why", page.open)
    return router


def _here(path: str) -> str:
    return found if (found := here(path)).startswith(f"{HOME}/") else HOME
