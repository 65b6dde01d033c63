"""The faults of the three sets, by weight, and what each one does to a world."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from contracts.units import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from tests.simulation.world import World

STD = {
    "crash": 1,
    "pause": 2,
    "rebalance": 2,
    "leader": 1,
    "drop": 2,
    "delay": 3,
    "time_out": 2,
    "gateway": 2,
    "power": 1,
    "later": 3,
    "read": 1,
    "retention": 1,
    "snapshots": 1,
}
IDLE = STD | {"expire": 2, "new_id": 2}  # producer state and transactional ids expire when idle
ROGUE = IDLE | {"forget": 2}  # ... or at any moment: wrong timestamps, a bug of the broker
SETS: dict[str, dict[str, int]] = {"std": STD, "idle": IDLE, "rogue": ROGUE}
# Mostly workers that sleep for more than an hour and wake up in their renewal.
SLEEPY = {"pause": 3, "later": 4, "rebalance": 2, "delay": 2, "time_out": 1, "new_id": 1}
LOSSY = {"time_out": 3, "delay": 1, "drop": 1}  # mostly requests whose outcome nobody knows

# Nothing happens to the topic of the snapshots: whatever is wrong there, an owner did.
KEPT = {kind: often for kind, often in STD.items() if kind not in ("snapshots", "power", "leader")}

_IDLE_MS = 3 * SECOND  # of a producer's state, in a world where a second is long
_SKEWS_MS = (0, 0, 0, 3 * SECOND, -3 * SECOND, 4 * MINUTE, -4 * MINUTE)


def strike(world: "World", kind: str) -> None:
    """One fault, somewhere; nothing where there is nothing to hit."""
    world.stats[f"fault {kind}"] += 1
    world.note("FAULT", kind)
    _FAULTS[kind](world)


def crash(world: "World", number: int) -> None:
    """A worker's process is gone, and started again a moment later."""
    worker = world.workers[number]
    world.note("crash of worker", number)
    for slot in world.slots:
        if slot.worker is worker:
            world.close(slot)
    for kept in [key for key in world.memory if key[1] == str(number)]:
        del world.memory[kept]
    worker.paused_until = 0
    worker.rejoins_at = world.now + int(world.random.random() * 2 * SECOND)
    worker.skew = _SKEWS_MS[world.below(len(_SKEWS_MS))]
    world.generation += 1


def _crash(world: "World") -> None:
    number = world.below(len(world.workers))
    crash(world, number)
    if world.random.random() < 0.5:
        _give_away(world, number)


def _give_away(world: "World", number: int) -> None:
    for partition, owner in enumerate(world.assigned):
        if owner == number:
            world.assign(partition, world.below(len(world.workers)))


def _pause(world: "World") -> None:
    number = world.below(len(world.workers))
    for_ms = (SECOND, 4 * SECOND, 15 * SECOND, HOUR)[world.below(4)]
    world.workers[number].paused_until = world.now + for_ms
    if world.random.random() < 0.8:
        _give_away(world, number)


def _rebalance(world: "World") -> None:
    world.assign(world.below(len(world.assigned)), world.below(len(world.workers)))


def _leader(world: "World") -> None:
    parts = (*world.broker.partitions, *world.broker.shelves)
    part = parts[world.below(len(parts))]
    keep = [part.high] + [batch.end for batch in part.batches if batch.end > part.high]
    before = len(part.events)
    part.new_leader(keep[world.below(len(keep))], world.now)
    world.stats["batches lost by their leader"] += len(part.events) < before


def _drop(world: "World") -> None:
    if world.network.messages:
        world.network.drop()


def _delay(world: "World") -> None:
    if world.network.messages:
        for_ms = (SECOND // 2, 3 * SECOND, 12 * SECOND)[world.below(3)]
        world.network.delay(world.now + for_ms)


def _time_out(world: "World") -> None:
    if world.network.messages:
        world.network.time_out(world.now + (0, SECOND // 2, 6 * SECOND)[world.below(3)])


def _gateway(world: "World") -> None:
    world.gateways[world.below(len(world.gateways))].restart()


def _power(world: "World") -> None:
    """All machines stop. Events are on disk; the newest commands may not be."""
    world.now += SECOND + world.below(5 * SECOND)
    world.network.disconnect()
    for part in world.broker.partitions:
        part.cut_commands(world.below(6))
        part.high = len(part.events)
    for shelf in world.broker.shelves:  # not flushed: what is not on disk is gone
        shelf.power_loss(world.below(6), world.now)
    for worker in world.workers:
        crash(world, worker.number)
    if world.random.random() < 0.5:
        for gateway in world.gateways:
            gateway.restart()


def _later(world: "World") -> None:
    """Nothing happens for minutes, for more than an hour, for more than a day."""
    choice = world.random.random()
    if choice < 0.35:
        world.now += MINUTE + world.below(20 * MINUTE)
    elif choice < 0.7:
        world.now += HOUR + world.below(30 * MINUTE)
    else:
        world.now += 24 * HOUR + world.below(4 * HOUR)


def _read(world: "World") -> None:
    world.read_error = True


def _retention(world: "World") -> None:
    """Old commands are gone: decided ones only, for they are kept for a month."""
    number = world.below(len(world.broker.partitions))
    part, auditor = world.broker.partitions[number], world.auditors[number]
    auditor.follow()
    oldest = auditor.commands.oldest_undecided(part.commands)
    end = part.command_end if oldest is None else oldest.offset
    some = [offset for offset in part.command_offsets if offset < end]
    if some:
        part.drop_commands_before(some[world.below(len(some))] + 1)


def _snapshots(world: "World") -> None:
    """The topic of the snapshots is deleted, created, or a record in it is damaged."""
    choice, broker = world.below(4), world.broker
    if choice == 0:
        broker.delete_snapshots()
        broker.keeps_snapshots = world.random.random() < 0.5
    elif choice == 1:
        broker.keeps_snapshots = True
    else:
        shelf = broker.shelves[world.below(len(broker.shelves))]
        shelf.damage(world.below(max(1, len(shelf.events))), world.below(80))


def _expire(world: "World") -> None:
    for part in (*world.broker.partitions, *world.broker.shelves):
        world.stats["producers forgotten"] += part.forget(world.now - _IDLE_MS)


def _new_id(world: "World") -> None:
    world.broker.forget_transactional_id(world.below(len(world.broker.partitions)))


def _forget(world: "World") -> None:
    for part in (*world.broker.partitions, *world.broker.shelves):
        world.stats["producers forgotten"] += part.forget(world.now + HOUR)


_FAULTS: dict[str, Callable[["World"], None]] = {
    "crash": _crash,
    "pause": _pause,
    "rebalance": _rebalance,
    "leader": _leader,
    "drop": _drop,
    "delay": _delay,
    "time_out": _time_out,
    "gateway": _gateway,
    "power": _power,
    "later": _later,
    "read": _read,
    "retention": _retention,
    "snapshots": _snapshots,
    "expire": _expire,
    "new_id": _new_id,
    "forget": _forget,
}
