"""Snapshots on a real broker: a takeover begins with one, and none of them can make it wrong."""

import asyncio
import os
import re
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from bus import kafka
from bus.topics import ensure_topics
from contracts.catalogue import served
from contracts.topics import SNAPSHOTS
from engine.guard import Guard
from engine.local import Engine
from ledger.owner import Owner
from ledger.partition import Partition
from ledger.shelves import MARKER

from tests.e2e.audit import audit
from tests.e2e.caller import Caller
from tests.e2e.finance import proved
from tests.e2e.ledgers import Ledger, all_served
from tests.e2e.spending import Spending
from tests.integration.snapshot_world import ALWAYS, NEVER, Site, whole

KILLS = int(os.environ.get("SCRIP_KILLS", "2"))
RESTORED = re.compile(r'^scrip_ledger_restored_sequence\{partition="0"\} (\S+)$', re.MULTILINE)


async def _with_snapshot(bootstrap: str, prefix: str) -> Site:
    """A site with a snapshot and a tail behind it."""
    site = Site(bootstrap, prefix)
    await site.create()
    async with site.owner(ALWAYS) as owner:
        await site.ask(owner, 60)
        await whole(owner)
    async with site.owner(NEVER) as owner:
        assert owner.partition.restored_from > 0
        await site.ask(owner, 40)
    return site


async def _taken_over(site: Site, *, restored: bool) -> None:
    """A takeover is right, and begins with a snapshot or does not."""
    async with site.owner(NEVER) as owner:
        again = await site.replayed()
        assert owner.partition.accounts.state_hash() == again.accounts.state_hash()
        assert owner.partition.reader.seq == again.reader.seq
        assert (owner.partition.restored_from > 0) is restored
        await site.ask(owner, 5)
        _same(owner, await site.replayed())


def _same(owner: Owner, again: Partition) -> None:
    assert owner.partition.accounts.state_hash() == again.accounts.state_hash()
    assert owner.partition.reader.seq == again.reader.seq
    assert again.checkpoints.compared > 0, "no checkpoint was written"


async def test_a_takeover_begins_with_the_snapshot(bootstrap: str, topic_prefix: str) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    await _taken_over(site, restored=True)


async def test_snapshots_are_incremental(bootstrap: str, topic_prefix: str) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    before = len(await site.records(SNAPSHOTS.name))
    async with site.owner(ALWAYS) as owner:
        await site.ask(owner, 1)
        await whole(owner)
        assert await _buckets_behind(site, before) > 1, "what the tail changed"
        before = len(await site.records(SNAPSHOTS.name))
        await site.ask(owner, 1)
        await whole(owner)
        assert await _buckets_behind(site, before) == 1, "the one account that changed"


async def test_without_the_topic_the_whole_log_is_read(bootstrap: str, topic_prefix: str) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    await _delete(bootstrap, topic_prefix + SNAPSHOTS.name)
    await _taken_over(site, restored=False)
    await site.create()
    await _taken_over(site, restored=False)
    async with site.owner(ALWAYS) as owner:
        await site.ask(owner, 1)
        await whole(owner)
    await _taken_over(site, restored=True)


async def test_a_snapshot_without_its_marker_is_left_alone(
    bootstrap: str, topic_prefix: str
) -> None:
    """As after a kill before the first marker: buckets, and nothing that says what they mean."""
    site = await _with_snapshot(bootstrap, topic_prefix)
    kept = [(r.key, r.value) for r in await site.records(SNAPSHOTS.name) if r.key != MARKER]
    await _delete(bootstrap, topic_prefix + SNAPSHOTS.name)
    await site.create()
    await site.put_snapshots(kept)
    await _taken_over(site, restored=False)


