"""The list of what an owner was told: kept once, newest first, read or not.

It belongs to the account, so that whoever acts for a team sees the team's, and what one of them has
read is read. A notification of an account that nobody signs in to is kept by nobody.
"""

from datetime import datetime

from contracts.codec import decode_notification, encode
from contracts.notifications import Notification
from contracts.units import DAY, Ms
from msgspec import Struct

from gateway import noticewords
from gateway.identity import Identity
from gateway.moments import moment, moment_or_none
from gateway.principals import not_found
from gateway.problems import LimitShown, failure, limit_shown

PAGE_DEFAULT = 25
PAGE_MAX = 100
KEPT_MS = 90 * DAY  # longer than anybody looks back; ids need only outlive the topic's 7 days
SWEEP_MAX = 1_000  # rows forgotten at once

_KEEP = """
WITH told AS (
  INSERT INTO identity.notifications (id, account, kind, at, told, listed)
  SELECT %(id)s, %(account)s, %(kind)s, %(at)s, %(told)s, %(listed)s
   WHERE EXISTS (SELECT FROM identity.people WHERE id = %(account)s)
      OR EXISTS (SELECT FROM identity.teams WHERE id = %(account)s)
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), mails AS (
  INSERT INTO identity.notification_mails (id, person, due_at)
  SELECT told.id, p.id, %(now)s FROM told, identity.people AS p
   WHERE %(mailed)s AND p.email IS NOT NULL
     AND (p.id = %(account)s
          OR p.id IN (SELECT person FROM identity.members
                       WHERE team = %(account)s AND role IN ('owner', 'admin')))
  RETURNING person
)
SELECT (SELECT count(*) FROM told) AS told, (SELECT count(*) FROM mails) AS mails"""
_PAGE = """
SELECT number, told, read_at FROM identity.notifications
 WHERE account = %(account)s AND listed AND number < %(before)s
   AND (NOT %(unread)s OR read_at IS NULL)
 ORDER BY number DESC LIMIT %(most)s"""
_UNREAD = """
SELECT count(*) AS unread FROM identity.notifications
 WHERE account = %(account)s AND listed AND read_at IS NULL"""
_READ = """
UPDATE identity.notifications SET read_at = coalesce(read_at, %(now)s)
 WHERE account = %(account)s AND listed AND id = %(id)s"""
_READ_ALL = """
UPDATE identity.notifications SET read_at = %(now)s
 WHERE account = %(account)s AND listed AND read_at IS NULL
   AND number <= (SELECT number FROM identity.notifications
                   WHERE account = %(account)s AND id = %(up_to)s)"""
_ALL = """
SELECT number, told, read_at FROM identity.notifications
 WHERE account = %(account)s ORDER BY number DESC"""
_FORGET = f"""
DELETE FROM identity.notifications WHERE number IN (
  SELECT number FROM identity.notifications WHERE at < %(before)s LIMIT {SWEEP_MAX})"""  # noqa: S608
_NEWEST = 2**63 - 1


class Kept(Struct):
    """What became of one: whether it is new to somebody, and how many mails it makes."""

    told: int
    mails: int


class _Row(Struct):
    number: int
    told: str
    read_at: Ms | None


class _Count(Struct):
    unread: int


class NotificationShown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One of the list: `title` and `text` say it in words, the rest is for programs."""

    id: str
    at: datetime
    kind: str
    title: str
    text: str
    read: bool
    amount: int | None = None
    about: str | None = None
    limit: LimitShown | None = None
    cap: str | None = None
    percent: int | None = None
    days: int | None = None
    expires_at: datetime | None = None
    paused: bool = False


class NotificationsShown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A page, newest first; `unread` counts all; `next_cursor` is absent on the last page."""

    items: list[NotificationShown]
    unread: int
    next_cursor: str | None = None


class Notifications:
    """Reads and writes of the list."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def keep(self, told: Notification, now: Ms, *, listed: bool, mailed: bool) -> Kept:
        """Keep one, unless its id is there already."""
        values: dict[str, object] = {
            "id": told.id,
            "account": told.account,
            "kind": told.kind.value,
            "at": told.at,
            "told": encode(told).decode(),
            "listed": listed,
            "mailed": mailed,
            "now": now,
        }
        kept = await self._identity.row(Kept, _KEEP, values)
        assert kept is not None, "two counts are always there"
        return kept

    async def page(
        self, account: str, cursor: str = "", most: int = PAGE_DEFAULT, *, unread: bool = False
    ) -> NotificationsShown:
        """Some of them; raises 422 for a cursor that we did not give."""
        values: dict[str, object] = {"account": account, "unread": unread, "most": most + 1}
        values["before"] = _before(cursor)
        rows = await self._identity.rows(_Row, _PAGE, values)
        more = str(rows[most - 1].number) if len(rows) > most else None
        return NotificationsShown(
            items=[_shown(row) for row in rows[:most]],
            unread=await self.unread(account),
            next_cursor=more,
        )

    async def unread(self, account: str) -> int:
        """How many were not read yet."""
        found = await self._identity.row(_Count, _UNREAD, {"account": account})
        return 0 if found is None else found.unread

    async def read(self, account: str, name: str, now: Ms) -> None:
        """One was read; raises 404 for another's."""
        values: dict[str, object] = {"account": account, "id": name, "now": now}
        if not await self._identity.change(_READ, values):
            raise not_found()

    async def read_all(self, account: str, up_to: str, now: Ms) -> int:
        """All were read, up to the newest that the caller has seen; gives how many."""
        values: dict[str, object] = {"account": account, "up_to": up_to, "now": now}
        return await self._identity.change(_READ_ALL, values)

    async def all(self, account: str) -> list[NotificationShown]:
        """Everything that is kept, those by e-mail alone too."""
        return [_shown(row) for row in await self._identity.rows(_Row, _ALL, {"account": account})]

    async def forget_old(self, now: Ms) -> int:
        """Forget some that are older than anybody looks back."""
        return await self._identity.change(_FORGET, {"before": now - KEPT_MS})


def _before(cursor: str) -> int:
    if not cursor:
        return _NEWEST
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise failure(422, "cursor_invalid", "cursor must be a nextCursor that we gave.")
    return int(cursor)


def _shown(row: _Row) -> NotificationShown:
    told = decode_notification(row.told.encode())
    words = noticewords.of(told)
    return NotificationShown(
        id=told.id,
        at=moment(told.at),
        kind=told.kind.value,
        title=words.title,
        text=words.text,
        read=row.read_at is not None,
        amount=told.amount,
        about=told.about,
        limit=None if told.limit is None else limit_shown(told.limit),
        cap=told.cap,
        percent=told.percent,
        days=told.days,
        expires_at=None if told.expires_at is None else moment_or_none(told.expires_at),
        paused=told.paused,
    )
