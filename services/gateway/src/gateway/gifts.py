"""Gifts: an account with credits that whoever has the code may claim, once.

    make     the sender's credits go to the gift's own account
    claim    all of them go to the claimant   } one transfer of the gift, named `end`: the ledger
    return   all of them go back              } lets it happen once, whoever asks first

Declined by the one who has the code, cancelled by the sender, or unclaimed in time: all of that is
a return. The ledger knows accounts and amounts; the code's hash and the note are personal data.
"""

import hashlib
import secrets
from datetime import datetime

from bus.trace import Trace
from contracts.commands import Actor, Send
from contracts.events import CommandRefused
from contracts.reasons import Reason
from contracts.units import DAY, Ms
from msgspec import Struct

from gateway import giftbodies
from gateway.guest import Guest
from gateway.identity import Identity
from gateway.moments import moment
from gateway.principals import not_found
from gateway.problems import failure
from gateway.readmodels import ReadModels
from gateway.waiting import Answer, Bridge

OPEN_MAX = 20  # of one sender; a campaign is no gift
END = "end"  # the one transfer that ends a gift
SWEEP_MAX = 50  # gifts returned at once, so that a flood of them leaves room for callers

_COLUMNS = "gift, sender, amount, note, made_at, until, over_at, sha256 IS NOT NULL AS sent"
_MAKE = """
INSERT INTO identity.gifts (gift, sender, amount, note, made_at, until)
SELECT %(gift)s, %(sender)s, %(amount)s, %(note)s, %(now)s, %(until)s
 WHERE (SELECT count(*) FROM identity.gifts
         WHERE sender = %(sender)s AND over_at IS NULL AND gift <> %(gift)s) < %(most)s
ON CONFLICT (gift) DO UPDATE SET gift = excluded.gift"""
_SENT = "UPDATE identity.gifts SET sha256 = %(sha256)s WHERE gift = %(gift)s AND over_at IS NULL"
_UNMADE = "DELETE FROM identity.gifts WHERE gift = %(gift)s AND sha256 IS NULL"
_OVER = """
UPDATE identity.gifts SET over_at = coalesce(over_at, %(now)s) WHERE gift = %(gift)s"""
_BY_CODE = f"SELECT {_COLUMNS} FROM identity.gifts WHERE sha256 = %(sha256)s"  # noqa: S608 - constants
_BY_SENDER = f"""
SELECT {_COLUMNS} FROM identity.gifts WHERE sender = %(sender)s
ORDER BY made_at DESC, gift LIMIT 200"""  # noqa: S608 - constants
_DUE = f"""
SELECT {_COLUMNS} FROM identity.gifts WHERE until <= %(now)s AND over_at IS NULL
ORDER BY until LIMIT {SWEEP_MAX}"""  # noqa: S608 - constants
_HELD = "SELECT available FROM read.balances WHERE account = %(gift)s"
_ENDS = """
SELECT account, receiver FROM read.transfers
WHERE account = ANY(%(gifts)s) AND transfer = %(end)s"""


class Gift(Struct):
    """A row of identity.gifts."""

    gift: str
    sender: str
    amount: int
    note: str
    made_at: Ms
    until: Ms
    over_at: Ms | None
    sent: bool


class _Held(Struct):
    available: int


class _End(Struct):
    account: str
    receiver: str


class GiftSeen(Struct, rename="camel", kw_only=True):
    """A gift as its sender sees it: `sending`, `open`, `claimed` or `returned`."""

    gift_id: str
    amount: int
    note: str
    state: str
    made_at: datetime
    until: datetime


class GiftMade(Struct, rename="camel", kw_only=True):
    """A gift and the code that claims it, which is shown this once."""

    gift_id: str
    amount: int
    until: datetime
    code: str
    link: str


class GiftOpened(Struct, rename="camel", kw_only=True):
    """What whoever has the code may know before they claim."""

    amount: int
    note: str
    until: datetime


class GiftEnded(Struct, rename="camel", kw_only=True):
    """Its credits are on their way: to the claimant, or back."""

    gift_id: str
    amount: int
    state: str