async def test_a_damaged_snapshot_is_left_alone(bootstrap: str, topic_prefix: str) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    kept = [(r.key, r.value) for r in await site.records(SNAPSHOTS.name)]
    at = next(n for n, (key, _) in enumerate(kept) if key[:1] == b"b")
    damaged = kept[at][1][:-3] + b"\0\0\0"
    kept = [(k, damaged if k == kept[at][0] else v) for k, v in kept]
    await _delete(bootstrap, topic_prefix + SNAPSHOTS.name)
    await site.create()
    await site.put_snapshots(kept)
    await _taken_over(site, restored=False)


async def test_an_older_snapshot_has_a_longer_tail(bootstrap: str, topic_prefix: str) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    older = [(r.key, r.value) for r in await site.records(SNAPSHOTS.name)]
    async with site.owner(ALWAYS) as owner:
        await site.ask(owner, 50)
        await whole(owner)
    await _delete(bootstrap, topic_prefix + SNAPSHOTS.name)
    await site.create()
    await site.put_snapshots(older)
    await _taken_over(site, restored=True)


async def test_a_snapshot_of_another_ledger_is_left_alone(
    bootstrap: str, topic_prefix: str
) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    other = await _with_snapshot(bootstrap, topic_prefix + "other.")
    foreign = [(r.key, r.value) for r in await other.records(SNAPSHOTS.name)]
    await _delete(bootstrap, topic_prefix + SNAPSHOTS.name)
    await site.create()
    await site.put_snapshots(foreign)
    await _taken_over(site, restored=False)


async def test_bytes_that_nobody_sealed_do_no_harm(bootstrap: str, topic_prefix: str) -> None:
    site = await _with_snapshot(bootstrap, topic_prefix)
    await site.put_snapshots(
        [(MARKER, b"{}"), (b"bxx\0\0", b"no bucket"), (b"s\x01", b"\xff" * 40), (b"", b"x")]
    )
    await _taken_over(site, restored=True)


async def test_killed_again_and_again_while_snapshots_are_written(
    engine: Engine, topic_prefix: str, tmp_path: Path, guard: Guard
) -> None:
    bootstrap = engine.bootstrap
    await ensure_topics(bootstrap, partitions=1, single_broker=True, prefix=topic_prefix)
    ledger = Ledger(
        "snap",
        bootstrap,
        topic_prefix,
        tmp_path,
        guard,
        SCRIP_SNAPSHOT_EVENTS="50",
        SCRIP_SNAPSHOT_GAP_MS="1",
        SCRIP_CHECKPOINT_EVENTS="200",
    )
    ledger.start()
    restored = 0
    async with Caller(bootstrap, topic_prefix) as caller:
        spending = Spending(caller, "snap", callers=16)
        await spending.start()
        for turn in range(KILLS):
            await asyncio.sleep(0.5 + 0.13 * turn)
            await ledger.kill()
            ledger.start()
            await all_served([ledger], 1)
            found = RESTORED.search(await ledger.metrics())
            restored += found is not None and float(found[1]) > 0
        await spending.stop()
        found_wrong = await audit(bootstrap, topic_prefix, caller.told)
        assert found_wrong.uncounted == 0
        assert found_wrong.available + found_wrong.held == 6_000_000 - spending.spent
    assert await ledger.stop() == 0
    assert "partition_halted" not in ledger.logged()
    print(f"{restored} of {KILLS} takeovers began with a snapshot · {found_wrong}")
    assert restored >= KILLS // 2
    replayed = Partition(0, 1, served("test"), 200)
    replayed.replay(await Site(bootstrap, topic_prefix).records("ledger.events"))
    assert replayed.checkpoints.compared > 0
    await proved(bootstrap, engine.postgres_url, topic_prefix, tmp_path, guard)


async def _buckets_behind(site: Site, offset: int) -> int:
    found = await site.records(SNAPSHOTS.name)
    return len({r.key for r in found if r.offset >= offset and r.key[:1] == b"b"})


async def _delete(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    consumer = kafka.consumer(bootstrap)
    await consumer.start()
    try:
        for _ in range(200):
            if topic not in await consumer.topics():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the topic is still there")
    finally:
        await kafka.close(consumer)
