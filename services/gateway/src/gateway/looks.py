"""What staff looked at of other people's accounts: who, what, when and why; only ever added to.

A look at an account needs a reason that was given within the hour. The reason is staff's own words
and stays for ever: a ticket's number, no names.
"""

from contracts.units import HOUR, Ms
from msgspec import Struct

from gateway.identity import Identity

OPEN_FOR_MS = HOUR  # a call with somebody lasts as long, a forgotten tab longer
ANY_ACCOUNT = "*"
WHY_LENGTH_MAX = 200
SHOWN = 20

_OPEN = """
INSERT INTO identity.looks (staff, account, what, why, opened, at)
VALUES (%(staff)s, %(account)s, %(what)s, %(why)s, %(opened)s, %(now)s)"""
_LOOK = """
INSERT INTO identity.looks (staff, account, what, why, at)
SELECT staff, account, %(what)s, why, %(now)s FROM identity.looks
 WHERE staff = %(staff)s AND account = %(account)s AND opened AND at > %(since)s
 ORDER BY at DESC, number DESC LIMIT 1
RETURNING staff, what, why, at"""
_SEEN = """
SELECT staff, what, why, at FROM identity.looks WHERE account = %(account)s
 ORDER BY at DESC, number DESC LIMIT %(most)s"""


class Look(Struct, frozen=True):
    """One look at an account."""

    staff: str
    what: str
    why: str
    at: Ms


class Looks(Struct, frozen=True):
    """Writes and reads them."""

    identity: Identity

    async def opened(self, staff: str, account: str, why: str, now: Ms) -> None:
        """Somebody said why they look at this account; good for an hour."""
        await self._add(staff, account, "opened", why, now, opened=True)

    async def noted(self, staff: str, account: str, what: str, why: str, now: Ms) -> None:
        """One look with its own reason."""
        await self._add(staff, account, what, why, now, opened=False)

    async def look(self, staff: str, account: str, what: str, now: Ms) -> Look | None:
        """One more look for the reason that was given; None: no reason was given lately."""
        values = {"staff": staff, "account": account, "what": what, "now": now}
        return await self.identity.row(Look, _LOOK, values | {"since": now - OPEN_FOR_MS})

    async def of(self, account: str) -> list[Look]:
        """The newest looks at an account."""
        return await self.identity.rows(Look, _SEEN, {"account": account, "most": SHOWN})

    async def _add(
        self, staff: str, account: str, what: str, why: str, now: Ms, *, opened: bool
    ) -> None:
        values = {"staff": staff, "account": account, "what": what, "why": why, "now": now}
        await self.identity.change(_OPEN, values | {"opened": opened})


def why_of(text: str) -> str:
    """A reason as it is kept: one line that can be seen, or nothing."""
    said = " ".join(text.split())
    return said if said.isprintable() and len(said) <= WHY_LENGTH_MAX else ""
