"""Mails to those who chose them: claimed in the database, then sent, then marked; once for each id.

A mail server that does not take a mail is asked again, later and later, for a day. A process that
dies between the claim and the mark leaves a mail of which nobody knows whether it went out: it is
marked `unknown` and **not sent again**. Better one that is missing (the page has it) than two.
"""

import asyncio
import time

import structlog
from contracts.codec import decode_notification
from contracts.units import DAY, MINUTE, SECOND, Ms
from msgspec import Struct

from gateway import noticewords
from gateway.identity import Identity
from gateway.mail import Mail
from gateway.metrics import Metrics
from gateway.notifications import Notifications
from gateway.problems import ProblemError

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0  # one small statement
CLAIM_MS = MINUTE  # several times what a delivery may take
FIRST_WAIT_MS = 20 * SECOND
WAIT_MAX_MS = 60 * MINUTE
GIVE_UP_MS = DAY  # later it is no news, and the page has it
SWEEP_EVERY = 600  # looks between two sweeps of the list

_CLAIM = """
WITH next AS MATERIALIZED (
  SELECT id, person FROM identity.notification_mails
   WHERE state = 'due' AND due_at <= %(now)s
   ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE identity.notification_mails AS m
   SET state = 'sending', claimed_at = %(now)s, tries = m.tries + 1
  FROM next, identity.notifications AS n, identity.people AS p
 WHERE m.id = next.id AND m.person = next.person AND n.id = m.id AND p.id = m.person
RETURNING m.id, m.person, m.tries, n.at, n.told, p.email"""
_SENT = """
UPDATE identity.notification_mails SET state = 'sent'
 WHERE id = %(id)s AND person = %(person)s AND state = 'sending'"""
_LATER = """
UPDATE identity.notification_mails SET state = %(state)s, due_at = %(due)s
 WHERE id = %(id)s AND person = %(person)s AND state = 'sending'"""
_LOST = """
UPDATE identity.notification_mails SET state = 'unknown'
 WHERE state = 'sending' AND claimed_at < %(before)s"""
_TEXT = """{text}

{where}

You get this mail because you chose it, or never chose otherwise. It is up to you:
{preferences}
"""


class _Due(Struct):
    id: str
    person: str
    tries: int
    at: Ms
    told: str
    email: str | None


class NoticeMail:
    """Sends what is due. Any number of gateways share the work."""

    def __init__(
        self,
        identity: Identity,
        listed: Notifications,
        mail: Mail,
        public_url: str,
        metrics: Metrics,
    ) -> None:
        self._identity = identity
        self._listed = listed
        self._mail = mail
        self._public_url = public_url
        self._metrics = metrics

    async def keep(self) -> None:
        """Send for ever; whatever is away is waited for."""
        looks = 0
        while True:
            try:
                await self._look(sweep=looks % SWEEP_EVERY == 0)
            except ProblemError as why:
                log.warning("mails_wait", why=why.problem.code)
            looks += 1
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, *, sweep: bool) -> None:
        now = _now()
        if sweep:
            await self._listed.forget_old(now)
        for _ in range(await self._identity.change(_LOST, {"before": now - CLAIM_MS})):
            self._metrics.notification_mails.add("unknown")
        while self._mail.known and await self._one(_now()):
            pass

    async def _one(self, now: Ms) -> bool:
        """Claim and send one; false when none is due."""
        due = await self._identity.row(_Due, _CLAIM, {"now": now})
        if due is None:
            return False
        values: dict[str, object] = {"id": due.id, "person": due.person}
        try:
            if due.at < now - GIVE_UP_MS or due.email is None:
                await self._identity.change(_LATER, {**values, "state": "failed", "due": now})
                self._metrics.notification_mails.add("failed")
                return True
            await self._send(due, due.email)
        except ProblemError:
            wait = min(FIRST_WAIT_MS * 2 ** (due.tries - 1), WAIT_MAX_MS)
            await self._identity.change(_LATER, {**values, "state": "due", "due": now + wait})
            self._metrics.notification_mails.add("later")
            return True
        self._metrics.notification_mails.add("sent")
        await self._identity.change(_SENT, values)
        return True

    async def _send(self, due: _Due, to: str) -> None:
        words = noticewords.of(decode_notification(due.told.encode()))
        preferences = f"{self._public_url}/notifications/preferences"
        text = _TEXT.format(
            text=words.text, where=f"{self._public_url}{words.path}", preferences=preferences
        )
        await self._mail.send(to, words.title, text, name=due.id, leave=preferences)


def _now() -> Ms:
    return time.time_ns() // 1_000_000
