"""/account/gifts: credits for somebody else. What is given is shown before it leaves.

The form carries the name of the gift, so that sending it twice gives once. The code is shown on the
page that answers, and nowhere else.
"""

from secrets import token_hex

from contracts.events import CommandRefused
from contracts.units import AMOUNT_MAX
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from gateway.bodies import name_or_404
from gateway.giftbodies import GiftBody
from gateway.gifts import GiftMade, Gifts, GiftSeen
from gateway.keys import Scope
from gateway.pages import words
from gateway.pages.limitsform import Fault, whole_number
from gateway.pages.regions import Trouble, region
from gateway.pages.shell import Shell
from gateway.pages.visit import Doorway, Visit
from gateway.problems import ProblemError
from gateway.rates import GIFTS, SETTINGS_READ

PATH = "/account/gifts"
DAYS = {"7": "within a week", "30": "within 30 days", "90": "within 90 days"}
NOTE_LENGTH_MAX = 200
TYPED_MAX = 40
STATES = {
    "sending": "on its way",
    "open": "waiting to be claimed",
    "claimed": "claimed",
    "returned": "came back to you",
}


class Giving(Struct, frozen=True):
    """The form as it stands."""

    key: str
    amount: str = ""
    days: str = "30"
    note: str = ""


class GiftsView(Struct, frozen=True, kw_only=True):
    """The gifts, the form, and what came of it. `sure`: the amount that is to be confirmed."""

    shell: Shell
    gifts: list[GiftSeen] | Trouble
    form: Giving
    faults: tuple[Fault, ...] = ()
    sure: int = 0
    left: int | None = None
    made: GiftMade | None = None
    back: bool = False
    refused: str = ""
    days: tuple[tuple[str, str], ...] = tuple(DAYS.items())

    def state(self, gift: GiftSeen) -> str:
        """What became of a gift, in words."""
        return STATES[gift.state]

    def fault(self, field: str) -> str:
        """What is wrong with a field."""
        return next((fault.says for fault in self.faults if fault.field == field), "")


class GiftsPage(Struct, frozen=True):
    """Gives credits and takes gifts back."""

    doorway: Doorway
    gifts: Gifts

    async def page(self, visit: Visit) -> Response:
        """GET /account/gifts."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        return await self._page(visit, back=bool(visit.query("back")))

    async def review(self, visit: Visit) -> Response:
        """POST /account/gifts/review: nothing leaves yet."""
        visit.guest.limited(self.doorway.rates, SETTINGS_READ)
        form, amount, faults = _typed(visit)
        if faults:
            return await self._page(visit, 422, form=form, faults=faults)
        has = None if visit.balance is None else visit.balance.available
        if has is not None and has < amount:
            says = f"You have {has:,} available. Give at most that, or buy credits first."
            return await self._page(visit, 422, form=form, faults=(Fault("amount", says),))
        left = None if has is None else has - amount
        return await self._page(visit, form=form, sure=amount, left=left)

    async def give(self, visit: Visit) -> Response:
        """POST /account/gifts: the credits leave, and the code is shown."""
        visit.guest.limited(self.doorway.rates, GIFTS)
        form, amount, faults = _typed(visit)
        if faults:
            return await self._page(visit, 422, form=form, faults=faults)
        asked = GiftBody(amount=amount, days=int(form.days), note=form.note)
        trace = visit.request.scope["scrip.trace"]
        try:
            made = await self.gifts.make(visit.guest, form.key, asked, trace)
        except ProblemError as why:
            if why.problem.status != 409:
                raise
            return await self._page(visit, 409, form=form, refused=why.problem.detail)
        if isinstance(made, GiftMade):
            return await self._page(visit, 201, made=made)
        no = made.event
        says = words.reason(no.reason.value) if isinstance(no, CommandRefused) else ""
        again = Giving(_name(), form.amount, form.days, form.note)
        return await self._page(visit, 409, form=again, refused=says or "Nothing was given.")

    async def cancel(self, visit: Visit) -> Response:
        """POST /account/gifts/{gift}/cancel: back to whoever gave it."""
        visit.guest.limited(self.doorway.rates, GIFTS)
        name = name_or_404(str(visit.request.path_params["gift"]))
        try:
            await self.gifts.cancel(visit.guest, name, visit.request.scope["scrip.trace"])
        except ProblemError as why:
            if why.problem.status != 409:
                raise
            return await self._page(visit, 409, refused=why.problem.detail)
        return RedirectResponse(f"{PATH}?back=1", status_code=303)

    async def _page(
        self,
        visit: Visit,
        status: int = 200,
        *,
        form: Giving | None = None,
        faults: tuple[Fault, ...] = (),
        sure: int = 0,
        left: int | None = None,
        made: GiftMade | None = None,
        back: bool = False,
        refused: str = "",
    ) -> Response:
        view = GiftsView(
            shell=visit.shell("Gifts", "gifts"),
            gifts=await region(self.gifts.sent(visit.account), visit.request_id),
            form=form or Giving(_name()),
            faults=faults,
            sure=sure,
            left=left,
            made=made,
            back=back,
            refused=refused,
        )
        return self.doorway.renderer.page("gifts.html", view, status)


def routes(page: GiftsPage) -> APIRouter:
    """The pages of gifts for whoever gives."""
    router, door = APIRouter(), page.doorway
    door.page(router, "GET", PATH, page.page)
    door.page(router, "POST", PATH, page.give, Scope.ADMIN)
    door.page(router, "POST", f"{PATH}/review", page.review, Scope.ADMIN)
    door.page(router, "POST", f"{PATH}/{{gift}}/cancel", page.cancel, Scope.ADMIN)
    return router


def _typed(visit: Visit) -> tuple[Giving, int, tuple[Fault, ...]]:
    form, faults = visit.form, list[Fault]()
    days = form.get("days", "30")
    note = " ".join(form.get("note", "").split())
    raw = form.get("amount", "").strip()[:TYPED_MAX]
    amount = whole_number("amount", raw, 1, AMOUNT_MAX, faults) if raw else None
    if not raw:
        faults.append(Fault("amount", "Enter how many credits to give."))
    if len(note) > NOTE_LENGTH_MAX or not note.isprintable():
        says = f"Use at most {NOTE_LENGTH_MAX} characters that can be seen."
        faults.append(Fault("note", says))
    key = name_or_404(form.get("key", ""))
    typed = Giving(key, raw, days if days in DAYS else "30", note[:NOTE_LENGTH_MAX])
    return typed, amount or 0, tuple(faults)


def _name() -> str:
    return f"give-{token_hex(12)}"
