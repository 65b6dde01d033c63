"""Referrals: whoever brings somebody who buys gets a bonus, and so does the one who was brought.

    named    once a person, and only by one who came after the code was made: so nobody is brought
             by themselves, and no two people by each other
    settled  when a first purchase, made after that, has stood for `hold_ms` without a refund or a
             dispute: nothing is given that would have to be taken back
    given    two grants, each with a source that the ledger takes once for ever

A referrer has so many bonuses a month; beyond them only the one who was brought gets theirs.
"""

import hashlib
import secrets

import structlog
from bus.trace import Trace
from contracts.commands import Actor, ActorKind, Grant, GrantKind
from contracts.events import CommandRefused
from contracts.reasons import Reason
from contracts.units import DAY, Ms
from msgspec import Struct

from gateway.guest import Guest
from gateway.identity import Identity
from gateway.moments import moment
from gateway.problems import ProblemError, failure
from gateway.readmodels import ReadModels
from gateway.referralterms import Terms
from gateway.waiting import Bridge, NoAnswer

log = structlog.get_logger(__name__)

LIFETIME_MS = 90 * DAY  # of a bonus
SWEEP_MAX = 50  # referrals settled at once
REASON = "referral"
_COURIER = Actor(ActorKind.SERVICE, "referrals")
_DONE = {Reason.SOURCE_ALREADY_GRANTED, Reason.ID_CONFLICT}

_CODE = "SELECT code FROM identity.referrals WHERE referrer = %(me)s"
_MAKE = """
INSERT INTO identity.referrals (referrer, code, made_at)
SELECT id, %(code)s, %(now)s FROM identity.people WHERE id = %(me)s AND role = 'owner'
    ON CONFLICT (referrer) DO NOTHING"""
_FIGURES = """
SELECT count(*)::int AS named,
       count(*) FILTER (WHERE given_at IS NOT NULL AND to_referrer)::int AS rewarded
  FROM identity.referred WHERE referrer = %(me)s"""
_KEPT = """
SELECT r.code, d.referrer AS named FROM identity.people AS p
  LEFT JOIN identity.referrals AS r ON r.referrer = p.id
  LEFT JOIN identity.referred AS d ON d.person = p.id
 WHERE p.id = %(me)s AND (r.code IS NOT NULL OR d.referrer IS NOT NULL)"""
_WHOSE = "SELECT referrer FROM identity.referrals WHERE code = %(code)s"
_MINE = "SELECT referrer FROM identity.referred WHERE person = %(me)s"
_NAME = """
INSERT INTO identity.referred (person, referrer, named_at)
SELECT p.id, r.referrer, %(now)s
  FROM identity.people AS p JOIN identity.referrals AS r ON r.made_at < p.made_at
 WHERE p.id = %(me)s AND r.code = %(code)s
    ON CONFLICT (person) DO NOTHING"""
_OPEN = f"""
SELECT person, named_at, bought_at FROM identity.referred
 WHERE given_at IS NULL AND person > %(after)s ORDER BY person LIMIT {SWEEP_MAX}"""  # noqa: S608 - constants
_BOUGHT = "SELECT account FROM read.lots WHERE account = %(me)s AND kind IN ('paid', 'topup')"
_STOOD = """
SELECT l.account, min(l.created_at_ms) AS bought_at FROM read.lots AS l
 WHERE l.account = ANY(%(people)s) AND l.kind IN ('paid', 'topup') AND l.created_at_ms <= %(before)s
   AND NOT EXISTS (SELECT FROM read.freezes AS f WHERE f.account = l.account)
   AND NOT EXISTS (SELECT FROM read.entries AS e WHERE e.account = l.account
                      AND e.grant_id = l.grant_id AND e.type = 'CreditsRevoked')
 GROUP BY l.account"""
# One statement: whoever comes second waits for the row, and finds it settled.
_SETTLE = """
WITH mine AS (
  SELECT person, referrer FROM identity.referred
   WHERE person = %(person)s AND bought_at IS NULL FOR UPDATE
), counted AS (
  UPDATE identity.referrals AS r
     SET bonuses = CASE WHEN month = %(month)s THEN bonuses + 1 ELSE 1 END, month = %(month)s
    FROM mine WHERE r.referrer = mine.referrer AND (month <> %(month)s OR bonuses < %(most)s)
  RETURNING r.referrer
)
UPDATE identity.referred AS d
   SET bought_at = %(bought_at)s, to_referrer = EXISTS (SELECT FROM counted)
  FROM mine WHERE d.person = mine.person"""
_SETTLED = """
SELECT person, referrer, bought_at, to_referrer FROM identity.referred
 WHERE given_at IS NULL AND bought_at IS NOT NULL AND person = ANY(%(people)s)"""
_GIVEN = "UPDATE identity.referred SET given_at = %(now)s WHERE person = %(person)s"


class _Code(Struct):
    code: str


class _Figures(Struct):
    named: int
    rewarded: int


class _Whose(Struct):
    referrer: str


class _Account(Struct):
    account: str


class _Stood(Struct):
    account: str
    bought_at: Ms


class Referred(Struct):
    """A row of identity.referred that is not done with."""

    person: str
    named_at: Ms
    bought_at: Ms | None


class Bought(Struct):
    """A row of identity.referred whose purchase has stood: bonuses are due."""

    person: str
    referrer: str
    bought_at: Ms
    to_referrer: bool


