"""The relay: follows the notification log and asks the ledger, each account in order.

It works in lanes, one per account, so that one that waits holds up no other. Its position is in
the same database (the library's own tracking) and moves over what is wholly done: after a crash the
rest is asked again, by the same ids. One process at a time follows (`baton`).
"""

import asyncio
import contextlib
from collections import deque
from uuid import UUID

import structlog
from contracts.commands import AnyCommand, Freeze, Grant, Revoke, Thaw
from contracts.events import CommandRefused
from contracts.reasons import Reason
from eventsourcing.persistence import Notification
from msgspec import Struct

from payments import seeing
from payments.asking import Answer, Ledger
from payments.books import Books
from payments.clock import now_ms
from payments.metrics import Metrics
from payments.payer import Payer
from payments.purchase import Purchase
from payments.refusal import noted
from payments.subscription import Subscription
from payments.wishes import card_wishes, plan_wishes, wishes

FOLLOWER = "relay"
AHEAD_MAX = 1_000  # notifications under way; a burst of purchases, small in memory
POLL_S = 0.05  # between looks at the log when nobody says that it grew
# Refusals that say "this is so already", to a repetition after the answer was forgotten: nobody
# needs to look at it.
_SETTLED = frozenset({Reason.SOURCE_ALREADY_GRANTED, Reason.GRANT_EXISTS, Reason.NOT_FROZEN})

log = structlog.get_logger(__name__)


class _Task(Struct):
    id: int
    account: str
    purchase: Purchase | None
    commands: list[AnyCommand]
    recorded_s: float
    done: bool = False


class Relay:
    """Follows until cancelled; raises what the database raises. `poke` says that the log grew."""

    def __init__(self, books: Books, ledger: Ledger, metrics: Metrics) -> None:
        self._books = books
        self._ledger = ledger
        self._metrics = metrics
        self._grew = asyncio.Event()
        self._under_way: deque[_Task] = deque()
        self._lanes: dict[str, deque[_Task]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._broke: BaseException | None = None
        self.position = 0

    def poke(self) -> None:
        """Look now."""
        self._grew.set()

    @property
    def oldest_s(self) -> float:
        """When the oldest notification that is not done was recorded; 0: all is done."""
        return self._under_way[0].recorded_s if self._under_way else 0.0

    async def run(self) -> None:
        """Follow the log."""
        self._under_way, self._lanes, self._broke = deque(), {}, None
        self.position = read = await asyncio.to_thread(self._books.position, FOLLOWER)
        try:
            while True:
                found = await asyncio.to_thread(self._read, read)
                for task in found:
                    read = task.id
                    self._start(task)
                self._grew.clear()
                await self._advance()
                if self._broke is not None:
                    raise self._broke
                if not found:
                    await self._rest()
        finally:
            for running in self._running:
                running.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._grew.wait()

    def _read(self, after: int) -> list[_Task]:
        room = AHEAD_MAX - len(self._under_way)
        if room <= 0:
            return []
        found = self._books.log.select_notifications(after, room, inclusive_of_start=False)
        return [self._task(notification) for notification in found]

    def _task(self, notification: Notification) -> _Task:
        event = self._books.mapper.to_domain_event(notification)
        recorded_s = event.timestamp.timestamp()  # type: ignore[attr-defined]
        stream = notification.originator_id
        if notification.topic.startswith("payments.purchase:"):
            purchase = self._books.purchase(getattr(stream, "hex", ""))
            asked = wishes(event, purchase)
            return _Task(notification.id, purchase.account, purchase, asked, recorded_s)
        if notification.topic.startswith("payments.subscription:"):
            followed: Subscription = self._books.repository.get(UUID(str(stream)))
            asked = plan_wishes(event, followed.account)
            return _Task(notification.id, followed.account, None, asked, recorded_s)
        if notification.topic.startswith("payments.refusal:Refusal.AskedAgain"):
            refusal = self._books.refusal(UUID(str(stream)).hex)
            return _Task(notification.id, refusal.account, None, [refusal.anew], recorded_s)
        if notification.topic.startswith("payments.payer:Payer.CardSaved"):
            payer: Payer = self._books.repository.get(UUID(str(stream)))
            asked = card_wishes(event, payer.account)
            return _Task(notification.id, payer.account, None, asked, recorded_s)
        return _Task(notification.id, "", None, [], recorded_s)

    def _start(self, task: _Task) -> None:
        self._under_way.append(task)
        if not task.commands:
            task.done = True
            return
        lane = self._lanes.get(task.account)
        if lane is not None:
            lane.append(task)
            return
        self._lanes[task.account] = deque([task])
        running = asyncio.create_task(self._drive(task.account))
        self._running.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, lane: asyncio.Task[None]) -> None:
        self._running.discard(lane)
        if not lane.cancelled() and lane.exception() is not None:
            self._broke = lane.exception()
        self._grew.set()

    async def _drive(self, account: str) -> None:
        lane = self._lanes[account]
        while lane:
            task = lane[0]
            for command in task.commands:
                answer = await self._ledger.ask(command)
                await self._told(task, command, answer)
                if task.purchase is not None:
                    await asyncio.to_thread(self._answered, task.purchase, command, answer)
            task.done = True
            lane.popleft()
        del self._lanes[account]

    async def _told(self, task: _Task, command: AnyCommand, answer: Answer) -> None:
        """A no is counted, logged, and kept until somebody settled it: nothing is dropped."""
        if not isinstance(answer, CommandRefused) or answer.reason in _SETTLED:
            return
        kind, reason = type(command).__name__, answer.reason.value
        self._metrics.refused.labels(kind, reason).inc()
        log.error("ledger_refused", account=task.account, command=command.id, reason=reason)
        if task.purchase is None or not isinstance(command, Grant | Freeze | Thaw | Revoke):
            refusal = noted(command, reason, now_ms())
            await asyncio.to_thread(self._books.note_refusal, refusal)

    def _answered(self, purchase: Purchase, command: AnyCommand, answer: Answer) -> None:
        name = purchase.purchase
        if isinstance(answer, CommandRefused) and answer.reason not in _SETTLED:
            reason = answer.reason.value
            if isinstance(command, Grant):
                self._books.change(
                    name, lambda found: seeing.grant_refused(found, command.id, reason)
                )
            elif isinstance(command, Freeze | Thaw | Revoke):
                self._books.change(name, lambda found: _refused(found, command, reason))
        elif isinstance(command, Grant) and not purchase.credited_at:
            now = now_ms()
            self._books.change(name, lambda found: seeing.credited(found, command.id, now))
            if purchase.paid_at:
                self._metrics.credited.observe((now - purchase.paid_at) / 1000)

    async def _advance(self) -> None:
        done = 0
        while self._under_way and self._under_way[0].done:
            done = self._under_way.popleft().id
        if done:
            await asyncio.to_thread(self._books.followed, FOLLOWER, done)
            self.position = done


def _refused(purchase: Purchase, command: Freeze | Thaw | Revoke, reason: str) -> None:
    seeing.refused(purchase, command, reason)
    if isinstance(command, Freeze):
        seeing.not_frozen(purchase, reason, now_ms())
