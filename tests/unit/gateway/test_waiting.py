"""The bridge: who gets which answer, what is sent again, and that nothing stays behind."""

import asyncio
from collections.abc import Sequence

import pytest
from bus.stream import Counted
from bus.trace import Trace
from contracts.codec import decode_command, decode_event, encode
from contracts.commands import Actor, ActorKind, AnyCommand, Reserve
from contracts.digest import digest
from contracts.events import (
    AnswerRepeated,
    AnyEvent,
    Balance,
    CommandRef,
    CommandRefused,
    CreditsReserved,
)
from contracts.reasons import Reason, Remedy
from gateway.flight import Bounds, Flight
from gateway.waiting import Bridge, Conflict, Full, Unknown, Unreachable
from msgspec import Raw

ACTOR = Actor(ActorKind.SERVICE, "tests")
NOW = 1_700_000_000_000


class Sent:
    """What the bridge put on the wire."""

    def __init__(self) -> None:
        self.commands: list[AnyCommand] = []

    def put(
        self, partition: int, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        self.commands.append(decode_command(value))


def bridge_of(sent: Sent, **bounds: int) -> Bridge:
    loop = asyncio.get_running_loop()
    flight = Flight(2, Bounds(**bounds), lambda: float("inf"))  # a broker that always speaks
    at = loop.time()
    flight.judge(at - 0.1, {})  # the first judgement only sets the clock
    flight.judge(at, {})
    return Bridge(sent.put, flight, 5_000)


def reserve(command_id: str = "r1", amount: int = 10, account: str = "ada") -> Reserve:
    return Reserve(id=command_id, account=account, actor=ACTOR, amount=amount)


def answer_to(command: AnyCommand, event: AnyEvent, seq: int = 7) -> Counted:
    event.answer = True
    event.seq = seq
    event.v = 1
    event.account = command.account
    event.command = CommandRef(command.id, 3, NOW, digest(command))
    event.balance = Balance(90, 10, 0)
    return Counted(1, 42, NOW, event, b"")


def reserved(amount: int = 10) -> CreditsReserved:
    return CreditsReserved(reservation="r1", amount=amount, slices=(), expires_at=NOW + 1)


async def test_the_counted_answer_reaches_its_caller() -> None:
    sent = Sent()
    bridge = bridge_of(sent)
    future = bridge.begin(command := reserve(), NOW, Trace())
    bridge.counted([answer_to(command, reserved())], 0.0)
    answer = await future
    assert (answer.seq, answer.partition, answer.replayed) == (7, 1, False)
    assert len(bridge) == 0
    assert bridge.flight.waiting == [0, 0]


async def test_a_command_carries_when_it_was_first_tried_and_until_when() -> None:
    sent = Sent()
    bridge_of(sent).begin(reserve(), NOW, Trace())
    assert (sent.commands[0].issued_at, sent.commands[0].deadline) == (NOW, NOW + 5_000)


async def test_another_accounts_event_under_the_same_id_answers_nobody() -> None:
    bridge = bridge_of(Sent())
    future = bridge.begin(reserve(), NOW, Trace())
    bridge.counted([answer_to(reserve(account="bob"), reserved())], 0.0)
    assert not future.done()


async def test_the_answer_to_anothers_question_under_the_same_id_is_not_taken() -> None:
    bridge = bridge_of(Sent())
    future = bridge.begin(command := reserve(amount=10), NOW, Trace())
    bridge.counted([answer_to(reserve(amount=99), reserved(99))], 0.0)
    assert not future.done()
    no = CommandRefused(kind="Reserve", reason=Reason.ID_CONFLICT, remedy=Remedy.CHANGE_REQUEST)
    bridge.counted([answer_to(command, no)], 0.0)
    assert (await future).event == no


async def test_an_event_that_is_not_the_answer_is_passed_over() -> None:
    bridge = bridge_of(Sent())
    future = bridge.begin(command := reserve(), NOW, Trace())
    counted = answer_to(command, reserved())
    counted.event.answer = False
    bridge.counted([counted], 0.0)
    assert not future.done()


async def test_a_retry_gets_the_first_answer_as_it_stands_in_the_log() -> None:
    bridge = bridge_of(Sent())
    future = bridge.begin(command := reserve(), NOW, Trace())
    first = answer_to(command, reserved(), seq=3).event
    bridge.counted([answer_to(command, AnswerRepeated(first=Raw(encode(first))), seq=9)], 0.0)
    answer = await future
    assert answer.replayed
    assert answer.seq == 3
    assert answer.event == decode_event(encode(first))


async def test_two_callers_with_the_same_question_share_one_command() -> None:
    sent = Sent()
    bridge = bridge_of(sent)
    one = bridge.begin(command := reserve(), NOW, Trace())
    two = bridge.begin(reserve(), NOW + 1, Trace())
    assert len(sent.commands) == 1
    bridge.counted([answer_to(command, reserved())], 0.0)
    assert await one == await two


async def test_the_same_id_with_another_question_is_a_conflict_at_once() -> None:
    sent = Sent()
    bridge = bridge_of(sent)
    bridge.begin(reserve(amount=1), NOW, Trace())
    with pytest.raises(Conflict):
        bridge.begin(reserve(amount=2), NOW, Trace())
    assert len(sent.commands) == 1


async def test_what_waits_is_sent_again_every_second_with_the_same_bytes() -> None:
    sent = Sent()
    bridge = bridge_of(sent)
    at = asyncio.get_running_loop().time()
    bridge.begin(reserve(), NOW, Trace())
    for later in (0.5, 1.1, 1.5, 2.2):
        bridge.sweep(at + later)
    assert len(sent.commands) == 3
    assert sent.commands[0] == sent.commands[1] == sent.commands[2]


async def test_past_the_deadline_the_outcome_is_unknown_and_nothing_stays() -> None:
    bridge = bridge_of(Sent())
    future = bridge.begin(reserve(), NOW, Trace(), wait_ms=200)
    bridge.sweep(asyncio.get_running_loop().time() + 0.3)
    with pytest.raises(Unknown):
        await future
    assert len(bridge) == 0
    assert bridge.flight.waiting == [0, 0]


async def test_a_caller_who_went_away_leaves_nothing_behind() -> None:
    bridge = bridge_of(Sent())
    future = bridge.begin(command := reserve(), NOW, Trace())
    future.cancel()
    bridge.counted([answer_to(command, reserved())], 0.0)
    assert len(bridge) == 0
    assert bridge.flight.waiting == [0, 0]


async def test_an_account_may_not_fill_the_house() -> None:
    bridge = bridge_of(Sent(), account=2)
    for number in range(2):
        bridge.begin(reserve(f"r{number}"), NOW, Trace())
    with pytest.raises(Full) as full:
        bridge.begin(reserve("r3"), NOW, Trace())
    assert full.value.account
    bridge.begin(reserve("r3", account="bob"), NOW, Trace())


async def test_a_full_house_says_so() -> None:
    bridge = bridge_of(Sent(), all=1)
    bridge.begin(reserve("r1"), NOW, Trace())
    with pytest.raises(Full) as full:
        bridge.begin(reserve("r2", account="bob"), NOW, Trace())
    assert not full.value.account


async def test_nothing_is_sent_while_the_ledger_owes_an_answer_for_long() -> None:
    sent = Sent()
    bridge = bridge_of(sent)
    at = asyncio.get_running_loop().time()
    bridge.begin(command := reserve(), NOW, Trace())
    for tenths in range(1, 12):
        bridge.sweep(at + tenths / 10)
    bridge.begin(reserve("probe"), NOW, Trace())  # one may try
    with pytest.raises(Unreachable):
        bridge.begin(reserve("r2"), NOW, Trace())
    bridge.counted([answer_to(command, reserved())], at + 1.2)
    # the partition that answered is the command's; events of it open the door again
    bridge.flight.progressed(0, at + 1.2)
    bridge.flight.progressed(1, at + 1.2)
    bridge.begin(reserve("r2"), NOW, Trace())


async def test_nothing_is_sent_while_the_broker_is_silent() -> None:
    sent = Sent()
    loop = asyncio.get_running_loop()
    flight = Flight(2, Bounds(), lambda: at - 2.0)
    at = loop.time()
    flight.judge(at - 0.1, {})
    flight.judge(at, {})
    bridge = Bridge(sent.put, flight, 5_000)
    with pytest.raises(Unreachable):
        bridge.begin(reserve(), NOW, Trace())
    assert sent.commands == []


async def test_a_gateway_that_was_held_up_itself_accuses_nobody() -> None:
    loop = asyncio.get_running_loop()
    heard = at = loop.time()
    flight = Flight(2, Bounds(), lambda: heard)
    flight.judge(at - 0.1, {})
    flight.judge(at, {})
    flight.judge(at + 3.0, {0: at})  # three seconds without a judgement
    assert flight.stalled == [False, False]
    flight.judge(at + 3.1, {0: at})
    assert flight.stalled == [True, True]