class ReferralShown(Struct, rename="camel", kw_only=True):
    """Your code, if you have one, and how many it brought. Who they are is theirs to tell."""

    code: str | None
    link: str | None
    bonus: int
    monthly_most: int
    named: int
    rewarded: int
    named_one: bool


class Referral(Struct, rename="camel"):
    """What is kept about somebody's referrals: their code, and whom they named."""

    code: str | None
    named: str | None


class Referrals(Struct, frozen=True):
    """Names who brought whom, and gives both their bonus."""

    identity: Identity
    models: ReadModels
    bridge: Bridge
    public_url: str
    terms: Terms

    async def mine(self, account: str) -> ReferralShown:
        """What a person's own code brought."""
        code = await self.identity.row(_Code, _CODE, {"me": account})
        figures = await self.identity.row(_Figures, _FIGURES, {"me": account})
        assert figures is not None, "a count is always a row"
        named = await self.identity.row(_Whose, _MINE, {"me": account})
        return ReferralShown(
            code=None if code is None else code.code,
            link=None if code is None else f"{self.public_url}/sign-in#ref={code.code}",
            bonus=self.terms.bonus,
            monthly_most=self.terms.monthly,
            named=figures.named,
            rewarded=figures.rewarded,
            named_one=named is not None,
        )

    async def make(self, guest: Guest) -> ReferralShown:
        """A code of one's own; asked again, the same one."""
        _for_people(guest)
        values = {"me": guest.account, "code": secrets.token_hex(5), "now": guest.now}
        await self.identity.change(_MAKE, values)
        made = await self.mine(guest.account)
        if made.code is None:
            raise _people_only()
        return made

    async def name(self, guest: Guest, code: str) -> ReferralShown:
        """Say who brought the caller; raises 404 and 409 with what is wrong."""
        _for_people(guest)
        wanted = code.strip().lower()
        values = {"me": guest.account, "code": wanted, "now": guest.now}
        known = wanted.isascii() and wanted.isalnum()
        referrer = await self.identity.row(_Whose, _WHOSE, values) if known else None
        if referrer is None:
            raise failure(404, "referral_unknown", "There is no such code. Check its spelling.")
        if referrer.referrer == guest.account:
            raise failure(409, "own_referral", "This is your own code: it is for others.")
        named = await self.identity.row(_Whose, _MINE, values)
        if named is None:
            if await self.models.rows(_Account, _BOUGHT, values):
                raise failure(409, "referral_too_late", "You have bought credits already.")
            await self.identity.change(_NAME, values)
            named = await self.identity.row(_Whose, _MINE, values)
        if named is None:
            raise failure(409, "referral_not_new", "This code is for people who came after it.")
        if named.referrer != referrer.referrer:
            raise failure(409, "referral_named", "You have named somebody else already.")
        return await self.mine(guest.account)

    async def open_ones(self, after: str) -> list[Referred]:
        """Some that are not done with, by person, beyond one."""
        return await self.identity.rows(Referred, _OPEN, {"after": after})

    async def settle(self, some: list[Referred], now: Ms) -> int:
        """Give the bonuses of those whose purchase has stood long enough; gives how many."""
        if not self.terms.bonus:
            return 0
        hold = self.terms.hold_days * DAY
        waiting = [one.person for one in some if one.bought_at is None]
        values: dict[str, object] = {"people": waiting, "before": now - hold}
        stood = {row.account: row for row in await self.models.rows(_Stood, _STOOD, values)}
        given = 0
        for one in some:
            found = stood.get(one.person)
            if one.bought_at is None and found is not None and found.bought_at >= one.named_at:
                await self._settled(found, now)
        named = {"people": [one.person for one in some]}
        for due in await self.identity.rows(Bought, _SETTLED, named):
            try:
                await self._give(due, due.bought_at + hold + LIFETIME_MS, now)
                given += 1
            except (ProblemError, NoAnswer) as why:  # one account holds up no other
                log.info("bonus_not_given_yet", why=str(why))
        return given

    async def _give(self, one: Bought, until: Ms, now: Ms) -> None:
        about = _print(one.person)
        await self._grant(one.person, f"referral-{about}", until, now)
        if one.to_referrer:
            await self._grant(one.referrer, f"referred-{about}", until, now)
        await self.identity.change(_GIVEN, {"person": one.person, "now": now})

    async def _settled(self, found: _Stood, now: Ms) -> None:
        values: dict[str, object] = {
            "person": found.account,
            "bought_at": found.bought_at,
            "month": moment(now).strftime("%Y-%m"),
            "most": self.terms.monthly,
        }
        await self.identity.change(_SETTLE, values)

    async def _grant(self, account: str, source: str, until: Ms, now: Ms) -> None:
        grant = Grant(
            id=source,
            account=account,
            actor=_COURIER,
            amount=self.terms.bonus,
            kind=GrantKind.PROMO,
            source=source,
            expires_at=until,
            reason=REASON,
        )
        event = (await self.bridge.ask(grant, now, Trace())).event
        if isinstance(event, CommandRefused) and event.reason not in _DONE:
            raise failure(409, event.reason.value, "The bonus cannot be given now.")


async def referral_of(identity: Identity, account: str) -> Referral | None:
    """What is kept about somebody, if anything is."""
    return await identity.row(Referral, _KEPT, {"me": account})


def _for_people(guest: Guest) -> None:
    if guest.principal.member is not None:
        raise _people_only()


def _people_only() -> Exception:
    return failure(403, "referral_for_people", "Codes are for people: act for yourself.")


def _print(person: str) -> str:
    return hashlib.blake2b(person.encode(), digest_size=10).hexdigest()
