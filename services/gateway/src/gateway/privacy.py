"""Everything about me, as JSON; and erasure, by the person or by an admin.

Events know an opaque id only, so that they stay, and every sum with them. Erasure ends spending by
a freeze with the reason `erased`, which stands in the log and in the compliance log, gives up what
credits are left, and then deletes who the id was: the only place that knew. Each step may be
repeated: an erasure that was cut short is finished by asking again.
"""

from collections.abc import AsyncIterator
from datetime import datetime

from contracts.codec import encode
from contracts.commands import Actor, ActorKind
from contracts.events import CommandRefused
from contracts.units import FOREVER, Ms
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct

from contracts import commands
from gateway import bodies, positions
from gateway.accountkeys import AccountKeys, KeyShown
from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.balances import BalanceShown
from gateway.bodies import decoder
from gateway.choices import ChoicesShown
from gateway.creditsettings import CreditSettings, OwnSettings
from gateway.gifts import Gifts, GiftSeen
from gateway.guest import Guest, Reception
from gateway.identity import Identity
from gateway.keys import Scope
from gateway.logins import Login, logins_of
from gateway.moments import moment
from gateway.noticeroutes import Desk
from gateway.notifications import NotificationShown
from gateway.problems import failure
from gateway.rates import SETTINGS_WRITE, Rates
from gateway.reads import Reads
from gateway.referrals import Referral, referral_of
from gateway.statement import PAGE_MAX, Asked
from gateway.teams import PREFIX, Seat, Teams, last_owner
from gateway.waiting import Answer
from gateway.web import shown

ERASED = "erased"  # the freeze's reason, and that of what is given up
_ERASER = Actor(ActorKind.ADMIN, "erasure")

_WHO = "SELECT id, email, role, made_at FROM identity.people WHERE id = %(id)s"
_SESSIONS = """
SELECT made_at, seen_at FROM identity.sessions WHERE person = %(id)s ORDER BY made_at"""
_ERASE = """
WITH erased AS (
  DELETE FROM identity.people WHERE id = %(id)s RETURNING email
), links AS (
  DELETE FROM identity.links WHERE email IN (SELECT email FROM erased)
), told AS (
  DELETE FROM identity.notifications WHERE account = %(id)s
), choices AS (
  DELETE FROM identity.notification_choices WHERE account = %(id)s
), notes AS (
  UPDATE identity.gifts SET note = '' WHERE sender = %(id)s
), invitations AS (
  DELETE FROM identity.invitations WHERE email IN (SELECT email FROM erased)
)
UPDATE gateway.keys SET revoked_at = coalesce(revoked_at, %(now)s), label = '',
       changed_at = clock_timestamp()
 WHERE account = %(id)s OR made_by = %(id)s"""

_asked = decoder(bodies.ErasureBody)


class _Who(Struct):
    id: str
    email: str | None
    role: str
    made_at: Ms


class _Session(Struct):
    made_at: Ms
    seen_at: Ms


class PersonTold(Struct, rename="camel"):
    """Who this is."""

    id: str
    email: str | None
    role: str
    since: datetime


class SessionTold(Struct, rename="camel"):
    """One place where the person is signed in."""

    since: datetime
    seen_at: datetime


class SeatTold(Struct):
    """A team that the person is in."""

    id: str
    name: str
    role: str


class LoginTold(Struct):
    """A provider that the person signed in by."""

    issuer: str
    subject: str
    since: datetime


class Known(Struct, rename="camel"):
    """All that is known about a person but the transactions, which follow."""

    account: str
    person: PersonTold | None
    sessions: list[SessionTold]
    keys: list[KeyShown]
    settings: CreditSettings
    balance: BalanceShown
    gifts: list[GiftSeen]
    teams: list[SeatTold]
    logins: list[LoginTold]
    referral: Referral | None
    notifications: list[NotificationShown]
    notification_preferences: ChoicesShown


class Erased(Struct, rename="camel"):
    """What an erasure did."""

    account: str
    forfeited: int


