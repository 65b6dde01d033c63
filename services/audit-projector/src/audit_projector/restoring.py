"""The topic of events written again from the compliance log, record by record at the same offsets.

Every chain is verified from its first line to its last before anything is written, and a topic that
holds anything is refused. Each record gets the time that its line says, so that `scrip verify`
finds topic and lines the same; afterwards the topic takes the broker's time again. A value is the
record's bytes as its ledger wrote them; in an answer that quotes another, the quote is canonical.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from bus import kafka
from bus.topics import ensure_topics
from contracts.codec import decode_event, encode
from contracts.events import PartitionClaimed
from contracts.topics import EVENTS, settings_of

from audit_projector import line as lines
from audit_projector.canonical import canonical
from audit_projector.chain import ChainBroken
from audit_projector.settings import Settings
from audit_projector.standing import ends

_THEIR_TIME = {"message.timestamp.type": "CreateTime"}
_SETTLED_S = 1.0  # a broker takes a topic's new setting within milliseconds


class RestoreRefused(RuntimeError):
    """Nothing was written: the topic holds something, or there is no compliance log."""


async def restore(settings: Settings, *, single_broker: bool) -> dict[int, int]:
    """Write the topic again; gives how many records of each partition. Raises ChainBroken."""
    folders = sorted(path for path in settings.audit_folder.iterdir() if path.is_dir())
    if not folders or [path.name for path in folders] != [
        f"{number:03d}" for number in range(len(folders))
    ]:
        raise RestoreRefused(f"{settings.audit_folder} has not a folder for each partition")
    for folder in folders:
        for _ in _verified(folder):
            pass
    topic = settings.prefix + EVENTS.name
    await ensure_topics(
        settings.bootstrap,
        partitions=len(folders),
        single_broker=single_broker,
        prefix=settings.prefix,
        topics=(EVENTS,),
    )
    if any((await ends(settings.bootstrap, settings.prefix)).values()):
        raise RestoreRefused(f"topic {topic} is not empty: it is restored only where nothing is")
    usual = settings_of(EVENTS, single_broker=single_broker)
    await _set(settings.bootstrap, topic, usual | _THEIR_TIME)
    producer = kafka.producer(settings.bootstrap)
    await producer.start()
    try:
        return {int(f.name): await _write(producer, topic, int(f.name), f) for f in folders}
    finally:
        await producer.stop()
        await _set(settings.bootstrap, topic, usual)


def _verified(folder: Path) -> Iterator[lines.Line]:
    """The lines of a chain, each of which follows the one before it."""
    previous, count = lines.GENESIS, 0
    for file in sorted(folder.glob("*.jsonl")):
        with file.open("rb") as opened:
            for raw in opened:
                try:
                    found, previous = lines.checked(raw.removesuffix(b"\n"), previous)
                except lines.BadLine as wrong:
                    raise ChainBroken(f"{file}: line {count + 1} of its chain: {wrong}") from wrong
                if found.offset != count:
                    raise ChainBroken(f"{file}: offset {found.offset} stands where {count} should")
                count += 1
                yield found


async def _write(producer: AIOKafkaProducer, topic: str, partition: int, folder: Path) -> int:
    written = 0
    batch = producer.create_batch()
    for line in _verified(folder):
        value, key = _record(bytes(line.data))
        at = round(datetime.fromisoformat(line.time).timestamp() * 1000)
        if batch.append(key=key, value=value, timestamp=at, headers=[]) is None:
            written = await _sent(producer, batch, topic, partition, written)
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=at, headers=[])
    if batch.record_count():
        written = await _sent(producer, batch, topic, partition, written)
    return written


async def _sent(
    producer: AIOKafkaProducer, batch: object, topic: str, partition: int, at: int
) -> int:
    count: int = batch.record_count()  # type: ignore[attr-defined]
    stored = await (await producer.send_batch(batch, topic, partition=partition))
    if stored.offset != at or stored.timestamp_type != 0:
        raise RestoreRefused(
            f"partition {partition} took records at {stored.offset} instead of {at}, or under its"
            " own time: somebody else writes. Delete the topic and begin again"
        )
    return at + count


def _record(data: bytes) -> tuple[bytes, bytes]:
    """A record's value, as its ledger wrote it where this version writes it so, and its key."""
    event = decode_event(data)
    value = encode(event)
    if canonical(value) != data:
        value = data
    return value, b"" if isinstance(event, PartitionClaimed) else event.account.encode()


async def _set(bootstrap: str, topic: str, configs: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
        await asyncio.sleep(_SETTLED_S)
    finally:
        await admin.close()
