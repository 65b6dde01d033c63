"""Scenes that the worlds once failed on, and what the owner must do in each."""

import pytest
import structlog
from bus.log import Record
from contracts.commands import Actor, ActorKind, Grant, GrantKind, Release, Reserve
from contracts.events import CommandRejected, PartitionClaimed, ReservationExpired
from contracts.units import MINUTE, SECOND
from ledger.owner import Owner, Superseded
from ledger.partition import Partition

from contracts import codec
from tests.simulation.driver import Driver
from tests.simulation.mutant_owners import RenewalUnchecked
from tests.simulation.port import SimLog
from tests.simulation.prices import catalogues

_ADMIN = Actor(ActorKind.ADMIN, "admin")


class Scene:
    """One partition, its account "a0", and owners by name."""

    def __init__(self, *, fence: bool = True) -> None:
        self.driver = Driver(fence=fence)
        self.part = self.driver.site.broker.partitions[0]

    def owner(self, name: str, kind: type[Owner] = Owner, skew: int = 0) -> tuple[Owner, SimLog]:
        port = self.driver.port(name=name, skew=skew)
        owner = kind(port, lambda: Partition(0, 1, catalogues()[0]))
        return owner, port

    def serving(self, name: str, skew: int = 0) -> tuple[Owner, SimLog]:
        """An owner that took over and serves."""
        owner, port = self.owner(name, skew=skew)
        self.driver.start(owner.run())
        self.driver.until(lambda: owner.serving)
        return owner, port

    def put(self, command: Grant | Reserve | Release) -> None:
        self.part.put_command(b"a0", codec.encode(command), self.driver.site.now)

    def grant(self, name: str) -> None:
        self.put(
            Grant(id=name, account="a0", actor=_ADMIN, amount=50, kind=GrantKind.PAID, source=name)
        )

    def reserve(self, name: str, lifetime_ms: int) -> None:
        self.put(Reserve(id=name, account="a0", actor=_ADMIN, amount=5, lifetime_ms=lifetime_ms))

    def decided(self, count: int) -> None:
        """Wait until so many events are there."""
        self.driver.until(lambda: len(self.events()) >= count)

    def events(self) -> list[object]:
        events = [self.part.event(offset) for offset in range(self.part.high)]
        return [event for event in events if not isinstance(event, PartitionClaimed)]

    def ended(self) -> bool:
        return any(isinstance(event, ReservationExpired) for event in self.events())


def test_an_idle_owner_sends_what_is_due() -> None:
    """Nobody asks anything any more, and no batch is in flight."""
    scene = Scene()
    scene.serving("a")
    scene.grant("g")
    scene.reserve("r", 2 * SECOND)
    scene.decided(2)
    due = scene.driver.site.now + 2 * SECOND
    scene.driver.until(scene.ended)
    assert scene.driver.site.now < due + 3 * SECOND


def test_what_is_held_while_the_clock_is_ahead_ends_by_time() -> None:
    """The owner's clock looked past an end that the log's time, and so the account, still has."""
    scene = Scene()
    scene.serving("a", skew=MINUTE)
    begun = scene.driver.site.now
    scene.grant("g")
    scene.reserve("r1", 50 * SECOND)
    scene.put(Release(id="e1", account="a0", actor=_ADMIN, reservation="r1"))
    scene.driver.until(lambda: scene.driver.site.now > begun + 40 * SECOND)
    scene.reserve("r2", MINUTE)
    scene.driver.until(scene.ended)
    assert scene.driver.site.now < begun + 40 * SECOND + MINUTE + 35 * SECOND


@pytest.mark.parametrize("key", [b"a0", b"somebody else"])
def test_a_rejected_command_is_no_cut(key: bytes) -> None:
    """It may decode, and be the newest one, when the next owner comes."""
    scene = Scene()
    _, port = scene.serving("a")
    value = codec.encode(
        Reserve(id="x", account="a0", actor=_ADMIN, amount=1) if key != b"a0" else "no command"
    )
    scene.part.put_command(key, value, scene.driver.site.now)
    scene.decided(1)
    port.released()
    with structlog.testing.capture_logs() as said:
        scene.serving("b")
        scene.grant("g")
        scene.decided(2)
    assert "commands_cut" not in {line["event"] for line in said}
    assert [type(event) for event in scene.events()].count(CommandRejected) == 1


def test_old_commands_deleted_during_a_takeover_are_no_cut() -> None:
    """The newest one is gone, so older ones are looked for; meanwhile retention takes some."""
    scene = Scene()
    _, port = scene.serving("a")
    for name in "gh":
        scene.grant(name)
    scene.decided(2)
    port.released()
    scene.part.cut_commands(1)
    scene.grant("i")

    class Deleted(SimLog):
        async def command_at(self, offset: int) -> Record | None:
            self.part.drop_commands_before(1)
            return await super().command_at(offset)

    late = Owner(Deleted(scene.driver.site, 0), lambda: Partition(0, 1, catalogues()[0]))
    with structlog.testing.capture_logs():
        scene.driver.run(late.take_over())
    assert late.partition.reader.commands_from == 1


def test_two_thousand_ends_at_once_take_seconds() -> None:
    """They are more than fit into a batch."""
    scene = Scene()
    scene.serving("a")
    scene.put(
        Grant(id="g", account="a0", actor=_ADMIN, amount=10_000, kind=GrantKind.PAID, source="g")
    )
    for number in range(2_000):
        scene.reserve(f"r{number}", 10 * MINUTE)
    scene.decided(2_001)
    scene.driver.site.now += 10 * MINUTE
    due = scene.driver.site.now
    scene.driver.until(lambda: _held(scene) == 0)
    assert scene.driver.site.now < due + 10 * SECOND


def _held(scene: Scene) -> int:
    balance = getattr(scene.part.event(scene.part.high - 1), "balance", None)
    return balance.held if balance is not None else -1


def _wakes_in_its_renewal(kind: type[Owner]) -> tuple[Scene, Owner]:
    """One owner sleeps; another takes over and decides; the first one wakes and renews."""
    scene = Scene()
    sleeper, _ = scene.owner("a", kind)
    scene.driver.run(sleeper.take_over())
    scene.serving("b")
    scene.grant("g")
    scene.decided(1)
    scene.driver.run(sleeper.renew())
    return scene, sleeper


def test_an_owner_that_slept_through_its_renewal_gives_up() -> None:
    with pytest.raises(Superseded):
        _wakes_in_its_renewal(Owner)


def test_it_would_go_on_with_old_state_if_the_offset_were_not_checked() -> None:
    scene, sleeper = _wakes_in_its_renewal(RenewalUnchecked)
    assert sleeper.partition.reader.seq < len(scene.events())
