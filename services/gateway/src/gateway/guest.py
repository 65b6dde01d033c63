"""Who calls a route of the FastAPI application, and for which account."""

import re
import time

from contracts.units import Ms
from fastapi import Request
from fastapi.responses import Response

from gateway.bodies import NAME
from gateway.door import Door
from gateway.keys import Scope
from gateway.live import Pass
from gateway.looks import Looks, why_of
from gateway.principals import Principal, not_found
from gateway.problems import failure
from gateway.rates import Rates, Rule

_name = re.compile(NAME).match


class Guest:
    """A caller who was let in."""

    def __init__(self, principal: Principal, account: str, now: Ms) -> None:
        self.principal = principal
        self.account = account
        self.now = now
        self._headers: tuple[tuple[bytes, bytes], ...] = ()

    def limited(self, rates: Rates, rule: Rule) -> None:
        """Count this call against a rate limit; raises 429."""
        self._headers = rates.take(rule, self.principal, self.now / 1000)

    def with_headers(self, response: Response) -> Response:
        """The reply, with what is left of the rate limit."""
        for name, value in self._headers:
            response.headers[name.decode()] = value.decode()
        return response


class Reception:
    """Lets callers in: `of_account` for /v1 (keys), `at_home` for /api (people and their keys).

    Staff who look at somebody's account say why, and it is written down.
    """

    def __init__(self, door: Door, looks: Looks) -> None:
        self._door = door
        self.looks = looks

    async def of_account(self, request: Request, account: str | None, scope: Scope) -> Guest:
        """A caller for a named account, or the key's own; 404 for another's."""
        return await self._enter(request, account, scope, people=False)

    async def at_home(self, request: Request, scope: Scope, named: str | None = None) -> Guest:
        """A caller for the own account or a team's; it is named here or by `Scrip-Account`."""
        return await self._enter(request, named, scope, people=True)

    async def staff(self, request: Request) -> Guest:
        """Staff who are signed in, for no account yet; 404 for everybody else who is known."""
        now = time.time_ns() // 1_000_000
        headers: dict[bytes, bytes] = dict(request.scope["headers"])
        principal = await self._door.enter(request.method, headers, now, people=True)
        if principal.staff is None:
            raise not_found()
        return Guest(principal, "", now)

    def shown(self, request: Request) -> Pass:
        """What a caller who was let in showed."""
        return self._door.shown(dict(request.scope["headers"]))

    async def _enter(
        self, request: Request, account: str | None, scope: Scope, *, people: bool
    ) -> Guest:
        now = time.time_ns() // 1_000_000
        headers: dict[bytes, bytes] = dict(request.scope["headers"])
        if people and account is not None:  # as if it were the header: it may be a team's
            headers[b"scrip-account"] = account.encode()
        principal = await self._door.enter(request.method, headers, now, people=people)
        principal.must(scope)
        if account is None and (named := headers.get(b"scrip-account")):
            account = named.decode("latin-1")
        if account is not None and _name(account) is None:
            raise not_found()
        guest = Guest(principal, principal.acts_for(account), now)
        if principal.staff is not None:
            await self._noted(request, guest, headers.get(b"scrip-reason", b""))
        return guest

    async def _noted(self, request: Request, guest: Guest, said: bytes) -> None:
        why = why_of(said.decode("latin-1"))
        if not why:
            raise failure(
                403,
                "reason_missing",
                "Staff say why they look at an account, in the header `Scrip-Reason`.",
            )
        what = f"{request.method} {request.url.path}"[:200]
        await self.looks.noted(guest.principal.actor.id, guest.account, what, why, guest.now)
