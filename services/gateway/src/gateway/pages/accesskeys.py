"""/account/keys: an account's API keys, made, rotated and revoked; a secret is shown once.

A key that ends is asked about on the page itself; what ends at once says that it does.
"""

from contracts.units import DAY
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.accountkeys import OFFERED, OVERLAP_MS, AccountKeys, KeyShown
from gateway.bodies import KeyBody, name_or_404
from gateway.keys import Scope
from gateway.moments import moment
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE

PATH = "/account/keys"
LABEL_LENGTH_MAX = 64
DAYS = {"": "never", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}


class KeysView(Struct, frozen=True, kw_only=True):
    """The whole page. `made`: a key with its secret, just now."""

    shell: Shell
    keys: list[KeyShown] | Trouble
    made: KeyShown | None = None
    label: str = ""
    chosen: tuple[str, ...] = (Scope.READ.value,)
    wrong: str = ""
    wrong_label: str = ""
    gone: bool = False
    scopes: tuple[tuple[str, str], ...] = (
        (Scope.READ.value, "see balance, usage and history"),
        (Scope.SPEND.value, "estimate and run tools, and be charged for them"),
        (Scope.ADMIN.value, "change limits, alerts and keys"),
    )
    days: tuple[tuple[str, str], ...] = tuple(DAYS.items())


class AccessKeys(Struct, frozen=True):
    """Reads and writes keys."""

    doorway: Doorway
    own: AccountKeys

    async def page(self, visit: Visit) -> Response:
        """GET /account/keys."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        return await self._page(visit, gone=bool(visit.query("revoked")))

    async def make(self, visit: Visit) -> Response:
        """POST /account/keys: the answer is the one place where the key is shown."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        label = " ".join(visit.form.get("label", "").split())
        chosen = tuple(visit.form.get("scopes", "").split(","))
        scopes = tuple(scope for scope in sorted(OFFERED) if scope.value in chosen)
        if len(label) > LABEL_LENGTH_MAX or not label.isprintable():
            says = f"Use at most {LABEL_LENGTH_MAX} characters that can be seen."
            shown = label[:LABEL_LENGTH_MAX]
            return await self._page(visit, 422, wrong_label=says, label=shown, chosen=chosen)
        if not scopes:
            says = "Choose at least one thing that the key may do."
            return await self._page(visit, 422, wrong=says, label=label, chosen=chosen)
        days = visit.form.get("days", "")
        expires = moment(visit.guest.now + int(days) * DAY) if days and days in DAYS else None
        asked = KeyBody(scopes=scopes, label=label, expires_at=expires)
        try:
            made = await self.own.make(visit.guest, asked)
        except ProblemError as why:
            if why.problem.status != 409:
                raise
            told = why.problem.detail
            return await self._page(visit, 409, wrong=told, label=label, chosen=chosen)
        return await self._page(visit, 201, made=made)

    async def rotate(self, visit: Visit) -> Response:
        """POST /account/keys/{key}/rotate: a successor; the old one works a day longer."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        made = await self.own.rotate(visit.guest, _named(visit), OVERLAP_MS)
        return await self._page(visit, 201, made=made)

    async def revoke(self, visit: Visit) -> Response:
        """POST /account/keys/{key}/revoke."""
        visit.guest.limited(self.doorway.rates, SETTINGS_WRITE)
        await self.own.revoke(visit.account, _named(visit))
        return RedirectResponse(f"{PATH}?revoked=1", status_code=303)

    async def _page(
        self,
        visit: Visit,
        status: int = 200,
        *,
        made: KeyShown | None = None,
        label: str = "",
        chosen: tuple[str, ...] = (Scope.READ.value,),
        wrong: str = "",
        wrong_label: str = "",
        gone: bool = False,
    ) -> Response:
        keys = await region(self.own.all(visit.account, visit.guest.now), visit.request_id)
        view = KeysView(
            shell=visit.shell("API keys", "keys"),
            keys=keys,
            made=made,
            label=label,
            chosen=chosen,
            wrong=wrong,
            wrong_label=wrong_label,
            gone=gone,
        )
        return self.doorway.renderer.page("keys.html", view, status)


def routes(page: AccessKeys) -> APIRouter:
    """The pages of keys."""
    router, door = APIRouter(), page.doorway
    door.page(router, "GET", PATH, page.page, Scope.ADMIN)
    door.page(router, "POST", PATH, page.make, Scope.ADMIN)
    door.page(router, "POST", f"{PATH}/{{key}}/rotate", page.rotate, Scope.ADMIN)
    door.page(router, "POST", f"{PATH}/{{key}}/revoke", page.revoke, Scope.ADMIN)
    return router


def _named(visit: Visit) -> str:
    return name_or_404(str(visit.request.path_params["key"]))
