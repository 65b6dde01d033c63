"""The bridge from a caller to the log: send a command, get the counted event that answers it.

    NoAnswer
    ├── Full          as many are waiting as may; nothing was sent
    ├── Unreachable   Kafka or the ledger does not answer now; nothing was sent
    ├── Conflict      the same id is waiting for an answer to something else; nothing was sent
    └── Unknown       sent, and no answer came in time: ask again with the same id

A command is sent again, with the same id, every second until its answer counts or its deadline
passes, and the ledger refuses what is past its deadline: nothing is spent after the caller gave up.
A caller who goes away leaves nothing behind but one entry, until the deadline.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from bus.partition import partition_of
from bus.stream import Counted
from bus.trace import Trace
from contracts.codec import decode_event, encode
from contracts.commands import AnyCommand
from contracts.digest import digest
from contracts.events import AnswerRepeated, AnyEvent, Balance, PartitionClaimed
from contracts.units import Ms
from msgspec import Struct
from msgspec.structs import replace

from gateway.flight import Flight, Full, NoAnswer, Unreachable

__all__ = ["Answer", "Bridge", "Conflict", "Full", "NoAnswer", "Unknown", "Unreachable"]

SEND_AGAIN_S = 1.0  # a takeover lasts seconds, an answer milliseconds
ACCOUNTS_REMEMBERED = 65_536  # whose partition need not be computed again; about 10 MB
SWEEP_S = 0.1  # how exact deadlines are kept

NOTHING = Balance(0, 0, 0)
Put = Callable[[int, bytes, bytes, Sequence[tuple[str, bytes]]], None]


class Conflict(NoAnswer):
    """The same id is waiting for the answer to something else."""


class Unknown(NoAnswer):
    """No answer in time: whether the command was decided is not known."""


class Answer(Struct, frozen=True, gc=False):
    """The counted event that answers a command. `replayed`: it was given before, at `seq`.

    `balance` is the account's now, also when the answer is an old one.
    """

    event: AnyEvent
    partition: int
    seq: int
    balance: Balance
    replayed: bool = False


class _Waiter:
    __slots__ = ("again_at", "command", "deadline_at", "futures", "partition", "sent_at", "trace")

    def __init__(
        self, command: AnyCommand, partition: int, now: float, within: float, trace: Trace
    ) -> None:
        self.command = command
        self.partition = partition
        self.sent_at = now
        self.again_at = now + SEND_AGAIN_S
        self.deadline_at = now + within
        self.trace = trace
        self.futures: list[asyncio.Future[Answer]] = []


class Bridge:
    """Everything that waits for an answer. `put` queues a record for `ledger.commands`."""

    def __init__(self, put: Put, flight: Flight, wait_ms: Ms) -> None:
        # asked once: in Python 3.11 every get_running_loop() costs a system call
        self._loop = asyncio.get_running_loop()
        self._put = put
        self._wait_ms = wait_ms
        self._waiters: dict[tuple[str, str], _Waiter] = {}
        self.flight = flight
        self._partition_of = lru_cache(ACCOUNTS_REMEMBERED)(
            lambda account: partition_of(account, flight.partitions)
        )
        self.sent_again = 0
        self.unknown = 0

    def __len__(self) -> int:
        return len(self._waiters)

    async def ask(
        self, command: AnyCommand, now: Ms, trace: Trace, wait_ms: Ms | None = None
    ) -> Answer:
        """The counted answer; raises NoAnswer."""
        return await self.begin(command, now, trace, wait_ms)

    def begin(
        self, command: AnyCommand, now: Ms, trace: Trace, wait_ms: Ms | None = None
    ) -> asyncio.Future[Answer]:
        """The same in two halves: sends now, the answer comes through the future."""
        loop = self._loop
        key = (command.account, command.id)
        waiter = self._waiters.get(key)
        if waiter is not None:
            _same_question(waiter.command, command)
        else:
            wait = self._wait_ms if wait_ms is None else wait_ms
            partition = self._partition_of(command.account)
            self.flight.enter(command.account, partition, at := loop.time())
            if command.issued_at is None:
                command.issued_at = now
            if command.deadline is None:
                command.deadline = now + wait
            waiter = _Waiter(command, partition, at, wait / 1000, trace)
            self._waiters[key] = waiter
            self._send(waiter)
        future: asyncio.Future[Answer] = loop.create_future()
        waiter.futures.append(future)
        return future

    def counted(self, batch: Iterable[Counted], at: float) -> None:
        """Hand events that count to those who wait for them."""
        waiters = self._waiters
        for counted in batch:
            event = counted.event
            self.flight.progressed(counted.partition, at)
            if not event.answer or (ref := event.command) is None:
                continue
            if (waiter := waiters.get((event.account, ref.id))) is None:
                continue
            if ref.digest and ref.digest != digest(waiter.command):
                continue  # the answer to another's command under the same id
            self._leave(waiter)
            answer = _answer(event, counted.partition)
            for future in waiter.futures:
                if not future.done():
                    future.set_result(answer)

    def sweep(self, at: float) -> None:
        """Send again what waits for long, and end what waits for too long."""
        for waiter in list(self._waiters.values()):
            if at >= waiter.deadline_at:
                self._leave(waiter)
                self.unknown += 1
                for future in waiter.futures:
                    if not future.done():
                        future.set_exception(Unknown())
            elif at >= waiter.again_at:
                waiter.again_at = at + SEND_AGAIN_S
                self.sent_again += 1
                self._send(waiter)
        self.flight.judge(at, self._oldest())

    async def keep_sweeping(self) -> None:
        """Sweep for ever."""
        while True:
            self.sweep(self._loop.time())
            await asyncio.sleep(SWEEP_S)

    def _oldest(self) -> dict[int, float]:
        oldest: dict[int, float] = {}
        for waiter in self._waiters.values():
            if waiter.sent_at < oldest.get(waiter.partition, float("inf")):
                oldest[waiter.partition] = waiter.sent_at
        return oldest

    def _send(self, waiter: _Waiter) -> None:
        command = waiter.command
        self._put(
            waiter.partition, command.account.encode(), encode(command), waiter.trace.headers()
        )

    def _leave(self, waiter: _Waiter) -> None:
        command = waiter.command
        del self._waiters[command.account, command.id]
        self.flight.leave(command.account, waiter.partition)


def _answer(event: AnyEvent, partition: int) -> Answer:
    if type(event) is not AnswerRepeated:
        return Answer(event, partition, event.seq, event.balance or NOTHING)
    first = decode_event(bytes(event.first))
    if isinstance(first, PartitionClaimed):
        raise TypeError("a claim answers nobody")
    return Answer(first, partition, first.seq, event.balance or NOTHING, replayed=True)


def _same_question(waiting: AnyCommand, new: AnyCommand) -> None:
    asked = replace(waiting, issued_at=new.issued_at, deadline=new.deadline, actor=new.actor)
    if asked != new:
        raise Conflict
