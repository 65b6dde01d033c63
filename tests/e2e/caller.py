"""A sender that keeps the protocol: it asks again, with the same id, until it sees the answer.

Everything it was told is kept, so that `tests.e2e.audit` can look whether the log says the same.
"""

import asyncio
import time
from types import TracebackType
from typing import Self

from bus.outbox import Outbox
from bus.partition import partition_of
from bus.stream import Counted, EventStream, from_the_start
from contracts.commands import Actor, ActorKind, AnyCommand, Grant, GrantKind
from contracts.events import AnswerRepeated, AnyEvent, PartitionClaimed
from contracts.topics import COMMANDS
from msgspec import Raw

from contracts import codec

RESEND_S = 1.5  # far above a round trip, far below a takeover: faults meet many repeats
PATIENCE_S = 45.0  # a takeover after kill -9 waits for a session of 6 s, twice if unlucky
SERVICE = Actor(ActorKind.SERVICE, "e2e")


class Unanswered(AssertionError):
    """Nobody answered a command within PATIENCE_S."""


class Caller:
    """Sends commands over Kafka and hands out counted answers."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.told: dict[str, Counted] = {}
        self.resent = 0
        self.longest_s = 0.0
        self.partitions = 0
        self._topic = prefix + COMMANDS.name
        self._outbox = Outbox(bootstrap)
        self._waiting: dict[str, asyncio.Future[Counted]] = {}
        self._hearing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        positions = await from_the_start(self.bootstrap, self.prefix)
        self.partitions = len(positions)
        self._stream = EventStream(self.bootstrap, positions, self.prefix)
        await self._outbox.start()
        await self._stream.start()
        self._hearing = asyncio.get_running_loop().create_task(self._hear())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._hearing is not None
        self._hearing.cancel()
        await asyncio.wait({self._hearing})
        await self._outbox.stop()
        await self._stream.stop()

    async def ask(self, command: AnyCommand) -> AnyEvent:
        """Give the first outcome of a command, however often it has to be asked."""
        future = self._waiting.setdefault(command.id, asyncio.get_running_loop().create_future())
        value, begun = codec.encode(command), time.monotonic()
        self.put(command.account, value)
        while True:
            done, _ = await asyncio.wait({future}, timeout=RESEND_S)
            if done:
                break
            if self._hearing is not None and self._hearing.done():
                self._hearing.result()
            if time.monotonic() - begun > PATIENCE_S:
                raise Unanswered(f"{command!r} in partition {self.where(command.account)}")
            self.resent += 1
            self.put(command.account, value)
        self.longest_s = max(self.longest_s, time.monotonic() - begun)
        return first_outcome(future.result().event)

    def put(self, account: str, value: bytes, *, key: bytes | None = None) -> None:
        """Send bytes as a command of an account, whatever they are."""
        key = account.encode() if key is None else key
        self._outbox.put(self._topic, self.where(account), key, value)

    def where(self, account: str) -> int:
        """The partition of an account."""
        return partition_of(account, self.partitions)

    def account_in(self, partition: int, name: str = "a") -> str:
        """An account that lives in this partition."""
        return next(
            account for n in range(10_000) if self.where(account := f"{name}{n}") == partition
        )

    async def grant(self, account: str, amount: int, source: str = "") -> None:
        """Give credits; fails unless they were granted."""
        source = source or f"seed-{account}"
        event = await self.ask(
            Grant(
                id=f"grant-{source}",
                account=account,
                actor=SERVICE,
                amount=amount,
                kind=GrantKind.PROMO,
                source=source,
            )
        )
        assert type(event).__name__ == "CreditsGranted", event

    async def _hear(self) -> None:
        while True:
            for counted in await self._stream.next():
                ref = counted.event.command
                if ref is None or not counted.event.answer:
                    continue
                future = self._waiting.get(ref.id)
                if future is not None and not future.done():
                    self.told[ref.id] = counted
                    future.set_result(counted)


def first_outcome(event: AnyEvent) -> AnyEvent:
    """What was answered first, also when this is only its repetition."""
    if isinstance(event, AnswerRepeated):
        assert isinstance(event.first, Raw)
        first = codec.decode_event(bytes(event.first))
        assert not isinstance(first, PartitionClaimed)
        return first
    return event
