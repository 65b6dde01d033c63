"""/account/settings/credits: alerts, limits and auto top-up, three things in plain words.

Saving names the version it was read at. Who saves an older one is told (412) and shown both.
What bites at once (a limit below what is used, a top-up that charges now) is asked about first.
"""

from zoneinfo import available_timezones

from contracts.caps import Cap
from contracts.catalogue import Catalogue
from contracts.commands import Controls
from contracts.events import CommandRefused
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct
from msgspec.structs import asdict, replace

from gateway import answers, positions
from gateway.bodies import CapBody, ControlsBody, TopUpBody
from gateway.creditsettings import OwnSettings
from gateway.keys import Scope
from gateway.pages import limitsform
from gateway.pages.changes import Change, changes
from gateway.pages.limitsform import Fault, Typed
from gateway.pages.overview import PackView, pack_view
from gateway.pages.previews import Preview, preview
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE
from gateway.reads import Reads

PATH = "/account/settings/credits"


class SettingsView(Struct, frozen=True, kw_only=True):
    """The whole page. `theirs`: what was saved meanwhile, when that is not what was read."""

    shell: Shell
    typed: Typed
    version: str
    zones: list[str]
    packs: list[PackView]
    changes: list[Change] | Trouble
    faults: list[Fault] = []
    preview: Preview | None = None
    asks: bool = False
    saved: bool = False
    theirs: Preview | None = None
    percents: tuple[int, ...] = limitsform.PERCENTS

    def fault(self, field: str) -> str:
        """What is wrong with a field."""
        return next((fault.says for fault in self.faults if fault.field == field), "")


class PreviewView(Struct, frozen=True):
    """The sentences alone."""

    preview: Preview | None
    faults: list[Fault]


class Attempt(Struct, frozen=True):
    """What a visitor typed, and what it means beside the settings as they are."""

    typed: Typed
    wanted: Controls
    faults: list[Fault]
    now: Controls
    version: str


class Preferences(Struct, frozen=True):
    """Reads and saves."""

    doorway: Doorway
    reads: Reads
    own: OwnSettings

    @property
    def catalogue(self) -> Catalogue:
        """What can be bought."""
        return self.own.ledger.catalogue

    async def page(self, visit: Visit) -> Response:
        """GET: the settings as they are; `at` names a position that must be in them."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        if at := visit.query("at"):
            await self.reads.freshness.reach(visit.account, at)
        controls, version = await self.own.held(visit.account)
        view = await self._view(visit, limitsform.shown(controls), version)
        view = replace(view, saved=bool(visit.query("saved")))
        return self.doorway.renderer.page("settings.html", view)

    async def preview(self, visit: Visit) -> Response:
        """POST …/preview: what these settings would do; a fragment while somebody types."""
        tried = await self._attempt(visit)
        found = None if tried.faults else self._effect(visit, tried.now, tried.wanted)
        if visit.partial:
            part = PreviewView(found, tried.faults)
            return self.doorway.renderer.page("parts/preview.html", part)
        view = await self._view(visit, tried.typed, visit.form.get("version", ""))
        view = replace(view, faults=tried.faults, preview=found)
        return self.doorway.renderer.page("settings.html", view, 422 if tried.faults else 200)

    async def save(self, visit: Visit) -> Response:
        """POST: save, unless something is wrong, bites at once, or was changed meanwhile."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        tried = await self._attempt(visit)
        if tried.faults:
            view = await self._view(visit, tried.typed, visit.form.get("version", ""))
            view = replace(view, faults=tried.faults)
            return self.doorway.renderer.page("settings.html", view, 422)
        effect = self._effect(visit, tried.now, tried.wanted)
        fresh = visit.form.get("version", "") == tried.version
        if fresh and effect.bites and "sure" not in visit.form:
            view = await self._view(visit, tried.typed, tried.version)
            view = replace(view, preview=effect, asks=True)
            return self.doorway.renderer.page("settings.html", view, 422)
        return await self._saved(visit, tried)

    async def _attempt(self, visit: Visit) -> Attempt:
        typed = limitsform.typed(visit.form)
        now, version = await self.own.held(visit.account)
        wanted, faults = limitsform.parsed(typed, now, self.catalogue)
        return Attempt(typed, wanted, faults, now, version)

    def _effect(self, visit: Visit, before: Controls, after: Controls) -> Preview:
        return preview(before, after, visit.balance, self.catalogue)

    async def _saved(self, visit: Visit, tried: Attempt) -> Response:
        version, body = visit.form.get("version", ""), _body(tried.wanted)
        try:
            answer = await self.own.decided(visit.request, visit.guest, version, body)
        except ProblemError as why:
            if why.problem.status != 412:
                raise
            return await self._differs(visit, tried)
        position = positions.shown(answer.partition, answer.seq)
        if isinstance(answer.event, CommandRefused):
            raise ProblemError(answers.no(answer.event, self.own.ledger.top_up_url, position))
        return RedirectResponse(f"{PATH}?saved=1&at={position}", status_code=303)

    async def _differs(self, visit: Visit, tried: Attempt) -> Response:
        """Somebody saved meanwhile: what is there now, and what was typed, side by side."""
        now, version = await self.own.held(visit.account)
        wanted, _ = limitsform.parsed(tried.typed, now, self.catalogue)
        view = await self._view(visit, tried.typed, version)
        view = replace(
            view,
            preview=self._effect(visit, now, wanted),
            theirs=self._effect(visit, wanted, now),
        )
        return self.doorway.renderer.page("settings.html", view, 412)

    async def _view(self, visit: Visit, typed: Typed, version: str) -> SettingsView:
        made = changes(self.reads, visit.guest, self.catalogue)
        return SettingsView(
            shell=visit.shell("Limits and alerts", "settings"),
            typed=typed,
            version=version,
            zones=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
            packs=[pack_view(pack) for pack in self.catalogue.packs.values()],
            changes=await region(made, visit.request_id),
        )


def routes(page: Preferences) -> APIRouter:
    """GET and POST, and the preview."""
    router = APIRouter()
    page.doorway.page(router, "GET", PATH, page.page)
    page.doorway.page(router, "POST", PATH, page.save, Scope.ADMIN)
    page.doorway.page(router, "POST", f"{PATH}/preview", page.preview)
    return router


def _body(controls: Controls) -> ControlsBody:
    """The settings as the API is asked for them."""
    rule = controls.top_up
    asked = asdict(controls)
    asked["top_up"] = rule and TopUpBody(rule.below, rule.pack, rule.monthly_max_minor)
    asked["caps"] = tuple(map(_cap, controls.caps))
    return ControlsBody(**asked)


def _cap(cap: Cap) -> CapBody:
    return CapBody(cap.of, cap.id, cap.limit, cap.window)
