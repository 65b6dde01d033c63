"""The topics: what each one holds, who writes it, and the settings its promises need.

The number of partitions of the ledger topics is part of the ledger's meaning: an account lives in
partition murmur2(key) % partitions for ever.
"""

from msgspec import Struct

from contracts.units import DAY, RECORD_BYTES_MAX

PARTITIONS_LOCAL = 2  # each partition costs requests and disk flushes on a small machine
PARTITIONS_PRODUCTION = 48  # divides by 2, 3, 4, 6, 8, 12 owners


class Topic(Struct, frozen=True):
    """A topic and its settings. `flushed`: on a single broker every batch is on disk before ack."""

    name: str
    settings: dict[str, str]
    flushed: bool = False


def _kept(days: int) -> dict[str, str]:
    return {"retention.ms": str(days * DAY if days > 0 else -1)}


_BROKER_TIME = {"message.timestamp.type": "LogAppendTime"}
_BATCHES = {"max.message.bytes": str(2 << 20)}
_RECORDS = {"max.message.bytes": str(RECORD_BYTES_MAX * 32)}  # a batch of many small commands

COMMANDS = Topic("ledger.commands", _kept(30) | _BROKER_TIME | _RECORDS, flushed=True)
EVENTS = Topic(
    "ledger.events",
    _kept(-1) | {"retention.bytes": "-1", "cleanup.policy": "delete"} | _BROKER_TIME | _BATCHES,
    flushed=True,
)
# Kept by key, newest first of all: small segments, so that little of what is outdated is read back.
_COMPACTED = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 << 20),
    "min.cleanable.dirty.ratio": "0.2",
}
SNAPSHOTS = Topic("ledger.snapshots", _COMPACTED | _BROKER_TIME | _BATCHES)
RUN_REQUESTS = Topic("tool-runs.requests", _kept(7) | _BROKER_TIME)
RUN_DISPATCH = Topic("tool-runs.dispatch", _kept(7))
RUN_RESULTS = Topic("tool-runs.results", _kept(1))
TOOL_HISTORY = Topic("tools.history", _COMPACTED | _BROKER_TIME)
NOTIFICATIONS = Topic("notifications", _kept(7) | _BROKER_TIME)
NOTIFIER_GIFTS = Topic("notifier.gifts", _COMPACTED | _BROKER_TIME)

TOPICS = (
    COMMANDS,
    EVENTS,
    SNAPSHOTS,
    RUN_REQUESTS,
    RUN_DISPATCH,
    RUN_RESULTS,
    TOOL_HISTORY,
    NOTIFICATIONS,
    NOTIFIER_GIFTS,
)


def settings_of(topic: Topic, *, single_broker: bool) -> dict[str, str]:
    """The settings to create a topic with."""
    safe = {"min.insync.replicas": "1" if single_broker else "2"}
    flush = {"flush.messages": "1"} if single_broker and topic.flushed else {}
    return {**topic.settings, **safe, **flush, "unclean.leader.election.enable": "false"}
