"""Asking the ledger: a command is sent again and again until the counted event answers it.

An acknowledged command is a wish; only the log's event is an answer, and a repetition carries the
first one. The same id asks the same question, so repeating is harmless.
"""

import asyncio
from typing import TypeAlias

import structlog
from bus.outbox import Outbox, Undelivered
from bus.partition import partition_of
from bus.stream import Counted
from contracts.commands import AnyCommand
from contracts.events import AnswerRepeated, AnyEvent, PartitionClaimed
from contracts.topics import COMMANDS

from contracts import codec
from payments.metrics import Metrics

RESEND_AFTER_S = (1.0, 2.0, 5.0, 10.0)  # a takeover takes seconds; the last one repeats

log = structlog.get_logger(__name__)
Answer: TypeAlias = AnyEvent


class Ledger:
    """`ask` returns when the log says what was decided, never before."""

    def __init__(self, outbox: Outbox, partitions: int, prefix: str, metrics: Metrics) -> None:
        self._outbox = outbox
        self._partitions = partitions
        self._topic = prefix + COMMANDS.name
        self._metrics = metrics
        self._waiting: dict[tuple[str, str], asyncio.Future[Answer]] = {}

    async def ask(self, command: AnyCommand) -> Answer:
        """The first and only answer to this command."""
        name = command.account, command.id
        answer = self._waiting.get(name)
        if answer is None:
            answer = self._waiting[name] = asyncio.get_running_loop().create_future()
        partition = partition_of(command.account, self._partitions)
        key, value = command.account.encode(), codec.encode(command)
        tries = 0
        try:
            while not answer.done():
                try:
                    self._outbox.put(self._topic, partition, key, value)
                except Undelivered:
                    return await answer  # closing: nothing more is sent
                if tries:
                    self._metrics.resent.inc()
                pause = RESEND_AFTER_S[min(tries, len(RESEND_AFTER_S) - 1)]
                tries += 1
                await asyncio.wait((answer,), timeout=pause)
            return answer.result()
        finally:
            self._waiting.pop(name, None)

    def hear(self, batch: list[Counted]) -> None:
        """Counted events, in order."""
        for counted in batch:
            event = counted.event
            if not event.answer or event.command is None:
                continue
            waiting = self._waiting.get((event.account, event.command.id))
            if waiting is not None and not waiting.done():
                waiting.set_result(_first(event))

    @property
    def waiting(self) -> int:
        """Commands that wait for their event."""
        return len(self._waiting)


def _first(event: AnyEvent) -> AnyEvent:
    if not isinstance(event, AnswerRepeated):
        return event
    first = codec.decode_event(bytes(event.first))
    if isinstance(first, AnswerRepeated | PartitionClaimed):
        raise codec.UnknownEvent("an answer that repeats no answer")
    return first
