"""Of the behaviour suite: snapshots, which every implementation keeps beside the events."""

from collections.abc import Sequence

import pytest
from bus.log import KeyValue, LogError, PartitionLog, Record

from tests.simulation.rig import Case, Rig, landed, read, write


async def kept(port: PartitionLog, *records: KeyValue) -> int:
    return await landed(port, port.snapshot(records))


async def found(port: PartitionLog, end: int) -> list[Record]:
    pieces: list[Sequence[Record]] = [records async for records in port.snapshots(end)]
    return [record for records in pieces for record in records]


async def there_is_a_place_for_snapshots(rig: Rig) -> None:
    port = await rig.port()
    assert await port.keeps_snapshots()
    assert await found(port, 0) == []


async def of_each_key_the_newest_snapshot_is_read(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    assert await kept(port, (b"a", b"one"), (b"b", b"two")) == 0
    assert await kept(port, (b"a", b"three")) == 2
    newest = {record.key: (record.offset, record.value) for record in await found(port, 3)}
    assert newest == {b"a": (2, b"three"), b"b": (1, b"two")}


async def snapshots_are_read_up_to_an_offset(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    await kept(port, (b"a", b"one"), (b"b", b"two"))
    end = await kept(port, (b"c", b"three"))
    assert {record.key for record in await found(port, end)} == {b"a", b"b"}


async def snapshots_and_events_do_not_wait_for_each_other(rig: Rig) -> None:
    port = await rig.port()
    await port.fence()
    beside = port.snapshot([(b"a", b"one")])
    assert await write(port, b"event") == 0
    assert await landed(port, beside) == 0
    assert [bytes(record.value) for record in await read(port, 0, 1)] == [b"event"]


async def the_newer_owner_shuts_out_the_snapshots_of_the_older(rig: Rig) -> None:
    older, newer = await rig.port(), await rig.port()
    await older.fence()
    await kept(older, (b"a", b"older"))
    await newer.fence()
    assert await kept(newer, (b"claim", b"")) == 1
    with pytest.raises(LogError):
        await kept(older, (b"a", b"too late"))
    assert await kept(newer, (b"a", b"newer")) == 2


async def a_snapshot_needs_a_fence(rig: Rig) -> None:
    port = await rig.port()
    with pytest.raises(LogError):
        await kept(port, (b"a", b"one"))


SNAPSHOT_CASES: tuple[Case, ...] = (
    there_is_a_place_for_snapshots,
    of_each_key_the_newest_snapshot_is_read,
    snapshots_are_read_up_to_an_offset,
    snapshots_and_events_do_not_wait_for_each_other,
    the_newer_owner_shuts_out_the_snapshots_of_the_older,
    a_snapshot_needs_a_fence,
)
