"""What every implementation of bus.log.PartitionLog must do. One suite for all of them.

Each case is a coroutine over a rig; the simulator drives it without asyncio, the integration
tests run the very same on aiokafka and a real broker. Here: events and the fence; commands and
waiting, and snapshots, have modules of their own.
"""

import pytest
from bus.log import LogError
from contracts.units import BATCH_BYTES_MAX

from tests.simulation.port_suite_commands import COMMAND_CASES
from tests.simulation.port_suite_snapshots import SNAPSHOT_CASES
from tests.simulation.rig import SHORT, Case, Rig, read, write

# ---- events


async def an_append_tells_where_it_landed(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    assert await write(port, b"one", b"two") == 0
    assert await write(port, b"three") == 2
    assert await port.end() == 3


async def a_batch_is_read_as_it_was_written(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    await write(port, b"one", b"two", b"three")
    records = await read(port, 0, 3)
    assert [(r.offset, bytes(r.key), bytes(r.value)) for r in records] == [
        (0, b"a", b"one"),
        (1, b"a", b"two"),
        (2, b"a", b"three"),
    ]
    assert len({r.timestamp for r in records}) == 1


async def a_batch_too_large_leaves_nothing(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    piece = bytes(BATCH_BYTES_MAX // 4)
    with pytest.raises(LogError):
        await write(port, *[piece] * 5)
    assert await port.end() == 0


async def events_are_read_from_and_to_any_offset(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    await write(port, *(b"%d" % n for n in range(10)))
    assert [r.offset for r in await read(port, 3, 7)] == [3, 4, 5, 6]
    assert await read(port, 10, 10) == []
    assert await read(port, 7, 3) == []


async def reading_waits_for_the_end(rig: Rig) -> None:
    port, writer = await rig.port(), await rig.port()
    await writer.fence()
    await write(writer, b"early")

    async def late() -> None:
        await rig.sleep(SHORT)
        await write(writer, b"late")

    rig.spawn(late())
    assert [bytes(r.value) for r in await read(port, 0, 2)] == [b"early", b"late"]


# ---- the fence


async def an_append_needs_a_fence(rig: Rig) -> None:
    port = await rig.port()
    with pytest.raises(LogError):
        await write(port, b"one")


async def the_newer_owner_shuts_out_the_older(rig: Rig) -> None:
    older, newer = await rig.port(), await rig.port()
    await older.fence()
    await write(older, b"older")
    await newer.fence()
    await write(newer, b"newer")
    with pytest.raises(LogError):
        await write(older, b"too late")
    assert await write(newer, b"newer still") == 2
    assert [bytes(r.value) for r in await read(newer, 0, 3)] == [
        b"older",
        b"newer",
        b"newer still",
    ]


async def a_write_between_fence_and_claim_still_lands(rig: Rig) -> None:
    older, newer = await rig.port(), await rig.port()
    await older.fence()
    await write(older, b"older")
    await newer.fence()
    assert await write(older, b"between") == 1
    assert await write(newer, b"claim") == 2


async def an_owner_may_raise_its_own_fence_again(rig: Rig) -> None:
    port = await rig.port()
    for expected in range(3):
        await port.fence()
        assert await write(port, b"claim") == expected


CASES: tuple[Case, ...] = (
    an_append_tells_where_it_landed,
    a_batch_is_read_as_it_was_written,
    a_batch_too_large_leaves_nothing,
    events_are_read_from_and_to_any_offset,
    reading_waits_for_the_end,
    an_append_needs_a_fence,
    the_newer_owner_shuts_out_the_older,
    a_write_between_fence_and_claim_still_lands,
    an_owner_may_raise_its_own_fence_again,
    *COMMAND_CASES,
    *SNAPSHOT_CASES,
)
