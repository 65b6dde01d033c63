"""Reservations as the read models know them: one, the open ones, and how a run's ended."""

import re
from datetime import datetime

from contracts.events import Balance
from msgspec import Struct

from gateway.bodies import NAME
from gateway.moments import moment
from gateway.problems import ProblemError
from gateway.readmodels import ReadModels
from gateway.watching import Ending

_name = re.compile(NAME).match

OPEN_MAX = 1_000  # in one answer; an account with more has other troubles
_COLUMNS = (
    "reservation, tool, status, amount, held, charged, released, refunded, min, typical,"
    " created_at_ms, expires_at_ms, ended_at_ms, parent, overrun, outcome"
)


class Row(Struct):
    """A row of read.reservations, as far as we show it."""

    reservation: str
    tool: str | None
    status: str
    amount: int
    held: int
    charged: int
    released: int
    refunded: int
    min: int
    typical: int | None
    created_at_ms: int
    expires_at_ms: int
    ended_at_ms: int | None
    parent: str | None = None
    overrun: int = 0
    outcome: str | None = None


class BalanceRow(Struct):
    """What an account has."""

    available: int
    held: int
    spent: int


class Held(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One reservation as callers see it."""

    reservation_id: str
    status: str
    tool_id: str | None = None
    amount: int
    held: int
    charged: int
    released: int
    refunded: int
    min: int
    typical: int | None = None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    parent: str | None = None
    overrun: int = 0
    outcome: str | None = None


class Reservations:
    """Reads of reservations."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    async def one(self, account: str, reservation: str) -> Row | None:
        """A reservation of this account."""
        if _name(reservation) is None:
            return None
        return await self._models.row(
            Row,
            f"SELECT {_COLUMNS} FROM read.reservations"  # noqa: S608 - constants
            " WHERE account = %(account)s AND reservation = %(reservation)s",
            {"account": account, "reservation": reservation},
        )

    async def open(self, account: str) -> list[Row]:
        """The open ones of this account, oldest first."""
        return await self._models.rows(
            Row,
            f"SELECT {_COLUMNS} FROM read.reservations"  # noqa: S608 - constants
            " WHERE account = %(account)s AND status = 'open'"
            " ORDER BY created_at_ms, reservation LIMIT %(most)s",
            {"account": account, "most": OPEN_MAX},
        )

    async def ending(self, account: str, reservation: str) -> Ending | None:
        """How a reservation ended; None while it is open, unknown, or nobody can say."""
        try:
            row = await self.one(account, reservation)
            if row is None or row.status == "open":
                return None
            now = await self._models.row(
                BalanceRow,
                "SELECT available, held, spent FROM read.balances WHERE account = %(account)s",
                {"account": account},
            )
        except ProblemError:
            return None  # without the read models the run's own events must tell
        if now is None:
            return None
        balance = Balance(now.available, now.held, now.spent)
        return Ending(row.status, row.charged, balance, "")


def shown(row: Row) -> Held:
    """A row in the API's words."""
    return Held(
        reservation_id=row.reservation,
        status=row.status,
        tool_id=row.tool,
        amount=row.amount,
        held=row.held,
        charged=row.charged,
        released=row.released,
        refunded=row.refunded,
        min=row.min,
        typical=row.typical,
        created_at=moment(row.created_at_ms),
        expires_at=moment(row.expires_at_ms),
        ended_at=None if row.ended_at_ms is None else moment(row.ended_at_ms),
        parent=row.parent,
        overrun=row.overrun,
        outcome=row.outcome,
    )
