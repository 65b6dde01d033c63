"""`scrip contracts topics` on a real broker: creates what is missing, touches nothing else."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from cli.contracts import app
from contracts.topics import EVENTS, TOPICS
from typer.testing import CliRunner


def _call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["topics", *words])
    return done.exit_code, done.output


async def _settings(bootstrap: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        (answer,) = await admin.describe_configs([resource])
        ((_, _, _, _, entries),) = answer.resources
        return {entry[0]: entry[1] for entry in entries}
    finally:
        await admin.close()


def test_topics_are_created_once_with_their_settings(bootstrap: str, topic_prefix: str) -> None:
    where = ("--bootstrap", bootstrap, "--prefix", topic_prefix, "--partitions", "3")
    code, text = _call(*where)
    assert code == 0, text
    assert text.splitlines() == [f"{topic_prefix}{topic.name}  3 partitions" for topic in TOPICS]
    found = asyncio.run(_settings(bootstrap, topic_prefix + EVENTS.name))
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["retention.ms"] == "-1"
    assert found["flush.messages"] == "1"
    assert _call(*where) == (0, text)


def test_another_number_of_partitions_is_refused(bootstrap: str, topic_prefix: str) -> None:
    where = ("--bootstrap", bootstrap, "--prefix", topic_prefix)
    assert _call(*where)[0] == 0
    code, text = _call(*where, "--partitions", "4")
    assert code == 5
    assert "has 2 partitions, not 4" in text


def test_without_an_address_it_says_what_to_set() -> None:
    code, text = _call("--bootstrap", "")
    assert code == 2
    assert "SCRIP_KAFKA_BOOTSTRAP" in text


def test_without_a_broker_it_says_where_it_looked() -> None:
    code, text = _call("--bootstrap", "127.0.0.1:1")
    assert code == 5
    assert "127.0.0.1:1" in text
