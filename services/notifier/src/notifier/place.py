"""Where the reader rule stands at an offset: found in the log itself, so that nothing is kept.

Kafka's group says from which record on we read; which token and `seq` count there is told by the
newest exact claim before it and the events in between, an hour of them at most.
"""

from aiokafka import TopicPartition
from bus import kafka
from bus.reader import Reader
from bus.stream import newest_claim
from contracts.units import Ms

from contracts import codec

WAIT_MS = 500


async def reader_at(bootstrap: str, topic: str, partition: int, offset: int, now: Ms) -> Reader:
    """The reader of a partition, ready for the record at `offset`."""
    where = TopicPartition(topic, partition)
    opened = await kafka.consumer_at(bootstrap, [(where, 0)])
    try:
        reader = Reader(await newest_claim(opened, where, offset, now))
        if reader.offset < offset:
            opened.seek(where, reader.offset)
        while reader.offset < offset:
            got = await opened.getmany(where, timeout_ms=WAIT_MS)
            for record in got.get(where, ()):
                if record.offset < offset:
                    reader.counts(record.offset, codec.decode_event(record.value))
        return reader
    finally:
        await kafka.close(opened)
