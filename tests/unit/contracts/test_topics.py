"""The settings of the topics are what the protocol's promises need."""

import pytest
from contracts.topics import (
    COMMANDS,
    EVENTS,
    NOTIFICATIONS,
    PARTITIONS_PRODUCTION,
    RUN_DISPATCH,
    RUN_REQUESTS,
    RUN_RESULTS,
    TOPICS,
    Topic,
    settings_of,
)
from contracts.units import BATCH_BYTES_MAX, DAY


def test_events_are_kept_for_ever_and_never_compacted() -> None:
    found = settings_of(EVENTS, single_broker=False)
    assert (found["retention.ms"], found["retention.bytes"]) == ("-1", "-1")
    assert found["cleanup.policy"] == "delete"


@pytest.mark.parametrize("topic", [COMMANDS, EVENTS], ids=lambda topic: topic.name)
def test_time_is_the_brokers(topic: Topic) -> None:
    found = settings_of(topic, single_broker=True)
    assert found["message.timestamp.type"] == "LogAppendTime"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_on_one_broker_facts_are_on_disk_before_they_are_acknowledged(topic: Topic) -> None:
    flushed = settings_of(topic, single_broker=True).get("flush.messages")
    assert flushed == ("1" if topic in (COMMANDS, EVENTS) else None)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_in_a_cluster_two_replicas_have_it_and_no_stale_one_ever_leads(topic: Topic) -> None:
    found = settings_of(topic, single_broker=False)
    assert found["min.insync.replicas"] == "2"
    assert found["unclean.leader.election.enable"] == "false"
    assert "flush.messages" not in found


@pytest.mark.parametrize(
    ("topic", "days"),
    [
        (COMMANDS, 30),
        (RUN_REQUESTS, 7),
        (RUN_DISPATCH, 7),
        (RUN_RESULTS, 1),
        (NOTIFICATIONS, 7),
    ],
)
def test_the_others_are_kept_for_days(topic: Topic, days: int) -> None:
    assert settings_of(topic, single_broker=True)["retention.ms"] == str(days * DAY)


def test_a_batch_of_the_owner_fits() -> None:
    assert int(EVENTS.settings["max.message.bytes"]) >= BATCH_BYTES_MAX


def test_partitions_of_production_spread_evenly_over_owners() -> None:
    assert all(PARTITIONS_PRODUCTION % owners == 0 for owners in (1, 2, 3, 4, 6, 8, 12))
