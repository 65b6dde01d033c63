"""What the worker takes from the ledger's events about its runs."""

import asyncio

import pytest
from bus.stream import EventStream
from contracts.commands import Actor, ActorKind, Charge
from contracts.events import (
    AnswerRepeated,
    AnyEvent,
    CommandRef,
    CommandRefused,
    CommandTooOld,
    CreditsCharged,
    CreditsReleased,
    ReservationExpired,
)
from contracts.reasons import Outcome, Reason, Remedy
from msgspec import Raw
from studio_tools.answers import Answers, Settled

from contracts import codec

CHARGE = Charge(
    id="r:charge", account="a", actor=Actor(ActorKind.TOOL_WORKER, "w"), reservation="r"
)
REF = CommandRef(id="r:charge", offset=1, timestamp=2)
CHARGED = CreditsCharged(
    account="a", v=1, command=REF, answer=True, reservation="r", charge="r:charge", amount=4,
    slices=(), outcome=Outcome.COMPLETED, final=True,
)  # fmt: skip


def _refused(reason: Reason) -> CommandRefused:
    return CommandRefused(
        account="a", command=REF, answer=True, kind="Charge", reason=reason, remedy=Remedy.NONE
    )


def _released(*, answer: bool, account: str = "a") -> CreditsReleased:
    return CreditsReleased(
        account=account, command=REF, answer=answer, reservation="r", amount=1, slices=(),
        outcome=Outcome.FAILED,
    )  # fmt: skip


def _heard(*events: AnyEvent) -> Settled | None:
    async def hear() -> Settled | None:
        answers = Answers(EventStream("nowhere:1", {}))
        waiting = answers.expect(CHARGE)
        for event in events:
            answers.hear(event)
        return waiting.result() if waiting.done() else None

    return asyncio.run(hear())


@pytest.mark.parametrize(
    ("event", "settled"),
    [
        (CHARGED, Settled(4, "charged")),
        (_released(answer=True), Settled(0, "released")),
        (
            AnswerRepeated(account="a", command=REF, answer=True, first=Raw(codec.encode(CHARGED))),
            Settled(4, "charged"),
        ),
        (_refused(Reason.RESERVATION_EXPIRED), Settled(0, "refused", Reason.RESERVATION_EXPIRED)),
        (_refused(Reason.ID_CONFLICT), Settled(None, "settled before", Reason.ID_CONFLICT)),
        (
            CommandTooOld(account="a", command=REF, answer=True, kind="Charge", issued_at=1),
            Settled(None, "CommandTooOld"),
        ),
        (
            ReservationExpired(account="a", reservation="r", amount=1, slices=()),
            Settled(0, "expired"),
        ),
    ],
)
def test_an_event_that_ends_the_reservation_settles(event: AnyEvent, settled: Settled) -> None:
    assert _heard(event) == settled


@pytest.mark.parametrize(
    "event",
    [
        _released(answer=False),
        _released(answer=True, account="another"),
        ReservationExpired(account="another", reservation="r", amount=1, slices=()),
        ReservationExpired(account="a", reservation="another", amount=1, slices=()),
    ],
)
def test_any_other_event_does_not(event: AnyEvent) -> None:
    assert _heard(event) is None


def test_the_first_end_stands() -> None:
    expired = ReservationExpired(account="a", reservation="r", amount=1, slices=())
    late = _refused(Reason.RESERVATION_EXPIRED)
    assert _heard(expired, late) == Settled(0, "expired")
