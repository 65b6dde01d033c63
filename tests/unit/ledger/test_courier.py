"""The courier asks for what is due, of acknowledged state only, until the state says done."""

from typing import cast

import pytest
from bus.log import PartitionLog
from contracts.commands import ActorKind, Expire
from contracts.units import DAY, HOUR, MINUTE, Ms
from ledger.courier import RESEND_MS, TICK_MS, Courier

from contracts import codec
from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    ACCOUNT,
    T0,
    charge,
    ended_by_time,
    granted,
    lot_expired,
    reserve,
    set_plan,
)

DUE = T0 + 5 * MINUTE


class Clock:
    """The two things that a courier asks of a log: what time it is, and to send."""

    def __init__(self) -> None:
        self.at: Ms = DUE
        self.sent: list[Expire] = []

    def now(self) -> Ms:
        return self.at

    def emit(self, account: str, command: bytes) -> None:
        found = codec.decode_command(command)
        assert isinstance(found, Expire)
        assert found.account == account
        self.sent.append(found)


def courier_of(story: Story) -> tuple[Courier, Clock]:
    clock = Clock()
    return Courier(story.partition, cast("PartitionLog", clock)), clock


def test_a_reservation_whose_time_came_is_asked_to_expire() -> None:
    story = given(granted(100)).when(reserve("r1", 60))
    courier, clock = courier_of(story)
    courier.look(expected=2)
    courier.send(acknowledged=2)
    (asked,) = clock.sent
    assert (asked.account, asked.reservation, asked.actor.kind) == (
        ACCOUNT,
        "r1",
        ActorKind.COURIER,
    )
    story.when(asked, at=DUE).then(ended_by_time("r1", 60)).stands(available=100, held=0)


def test_nothing_is_sent_of_a_state_that_is_not_acknowledged() -> None:
    story = given(granted(100)).when(reserve("r1", 60))
    courier, clock = courier_of(story)
    courier.look(expected=7)
    courier.send(acknowledged=6)
    assert clock.sent == []
    courier.send(acknowledged=7)
    assert len(clock.sent) == 1


def test_nothing_is_asked_before_its_time() -> None:
    story = given(granted(100)).when(reserve("r1", 60))
    courier, clock = courier_of(story)
    clock.at = DUE - 1
    courier.look(expected=0)
    courier.send(acknowledged=0)
    assert clock.sent == []


def test_what_got_lost_is_asked_again_under_an_id_of_its_minute() -> None:
    """A refused try (the broker's clock behind) must not be the answer for ever."""
    story = given(granted(100)).when(reserve("r1", 60))
    courier, clock = courier_of(story)
    for later in (0, TICK_MS, RESEND_MS, RESEND_MS + TICK_MS, 2 * RESEND_MS):
        clock.at = DUE + later
        courier.look(expected=0)
        courier.send(acknowledged=0)
    first, second, third = (asked.id for asked in clock.sent)
    assert first == second
    assert second != third


def test_what_was_settled_is_not_asked_for_again() -> None:
    story = given(granted(100)).when(reserve("r1", 60))
    courier, clock = courier_of(story)
    courier.look(expected=0)
    courier.send(acknowledged=0)
    story.when(clock.sent[0], at=DUE)
    clock.at = DUE + 10 * MINUTE
    courier.look(expected=0)
    courier.send(acknowledged=0)
    assert len(clock.sent) == 1


def test_a_lot_is_asked_to_expire_by_its_grant() -> None:
    story = given(granted(100, expires_at=DUE))
    courier, clock = courier_of(story)
    courier.look(expected=0)
    courier.send(acknowledged=0)
    (asked,) = clock.sent
    assert (asked.grant, asked.reservation) == ("g1", None)
    story.when(asked, at=DUE).then(lot_expired("g1", 100))


def test_a_fresh_owner_finds_the_same_things_open() -> None:
    story = given(granted(100)).when(reserve("r1", 60))
    asked = []
    for partition in (story.partition, story.replayed()):
        story.partition = partition
        courier, clock = courier_of(story)
        courier.look(expected=0)
        courier.send(acknowledged=0)
        asked.append(clock.sent)
    assert asked[0] == asked[1]
    assert len(asked[0]) == 1


def test_a_months_start_is_swept_a_few_accounts_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.courier.AT_ONCE", 3)
    story, many = given(), 12
    for n in range(many):
        story.when(set_plan("free", account=f"a{n}"))
    april = T0 - 12 * HOUR + 31 * DAY
    courier, clock = courier_of(story)
    ticks: list[int] = []
    while len(clock.sent) < many:
        clock.at = april + len(ticks) * TICK_MS
        before = len(clock.sent)
        courier.look(expected=0)
        courier.send(acknowledged=0)
        ticks.append(len(clock.sent) - before)
    assert 1 < len(ticks) <= many
    assert sorted(asked.account for asked in clock.sent) == sorted(f"a{n}" for n in range(many))
    for command in clock.sent:
        story.when(command, at=clock.at)
    plans = [account.plan for account in story.partition.accounts.all() if account.plan]
    assert [plan.start for plan in plans] == [april] * many
    clock.sent.clear()
    clock.at += RESEND_MS
    courier.look(expected=0)
    courier.send(acknowledged=0)
    assert clock.sent == [], "what is renewed is asked for no more"


def test_a_period_of_which_all_is_used_is_renewed_too() -> None:
    story = given().when(set_plan("free"), reserve("r1", 30), charge("r1", 30))
    for day in range(1, 10):
        story.when(reserve(f"r{day}x", 30), charge(f"r{day}x", 30, f"d{day}"), at=T0 + day * DAY)
    april = T0 - 12 * HOUR + 31 * DAY
    courier, clock = courier_of(story)
    clock.at = april
    courier.look(expected=0)
    courier.send(acknowledged=0)
    (asked,) = clock.sent
    assert (asked.period_end, asked.grant, asked.reservation) == (april, None, None)
    story.when(asked, at=april).stands(available=300, spent=300)
