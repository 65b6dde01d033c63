"""Transfers as the read models know them: under way, received, or come back. By their sender."""

# ruff: noqa: FAST003 - the parameter `id` is the one of type Id

import re
from datetime import datetime
from typing import Annotated

from contracts.units import FOREVER, Ms
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway.bodies import NAME
from gateway.freshness import Freshness
from gateway.guest import Reception
from gateway.keys import Scope
from gateway.moments import moment
from gateway.principals import not_found
from gateway.readmodels import ReadModels
from gateway.reads import Id, MinPosition, instant
from gateway.web import shown

_name = re.compile(NAME).match
_ONE = """
SELECT transfer, receiver, amount, returned, sent_at_ms, settled_at_ms FROM read.transfers
WHERE account = %(account)s AND transfer = %(transfer)s"""
_NEWEST = """
SELECT transfer, receiver, amount, returned, sent_at_ms, settled_at_ms FROM read.transfers
WHERE account = %(account)s AND sent_at_ms < %(before)s
ORDER BY sent_at_ms DESC, transfer LIMIT 100"""


class _Row(Struct):
    """A row of read.transfers."""

    transfer: str
    receiver: str
    amount: int
    returned: int | None
    sent_at_ms: Ms
    settled_at_ms: Ms | None


class TransferSeen(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A transfer: `sent` while it is under way, then `received` or `returned`."""

    transfer_id: str
    to: str
    amount: int
    status: str
    sent_at: datetime
    settled_at: datetime | None = None


class TransfersShown(Struct):
    """The newest first."""

    items: list[TransferSeen]


def _seen(row: _Row) -> TransferSeen:
    ends = {None: "sent", 0: "received"}
    return TransferSeen(
        transfer_id=row.transfer,
        to=row.receiver,
        amount=row.amount,
        status=ends.get(row.returned, "returned"),
        sent_at=moment(row.sent_at_ms),
        settled_at=None if row.settled_at_ms is None else moment(row.settled_at_ms),
    )


def routes(reception: Reception, freshness: Freshness, models: ReadModels) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(tags=["services"])

    @router.get("/v1/accounts/{id}/transfers", summary="What was sent to other accounts")
    async def sent(
        request: Request,
        account: Id,
        *,
        before: Annotated[datetime | None, Query()] = None,
        min_position: MinPosition = None,
    ) -> Response:
        guest = await reception.of_account(request, account, Scope.READ)
        await freshness.reach(guest.account, min_position)
        until = FOREVER if before is None else instant(before)
        rows = await models.rows(_Row, _NEWEST, {"account": guest.account, "before": until})
        return shown(TransfersShown([_seen(row) for row in rows]))

    @router.get("/v1/accounts/{id}/transfers/{transfer}", summary="One transfer")
    async def one(
        request: Request,
        account: Id,
        transfer: Annotated[str, Path()],
        min_position: MinPosition = None,
    ) -> Response:
        guest = await reception.of_account(request, account, Scope.READ)
        await freshness.reach(guest.account, min_position)
        if _name(transfer) is None:
            raise not_found()
        row = await models.row(_Row, _ONE, {"account": guest.account, "transfer": transfer})
        if row is None:
            raise not_found()
        return shown(_seen(row))

    return router
