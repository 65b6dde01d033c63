"""The reads of internal services: balances, reservations, transactions, usage by account."""

# ruff: noqa: FAST003 - the parameter `id` is the one of type Id

from datetime import UTC, datetime
from typing import Annotated

from contracts.units import FOREVER
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway import reservations, usage
from gateway.balances import Balances
from gateway.freshness import Freshness
from gateway.guest import Guest, Reception
from gateway.keys import Scope
from gateway.moments import milliseconds
from gateway.principals import not_found
from gateway.problems import failure
from gateway.reservations import Held, Reservations
from gateway.statement import PAGE_DEFAULT, PAGE_MAX, Asked, Statement, Statements
from gateway.usage import PERIODS, Span, Usage, UsageShown
from gateway.web import shown

Id = Annotated[str, Path(alias="id")]
MinPosition = Annotated[str | None, Query(alias="minPosition", max_length=64)]
AsOf = Annotated[datetime | None, Query(alias="asOf")]
From = Annotated[datetime | None, Query(alias="from")]

EARLIEST = milliseconds(datetime(2000, 1, 1, tzinfo=UTC))
LATEST = milliseconds(datetime(2200, 1, 1, tzinfo=UTC))


class OpenReservations(Struct):
    """The open ones, oldest first."""

    items: list[Held]


class Reads(Struct, frozen=True):
    """What the read routes need."""

    reception: Reception
    freshness: Freshness
    balances: Balances
    reservations: Reservations
    statements: Statements
    usage: Usage

    async def statement(self, guest: Guest, asked: Asked) -> Statement:
        """A page of an account's entries."""
        return await self.statements.page(guest.account, asked)

    async def used(
        self, guest: Guest, period: str, start: datetime | None, end: datetime | None
    ) -> UsageShown:
        """An account's usage in its own calendar."""
        zone = (await self.balances.controls(guest.account)).time_zone
        span = self.span(guest, zone, period, start, end)
        return await self.usage.within(guest.account, span, zone)

    @staticmethod
    def span(
        guest: Guest, zone: str, period: str, start: datetime | None, end: datetime | None
    ) -> Span:
        """The days that were asked for."""
        if start is not None or end is not None:
            if start is None or end is None or instant(start) >= instant(end):
                raise failure(422, "invalid_request", "Give both from and to, in this order.")
            if not (instant(start) >= EARLIEST and instant(end) <= LATEST):
                raise failure(422, "invalid_request", "from and to lie between 2000 and 2200.")
            return usage.between(instant(start), instant(end), zone)
        if period in PERIODS:
            return usage.last_days(PERIODS[period], guest.now, zone)
        raise failure(422, "invalid_request", f"period is one of {', '.join(PERIODS)}.")


def instant(at: datetime) -> int:
    """Milliseconds of an instant; 422 when its time zone is missing."""
    if at.tzinfo is None:
        raise failure(422, "invalid_request", "Instants need a time zone: 2026-01-31T12:00:00Z.")
    return milliseconds(at)


def asked(
    kind: str | None,
    start: datetime | None,
    end: datetime | None,
    cursor: str | None,
    limit: int,
) -> Asked:
    """Which entries a caller wants."""
    return Asked(
        type=kind,
        start=0 if start is None else instant(start),
        end=FOREVER if end is None else instant(end),
        cursor=cursor,
        most=limit,
    )


def routes(reads: Reads) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(tags=["services"])
    _of_accounts(router, reads)
    _of_reservations(router, reads)
    return router


def _of_accounts(router: APIRouter, reads: Reads) -> None:
    of_account = reads.reception.of_account

    @router.get("/v1/accounts/{id}/balance", summary="What an account has, now or as of")
    async def balance(
        request: Request, account: Id, min_position: MinPosition = None, as_of: AsOf = None
    ) -> Response:
        guest = await of_account(request, account, Scope.READ)
        await reads.freshness.reach(guest.account, min_position)
        if as_of is not None:
            return shown(await reads.balances.then(guest.account, instant(as_of)))
        return shown(await reads.balances.now(guest.account, guest.now))

    @router.get("/v1/accounts/{id}/transactions", summary="Every entry, newest first")
    async def transactions(
        request: Request,
        account: Id,
        *,
        type: str | None = None,  # noqa: A002 - the parameter's name
        start: From = None,
        to: datetime | None = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
        min_position: MinPosition = None,
    ) -> Response:
        guest = await of_account(request, account, Scope.READ)
        await reads.freshness.reach(guest.account, min_position)
        return shown(await reads.statement(guest, asked(type, start, to, cursor, limit)))

    @router.get("/v1/accounts/{id}/usage", summary="Totals, per tool and per day")
    async def used(
        request: Request,
        account: Id,
        *,
        period: str = "30d",
        start: From = None,
        to: datetime | None = None,
        min_position: MinPosition = None,
    ) -> Response:
        guest = await of_account(request, account, Scope.READ)
        await reads.freshness.reach(guest.account, min_position)
        return shown(await reads.used(guest, period, start, to))


def _of_reservations(router: APIRouter, reads: Reads) -> None:
    of_account = reads.reception.of_account

    @router.get("/v1/accounts/{id}/reservations", summary="The open reservations")
    async def open_reservations(
        request: Request, account: Id, status: str = "open", min_position: MinPosition = None
    ) -> Response:
        guest = await of_account(request, account, Scope.READ)
        if status != "open":
            raise failure(422, "invalid_request", "Only status=open can be listed.")
        await reads.freshness.reach(guest.account, min_position)
        rows = await reads.reservations.open(guest.account)
        return shown(OpenReservations([reservations.shown(row) for row in rows]))

    @router.get("/v1/reservations/{id}", summary="One reservation")
    async def one(
        request: Request,
        reservation: Id,
        account: str | None = None,
        min_position: MinPosition = None,
    ) -> Response:
        guest = await of_account(request, account, Scope.READ)
        await reads.freshness.reach(guest.account, min_position)
        row = await reads.reservations.one(guest.account, reservation)
        if row is None:
            raise not_found()
        return shown(reservations.shown(row))