class Privacy(Struct, frozen=True):
    """Exports and erases."""

    identity: Identity
    reads: Reads
    settings: OwnSettings
    keys: AccountKeys
    gifts: Gifts
    teams: Teams
    notices: Desk

    async def known(self, guest: Guest) -> Known:
        """All but the transactions."""
        account = guest.account
        who = await self.identity.row(_Who, _WHO, {"id": account})
        sessions = await self.identity.rows(_Session, _SESSIONS, {"id": account})
        return Known(
            account=account,
            person=None
            if who is None
            else PersonTold(who.id, who.email, who.role, moment(who.made_at)),
            sessions=[SessionTold(moment(x.made_at), moment(x.seen_at)) for x in sessions],
            keys=await self.keys.all(account, guest.now),
            settings=await self.settings.now(account),
            balance=await self.reads.balances.now(account, guest.now),
            gifts=await self.gifts.sent(account),
            teams=[_seat_told(seat) for seat in await self.teams.mine(account)],
            logins=[_login_told(login) for login in await logins_of(self.identity, account)],
            referral=await referral_of(self.identity, account),
            notifications=await self.notices.listed.all(account),
            notification_preferences=await self.notices.choices.held(account),
        )

    async def export(self, guest: Guest, known: Known) -> AsyncIterator[bytes]:
        """One JSON document, page by page: what is known, then every transaction."""
        yield encode(known)[:-1] + b',"transactions":['
        cursor, first = None, True
        while True:
            asked = Asked(type=None, start=0, end=FOREVER, cursor=cursor, most=PAGE_MAX)
            page = await self.reads.statements.page(guest.account, asked)
            if page.items:
                yield (b"" if first else b",") + b",".join(encode(item) for item in page.items)
                first = False
            if (cursor := page.next_cursor) is None:
                break
        yield b"]}"

    async def erase(self, request: Request, guest: Guest, *, forfeit: bool) -> Erased:
        """Erase who an account is; raises 409 while runs are open or credits would be lost."""
        account = guest.account
        guest.principal.must_own()
        if await self.teams.last_owner_of(account):
            raise last_owner()
        before = await self.reads.balances.now(account, guest.now)
        if before.held:
            raise failure(409, "runs_open", "Runs are under way; erase when they have ended.")
        left = before.available + sum(coming.amount for coming in before.upcoming)
        if left and not forfeit:
            raise failure(
                409,
                "credits_left",
                f"{left} credits are left. Say forfeit: true to give them up.",
            )
        freeze = commands.Freeze(
            id=f"erase-{account}"[:64], account=account, actor=_ERASER, reason=ERASED
        )
        await self._reached(account, await self._ask(request, guest, freeze))
        forfeited = 0
        rest = await self.reads.balances.now(account, guest.now)
        for coming in rest.upcoming:
            await self._ask(request, guest, _given_up(account, coming.grant_id, coming.amount))
            forfeited += coming.amount
        for lot in rest.lots:
            if lot.available:
                await self._ask(request, guest, _given_up(account, lot.grant_id, lot.available))
                forfeited += lot.available
        if account.startswith(PREFIX):
            await self.teams.forget(account)
        await self.identity.change(_ERASE, {"id": account, "now": guest.now})
        return Erased(account, forfeited)

    async def _ask(self, request: Request, guest: Guest, command: commands.AnyCommand) -> Answer:
        trace = request.scope["scrip.trace"]
        answer = await self.settings.ledger.bridge.ask(command, guest.now, trace)
        if type(answer.event) is CommandRefused:
            raise failure(409, "not_erased", f"The ledger said no: {answer.event.reason.value}.")
        return answer

    async def _reached(self, account: str, answer: Answer) -> None:
        place = positions.shown(answer.partition, answer.seq)
        await self.reads.freshness.reach(account, place)


def routes(privacy: Privacy, reception: Reception, rates: Rates) -> APIRouter:
    """GET /api/account/export and POST /api/account/erasure."""
    router = APIRouter(tags=["account"])

    @router.get("/api/account/export", summary="Everything about you, as JSON")
    async def export(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        pages = privacy.export(guest, await privacy.known(guest))
        response = StreamingResponse(pages, media_type="application/json")
        response.headers["content-disposition"] = 'attachment; filename="scrip-export.json"'
        return guest.with_headers(response)

    @router.post("/api/account/erasure", summary="Erase who this account is; cannot be undone")
    async def erase(request: Request) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        guest.limited(rates, SETTINGS_WRITE)
        asked: bodies.ErasureBody = _asked(await read_body(request.receive, BODY_BYTES_MAX))
        if asked.account != guest.account:
            raise failure(422, "account_differs", "Name the account to erase in `account`.")
        erased = await privacy.erase(request, guest, forfeit=asked.forfeit)
        return guest.with_headers(shown(erased))

    return router


def _seat_told(seat: Seat) -> SeatTold:
    return SeatTold(seat.id, seat.name, seat.role)


def _login_told(login: Login) -> LoginTold:
    return LoginTold(login.issuer, login.subject, moment(login.made_at))


def _given_up(account: str, grant: str, amount: int) -> commands.Revoke:
    """Its second person is the owner, whose credits they are."""
    return commands.Revoke(
        id=f"erase-{grant}"[:64],
        account=account,
        actor=_ERASER,
        grant=grant,
        reason=ERASED,
        amount=amount,
        approved_by=account,
    )
