"""Hands every counted answer of the ledger to whoever waits for it here.

A reservation may also end by time, without an answer to anybody: its waiter is told just the same.
"""

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from bus.stream import EventStream
from contracts.commands import Charge, Release
from contracts.events import (
    AnswerRepeated,
    AnyEvent,
    CommandRefused,
    CreditsCharged,
    CreditsReleased,
    PartitionClaimed,
    ReservationExpired,
)
from contracts.reasons import Reason
from contracts.units import Credits

from contracts import codec

POLL_MS = 500

log = structlog.get_logger(__name__)
Ending: TypeAlias = Charge | Release


@dataclass(frozen=True, slots=True)
class Settled:
    """How a reservation ended.  `charged` is None when another execution of the run settled it."""

    charged: Credits | None
    how: str
    refused: Reason | None = None


class Answers:
    """Expect before you send; forget when you stop waiting."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._by_command: dict[tuple[str, str], asyncio.Future[Settled]] = {}
        self._by_reservation: dict[tuple[str, str], asyncio.Future[Settled]] = {}

    def expect(self, command: Ending) -> asyncio.Future[Settled]:
        waiting: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._by_command[command.account, command.id] = waiting
        self._by_reservation[command.account, command.reservation] = waiting
        return waiting

    def forget(self, command: Ending) -> None:
        self._by_command.pop((command.account, command.id), None)
        self._by_reservation.pop((command.account, command.reservation), None)

    @property
    def skipped(self) -> int:
        """Events that did not count; must stay 0."""
        return self._stream.skipped

    async def listen(self) -> None:
        """For ever.  Raises what the stream raises: an event that cannot be read stops us."""
        while True:
            for counted in await self._stream.next(timeout_ms=POLL_MS):
                self.hear(counted.event)

    def hear(self, event: AnyEvent) -> None:
        if type(event) is ReservationExpired:
            waiting = self._by_reservation.get((event.account, event.reservation))
            settled = Settled(0, "expired")
        elif event.answer and event.command is not None:
            waiting = self._by_command.get((event.account, event.command.id))
            if waiting is None:
                return
            settled = settled_by(event)
        else:
            return
        if waiting is not None and not waiting.done():
            waiting.set_result(settled)


def settled_by(event: AnyEvent) -> Settled:
    """What the answer to a final Charge or a Release says of the reservation."""
    if isinstance(event, AnswerRepeated):
        first = codec.decode_event(bytes(event.first))
        assert not isinstance(first, AnswerRepeated | PartitionClaimed)
        return settled_by(first)
    if isinstance(event, CreditsCharged):
        return Settled(event.amount, "charged")
    if isinstance(event, CreditsReleased):
        return Settled(0, "released")
    if isinstance(event, CommandRefused):
        if event.reason in (Reason.ID_CONFLICT, Reason.RESERVATION_ENDED):
            return Settled(None, "settled before", event.reason)
        return Settled(0, "refused", event.reason)
    return Settled(None, type(event).__name__)
