"""The behaviour suite of the port: how commands come, and how an owner waits for them."""

from collections.abc import Awaitable, Callable

from bus.log import PartitionLog
from contracts.units import Ms

from tests.simulation.rig import LONG, SHORT, Case, Rig, taken

# ---- commands


async def commands_are_delivered_in_order_and_once(rig: Rig) -> None:
    port = await rig.port()
    sent = [await rig.command(b"%d" % n) for n in range(12)]
    await port.commands_from(sent[2])
    got = await taken(port, 10)
    assert [r.offset for r in got] == sent[2:]
    assert [bytes(r.value) for r in got] == [b"%d" % n for n in range(2, 12)]
    assert list(port.take(100)) == []


async def commands_can_be_asked_for_again(rig: Rig) -> None:
    port = await rig.port()
    sent = [await rig.command(b"%d" % n) for n in range(4)]
    await port.commands_from(sent[2])
    await taken(port, 2)
    await port.commands_from(sent[1])
    assert [r.offset for r in await taken(port, 3)] == sent[1:]


async def a_gap_in_the_offsets_is_normal(rig: Rig) -> None:
    port = await rig.port()
    before = await rig.command(b"before", gap_after=True)
    after = await rig.command(b"after")
    assert after == before + 2
    await port.commands_from(before)
    assert [r.offset for r in await taken(port, 2)] == [before, after]
    assert await port.command_at(before + 1) is None


async def the_command_at_an_offset(rig: Rig) -> None:
    port = await rig.port()
    first, second = await rig.command(b"first"), await rig.command(b"second")
    found = await port.command_at(second)
    assert found is not None
    assert (found.offset, bytes(found.key), bytes(found.value)) == (second, b"a", b"second")
    await port.commands_from(first)
    got = await taken(port, 2)
    assert got[1].timestamp == found.timestamp
    assert await port.command_at(second + 1) is None
    assert await port.command_at(-1) is None


async def commands_that_were_deleted(rig: Rig) -> None:
    port = await rig.port()
    assert await port.first_command() == 0
    sent = [await rig.command(b"%d" % n) for n in range(4)]
    await rig.delete_commands_before(sent[2])
    assert await port.first_command() == sent[2]
    assert await port.command_at(sent[1]) is None
    assert await port.command_at(sent[2]) is not None


async def a_follow_up_becomes_a_command(rig: Rig) -> None:
    port = await rig.port()
    await port.commands_from(0)
    port.emit("a", b"follow-up")
    (record,) = await taken(port, 1)
    assert (bytes(record.key), bytes(record.value)) == (b"a", b"follow-up")


# ---- waiting


async def _waited(port: PartitionLog, wait: Callable[[], Awaitable[None]]) -> Ms:
    begun = port.now()
    await wait()
    return port.now() - begun


async def waiting_ends_when_a_command_comes(rig: Rig) -> None:
    port = await rig.port()
    await port.commands_from(0)

    async def late() -> None:
        await rig.sleep(SHORT)
        await rig.command(b"late")

    rig.spawn(late())
    begun = port.now()
    (record,) = await taken(port, 1)
    assert bytes(record.value) == b"late"
    assert port.now() - begun < LONG / 2


async def waiting_ends_when_the_append_is_over(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    append = port.append([(b"a", b"one")])
    assert await _waited(port, lambda: port.wait(append, LONG, hungry=False)) < LONG / 2
    assert append.done


async def waiting_ends_when_the_time_is_over(rig: Rig) -> None:
    port = await rig.port()
    await port.commands_from(0)
    waited = await _waited(port, lambda: port.wait(None, SHORT, hungry=True))
    assert SHORT * 0.8 <= waited < LONG / 2


async def waiting_ends_when_the_partition_is_given_away(rig: Rig) -> None:
    port = await rig.port()
    await port.commands_from(0)
    assert port.mine()

    async def late() -> None:
        await rig.sleep(SHORT)
        port.released()

    rig.spawn(late())
    assert await _waited(port, lambda: port.wait(None, LONG, hungry=True)) < LONG / 2
    assert not port.mine()


async def who_is_not_hungry_does_not_spin(rig: Rig) -> None:
    """Commands wait here, but the owner has too many already: it rests all the same."""
    port = await rig.port()
    await rig.command(b"one")
    await port.commands_from(0)
    await port.wait(None, LONG, hungry=True)
    waited = await _waited(port, lambda: port.wait(None, SHORT, hungry=False))
    assert waited >= SHORT * 0.8
    assert len(port.take(100)) == 1


async def who_is_hungry_does_not_wait_for_what_is_here(rig: Rig) -> None:
    port = await rig.port()
    await rig.command(b"one")
    await port.commands_from(0)
    await port.wait(None, LONG, hungry=True)
    assert await _waited(port, lambda: port.wait(None, LONG, hungry=True)) < SHORT
    assert len(port.take(100)) == 1


async def tokens_are_never_used_twice(rig: Rig) -> None:
    one, other = await rig.port(), await rig.port()
    assert len({port.token() for port in (one, other) for _ in range(50)}) == 100


COMMAND_CASES: tuple[Case, ...] = (
    commands_are_delivered_in_order_and_once,
    commands_can_be_asked_for_again,
    a_gap_in_the_offsets_is_normal,
    the_command_at_an_offset,
    commands_that_were_deleted,
    a_follow_up_becomes_a_command,
    waiting_ends_when_a_command_comes,
    waiting_ends_when_the_append_is_over,
    waiting_ends_when_the_time_is_over,
    waiting_ends_when_the_partition_is_given_away,
    who_is_not_hungry_does_not_spin,
    who_is_hungry_does_not_wait_for_what_is_here,
    tokens_are_never_used_twice,
)
