"""The routes under /api/notifications: the list, what was read, what is wanted, and a test."""

from secrets import token_hex
from typing import Annotated

from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from contracts.codec import encode
from contracts.notifications import Notification, NotificationKind
from contracts.topics import NOTIFICATIONS
from contracts.units import Ms
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from msgspec import Meta, Struct

from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.bodies import Body, Name, decoder, name_or_404
from gateway.choices import Choice, Choices
from gateway.creditsettings import version_of
from gateway.guest import Reception
from gateway.keys import Scope
from gateway.notifications import PAGE_DEFAULT, PAGE_MAX, Notifications
from gateway.problems import RETRY_SOON_S, failure
from gateway.rates import SETTINGS_READ, SETTINGS_WRITE, Rates
from gateway.reads import Id
from gateway.web import shown

PATH = "/api/notifications"


class ReadBody(Body):
    """Everything up to the newest one that the caller has seen."""

    up_to: Name


class ChoiceBody(Body):
    """What is wanted of one kind."""

    kind: NotificationKind
    in_app: bool
    email: bool


class ChoicesBody(Body):
    """The kinds that change; the others stay."""

    choices: Annotated[tuple[ChoiceBody, ...], Meta(max_length=50)]


class AllRead(Struct):
    """How many were not read before."""

    read: int


class UnreadShown(Struct):
    """How many wait."""

    unread: int


class TestSent(Struct):
    """The id under which the test alert travels."""

    id: str


class Desk(Struct, frozen=True):
    """The list, the choices, and the way onto the topic."""

    listed: Notifications
    choices: Choices
    outbox: Outbox
    topic: str
    partitions: int

    async def test(self, account: str, now: Ms) -> TestSent:
        """Send a test alert by the road that all others take; raises 503 without Kafka."""
        kind = NotificationKind.TEST_ALERT
        told = Notification(f"ntf-{token_hex(12)}-{kind.value}", account, kind, now)
        number = partition_of(account, self.partitions)
        try:
            await self.outbox.send(self.topic, number, account.encode(), encode(told))
        except Undelivered:
            raise failure(
                503,
                "test_not_sent",
                "No alert can be sent now; try again in a moment.",
                retry_after_s=RETRY_SOON_S,
            ) from None
        return TestSent(told.id)


_read = decoder(ReadBody)
_choices = decoder(ChoicesBody)


def topic_of(prefix: str) -> str:
    """The topic's whole name."""
    return prefix + NOTIFICATIONS.name


def routes(desk: Desk, reception: Reception, rates: Rates) -> APIRouter:
    """List, count, mark, choose, test."""
    router = APIRouter(tags=["account"])
    _reading(router, desk.listed, reception, rates)
    _choosing(router, desk, reception, rates)
    return router


def _reading(router: APIRouter, listed: Notifications, reception: Reception, rates: Rates) -> None:

    @router.get(PATH, summary="What you were told, newest first")
    async def page(
        request: Request,
        cursor: str = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
        *,
        unread: bool = False,
    ) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        found = await listed.page(guest.account, cursor, limit, unread=unread)
        return guest.with_headers(shown(found))

    @router.get(f"{PATH}/unread", summary="How many of them you have not read")
    async def count(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        return guest.with_headers(shown(UnreadShown(await listed.unread(guest.account))))

    @router.post(f"{PATH}/read", summary="All of them are read, up to the newest that you saw")
    async def all_read(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        asked: ReadBody = _read(await read_body(request.receive, BODY_BYTES_MAX))
        read = await listed.read_all(guest.account, asked.up_to, guest.now)
        return guest.with_headers(shown(AllRead(read)))

    @router.post(f"{PATH}/{{id}}/read", summary="This one is read")
    async def one_read(request: Request, named: Id) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        await listed.read(guest.account, name_or_404(named), guest.now)
        return guest.with_headers(Response(status_code=204))


def _choosing(router: APIRouter, desk: Desk, reception: Reception, rates: Rates) -> None:
    choices = desk.choices

    @router.post(f"{PATH}/test", summary="Send yourself a test alert, as alerts are sent")
    async def test(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        return guest.with_headers(shown(await desk.test(guest.account, guest.now), status=202))

    @router.get(f"{PATH}/preferences", summary="What you want to be told, and where")
    async def held(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, SETTINGS_READ)
        now = await choices.held(guest.account)
        response = shown(now)
        response.headers["etag"] = f'"{now.version}"'
        return guest.with_headers(response)

    @router.put(f"{PATH}/preferences", summary="Change it; If-Match names the version seen")
    async def replace(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        asked: ChoicesBody = _choices(await read_body(request.receive, BODY_BYTES_MAX))
        version = version_of(request.headers.get("if-match"))
        wanted = [Choice(one.kind, one.in_app, one.email) for one in asked.choices]
        now = await choices.replace(guest.account, version, wanted)
        response = shown(now)
        response.headers["etag"] = f'"{now.version}"'
        return guest.with_headers(response)