class Gifts(Struct, frozen=True):
    """Makes gifts and ends them."""

    identity: Identity
    models: ReadModels
    bridge: Bridge
    public_url: str

    async def make(
        self, guest: Guest, key: str, asked: giftbodies.GiftBody, trace: Trace
    ) -> GiftMade | Answer:
        """A new gift, or the ledger's no. The same key makes the same gift, with a new code."""
        name = f"gift-{_print(guest.account, key)}"
        until = guest.now + asked.days * DAY
        values: dict[str, object] = {"gift": name, "sender": guest.account, "now": guest.now}
        values |= {"amount": asked.amount, "note": asked.note, "until": until, "most": OPEN_MAX}
        if await self.identity.change(_MAKE, values) != 1:
            raise failure(409, "too_many_gifts", f"{OPEN_MAX} gifts are open; cancel some first.")
        answer = await self.bridge.ask(
            Send(
                id=key,
                account=guest.account,
                actor=guest.principal.actor,
                to=name,
                amount=asked.amount,
                transfer=name,
            ),
            guest.now,
            trace,
        )
        if isinstance(answer.event, CommandRefused):
            await self.identity.change(_UNMADE, {"gift": name})
            return answer
        code = secrets.token_urlsafe(24)
        if not await self.identity.change(_SENT, {"gift": name, "sha256": _sha256(code)}):
            raise _over()
        return GiftMade(
            gift_id=name,
            amount=asked.amount,
            until=moment(until),
            code=code,
            link=f"{self.public_url}/gifts/claim#{code}",
        )

    async def by_code(self, code: str, now: Ms) -> Gift:
        """The gift of a code; raises 404 for one that is none, 410 for one whose time is over."""
        gift = await self.identity.row(Gift, _BY_CODE, {"sha256": _sha256(code)})
        if gift is None:
            raise not_found()
        if gift.until <= now:
            raise failure(410, "gift_expired", "Nobody claimed this gift in time; it went back.")
        return gift

    async def claim(self, guest: Guest, code: str, trace: Trace) -> GiftEnded:
        """All of it to the caller."""
        gift = await self.by_code(code, guest.now)
        if gift.sender == guest.account:
            raise failure(409, "own_gift", "This is your own gift: cancel it to have it back.")
        return await self._end(gift, guest.account, guest.principal.actor, guest.now, trace)

    async def decline(self, guest: Guest, code: str, trace: Trace) -> GiftEnded:
        """All of it back to the sender."""
        gift = await self.by_code(code, guest.now)
        return await self._end(gift, gift.sender, guest.principal.actor, guest.now, trace)

    async def cancel(self, guest: Guest, name: str, trace: Trace) -> GiftEnded:
        """The sender takes it back; raises 404 for another's."""
        for gift in await self._made(guest.account):
            if gift.gift == name:
                actor = guest.principal.actor
                return await self._end(gift, gift.sender, actor, guest.now, trace)
        raise not_found()

    async def sent(self, account: str) -> list[GiftSeen]:
        """The gifts that an account made, the newest first."""
        made = await self._made(account)
        values = {"gifts": [gift.gift for gift in made], "end": END}
        ends = {row.account: row.receiver for row in await self.models.rows(_End, _ENDS, values)}
        return [_seen(gift, ends.get(gift.gift)) for gift in made]

    async def due(self, now: Ms) -> list[Gift]:
        """Some whose time is over and that nobody ended."""
        return await self.identity.rows(Gift, _DUE, {"now": now})

    async def expire(self, gift: Gift, actor: Actor, now: Ms) -> GiftEnded:
        """Back to the sender, because its time is over."""
        return await self._end(gift, gift.sender, actor, now, Trace())

    async def _made(self, account: str) -> list[Gift]:
        return await self.identity.rows(Gift, _BY_SENDER, {"sender": account})

    async def _end(self, gift: Gift, to: str, actor: Actor, now: Ms, trace: Trace) -> GiftEnded:
        held = await self.models.row(_Held, _HELD, {"gift": gift.gift})
        if held is None or not held.available:
            return await self._ended(gift, to, now)
        answer = await self.bridge.ask(
            Send(
                id=f"{END}-{held.available}-{_print(to, END)}",
                account=gift.gift,
                actor=actor,
                to=to,
                amount=held.available,
                transfer=END,
            ),
            now,
            trace,
        )
        event = answer.event
        if isinstance(event, CommandRefused):
            if event.reason is not Reason.ID_CONFLICT:
                raise failure(409, event.reason.value, "The gift's credits cannot be moved now.")
            return await self._ended(gift, to, now)
        await self.identity.change(_OVER, {"gift": gift.gift, "now": now})
        return _told(gift, held.available, to)

    async def _ended(self, gift: Gift, to: str, now: Ms) -> GiftEnded:
        """It has nothing any more, or not yet: say which; raises 409 when others ended it."""
        ends = await self.models.rows(_End, _ENDS, {"gifts": [gift.gift], "end": END})
        if not ends and gift.over_at is None:
            raise failure(
                409,
                "gift_on_its_way",
                "The gift's credits are still on their way; try again in a moment.",
                retry_after_s=1,
            )
        await self.identity.change(_OVER, {"gift": gift.gift, "now": now})
        if not ends or ends[0].receiver != to:
            raise _over()
        return _told(gift, gift.amount, to)


def _over() -> Exception:
    return failure(409, "gift_over", "This gift was claimed or went back already.")


def _told(gift: Gift, amount: int, to: str) -> GiftEnded:
    state = "returned" if to == gift.sender else "claimed"
    return GiftEnded(gift_id=gift.gift, amount=amount, state=state)


def _seen(gift: Gift, ended_at: str | None) -> GiftSeen:
    state = "open" if gift.sent else "sending"
    if ended_at is not None:
        state = "returned" if ended_at == gift.sender else "claimed"
    return GiftSeen(
        gift_id=gift.gift,
        amount=gift.amount,
        note=gift.note,
        state=state,
        made_at=moment(gift.made_at),
        until=moment(gift.until),
    )


def _print(*parts: str) -> str:
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=10).hexdigest()


def _sha256(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
