"""Ends a run's reservation: one Charge or one Release, sent until its counted event is seen.

The command's id follows from the run, so that however often a run is executed and its command is
sent, the ledger charges once.
"""

import asyncio
from collections.abc import Sequence
from hashlib import sha256

import structlog
from bus.outbox import Outbox
from bus.partition import partition_of
from contracts.commands import Actor, ActorKind, Charge, Release
from contracts.commands import Usage as Used
from contracts.runs import RunDispatched
from contracts.topics import COMMANDS
from contracts.units import ID_LENGTH_MAX, Ms

from contracts import codec
from studio_tools.answers import Answers, Ending, Settled
from studio_tools.metrics import Metrics
from studio_tools.outcomes import Completed, Outcome

RESEND_AFTER_S = (1.0, 2.0, 5.0, 10.0)  # a takeover takes seconds; the last one repeats
ACTOR = Actor(ActorKind.TOOL_WORKER, "studio-tools")

log = structlog.get_logger(__name__)


class Settling:
    """`settle` returns when the ledger's log says how the reservation ended, never before."""

    def __init__(
        self, outbox: Outbox, answers: Answers, partitions: int, prefix: str, metrics: Metrics
    ) -> None:
        self._outbox = outbox
        self._answers = answers
        self._partitions = partitions
        self._topic = prefix + COMMANDS.name
        self._metrics = metrics

    async def settle(self, command: Ending, headers: Sequence[tuple[str, bytes]]) -> Settled:
        answer = self._answers.expect(command)
        partition = partition_of(command.account, self._partitions)
        key, value = command.account.encode(), codec.encode(command)
        tries = 0
        try:
            while not answer.done():
                self._outbox.put(self._topic, partition, key, value, headers)
                if tries:
                    self._metrics.resent.inc()
                    log.warning("command_sent_again", command=command.id, tries=tries + 1)
                pause = RESEND_AFTER_S[min(tries, len(RESEND_AFTER_S) - 1)]
                tries += 1
                await asyncio.wait((answer,), timeout=pause)
            return answer.result()
        finally:
            self._answers.forget(command)


def ending_of(run: RunDispatched, outcome: Outcome, now: Ms) -> Ending:
    """A run that completed is charged by what it used; whatever else happened costs nothing."""
    if isinstance(outcome, Completed):
        used = outcome.usage
        return Charge(
            id=step(run.run, "charge"),
            account=run.account,
            actor=ACTOR,
            issued_at=now,
            reservation=run.reservation,
            usage=Used(used.cpu_ms, used.memory_mb, used.duration_ms),
        )
    return Release(
        id=step(run.run, "release"),
        account=run.account,
        actor=ACTOR,
        issued_at=now,
        reservation=run.reservation,
    )


def step(run: str, name: str) -> str:
    """The id of a run's step, the same on every execution; a long run id gives way to its hash."""
    whole = f"{run}:{name}"
    return (
        whole if len(whole) <= ID_LENGTH_MAX else f"{sha256(run.encode()).hexdigest()[:48]}:{name}"
    )
