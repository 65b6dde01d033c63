"""Records handed out as the parser made them: no second object for each.

Beside `bus.fence` and `bus.abandon` the only place that touches aiokafka's internals (0.14.0,
pinned; its contract test runs on a real broker). Of every record read aiokafka builds a
ConsumerRecord, eleven fields of it, out of a parsed record that has what we use: offset,
timestamp, key, value, headers. Leaving that out halves what reading a record costs, and every
reader of ours reads hundreds of thousands.
"""

from collections import OrderedDict

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult


class _Fetched(OrderedDict[TopicPartition, FetchResult | FetchError]):
    """What was fetched and not yet handed out."""

    def __setitem__(self, partition: TopicPartition, fetched: FetchResult | FetchError) -> None:
        if isinstance(fetched, FetchResult):
            fetched._partition_records._consumer_record = _as_parsed  # noqa: SLF001
        super().__setitem__(partition, fetched)


def lean(consumer: AIOKafkaConsumer) -> None:
    """Let a started consumer hand out parsed records: they have no `topic` and no `partition`."""
    consumer._fetcher._records = _Fetched(consumer._fetcher._records)  # noqa: SLF001


def _as_parsed(_partition: TopicPartition, record: object) -> object:
    return record
