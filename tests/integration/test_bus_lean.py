"""The contract of bus.lean with aiokafka's internals: parsed records are what was sent."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from bus import kafka
from bus.topics import ensure_topics
from contracts.topics import EVENTS

SENT = 1_500
HEADERS = [("traceparent", b"00-1"), ("empty", b"")]


async def _fill(bootstrap: str, topic: str) -> None:
    """Records in several batches: some without a value, some with headers."""
    producer = kafka.producer(bootstrap)
    await producer.start()
    try:
        for start in range(0, SENT, 500):
            batch = producer.create_batch()
            for number in range(start, start + 500):
                key, value = f"k{number}".encode(), None if number % 7 == 0 else b"v" * number
                headers = HEADERS if number % 5 == 0 else []
                assert batch.append(key=key, value=value, timestamp=None, headers=headers)
            await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await kafka.close(producer)


async def _read(consumer: AIOKafkaConsumer, place: TopicPartition, most: int) -> list[object]:
    seen: list[object] = []
    async with asyncio.timeout(20):
        while len(seen) < SENT:
            got = (await consumer.getmany(timeout_ms=200, max_records=most)).get(place, ())
            seen += [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in got]
    return seen


async def test_parsed_records_say_what_aiokafkas_own_say(bootstrap: str, topic_prefix: str) -> None:
    await ensure_topics(
        bootstrap, partitions=1, single_broker=True, prefix=topic_prefix, topics=(EVENTS,)
    )
    place = TopicPartition(topic_prefix + EVENTS.name, 0)
    await _fill(bootstrap, place.topic)
    plain = kafka.consumer(bootstrap)
    await plain.start()
    plain.assign([place])
    plain.seek(place, 0)
    lean = await kafka.consumer_at(bootstrap, [(place, 0)])
    try:
        theirs = await _read(plain, place, most=700)
        ours = await _read(lean, place, most=700)  # hands a fetch out in parts
        assert len(ours) == SENT
        assert ours == theirs
        lean.seek(place, 3)  # what was fetched for elsewhere is not handed out
        again = (await lean.getmany(timeout_ms=2_000, max_records=1))[place]
        assert [record.offset for record in again] == [3]
        assert await lean.position(place) == 4
    finally:
        await kafka.close(plain)
        await kafka.close(lean)


async def test_the_saving_is_there(bootstrap: str, topic_prefix: str) -> None:
    await ensure_topics(
        bootstrap, partitions=1, single_broker=True, prefix=topic_prefix, topics=(EVENTS,)
    )
    place = TopicPartition(topic_prefix + EVENTS.name, 0)
    await _fill(bootstrap, place.topic)
    lean = await kafka.consumer_at(bootstrap, [(place, 0)])
    try:
        got = (await lean.getmany(timeout_ms=5_000))[place]
        assert not hasattr(got[0], "topic"), "aiokafka built a second object for each record"
    finally:
        await kafka.close(lean)
