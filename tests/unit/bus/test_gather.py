"""A small crowd comes in together; nobody alone waits, and a large crowd does not either."""

import asyncio

from bus.gather import GATHER_MAX, GATHER_MS, Gathering


class Turns:
    """A gathering and how often it called."""

    def __init__(self) -> None:
        self.called = 0
        self.gathering = Gathering(self._call)

    def _call(self) -> None:
        self.called += 1

    def is_ripe(self) -> bool:
        return self.gathering.ripe

    def took(self, taken: int, left: int = 0) -> None:
        self.gathering.took(taken, left=left)


async def test_a_single_caller_never_waits() -> None:
    turns = Turns()
    for _ in range(3):
        turns.gathering.came(1)
        assert turns.is_ripe()
        turns.took(1)
        assert not turns.is_ripe()
    assert turns.called == 3


async def test_who_came_with_others_waits_for_them_and_no_longer() -> None:
    turns = Turns()
    turns.gathering.came(3)
    turns.took(3)
    turns.gathering.came(1)
    turns.gathering.came(2)
    assert not turns.is_ripe()
    turns.gathering.came(3)
    assert turns.is_ripe()


async def test_who_does_not_come_back_is_not_waited_for_twice() -> None:
    turns = Turns()
    turns.gathering.came(8)
    turns.took(8)
    turns.gathering.came(1)
    assert not turns.is_ripe()
    await asyncio.sleep(GATHER_MS / 1000 * 3)
    assert turns.is_ripe()
    turns.took(1)
    turns.gathering.came(1)
    assert turns.is_ripe(), "the crowd is gone"


async def test_a_large_crowd_is_not_waited_for() -> None:
    turns = Turns()
    turns.gathering.came(500)
    turns.took(500)
    turns.gathering.came(GATHER_MAX)
    assert turns.is_ripe()


async def test_what_one_turn_leaves_is_ripe_for_the_next() -> None:
    turns = Turns()
    turns.gathering.came(30)
    turns.took(20, left=10)
    assert turns.is_ripe()


async def test_a_stopped_gathering_calls_nobody() -> None:
    turns = Turns()
    turns.gathering.came(2)
    turns.took(2)
    turns.gathering.came(1)
    turns.gathering.stop()
    await asyncio.sleep(GATHER_MS / 1000 * 3)
    assert turns.called == 1
    assert not turns.is_ripe()
