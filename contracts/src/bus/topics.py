"""Topics as they should be: created with their settings, and found as they are."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from contracts.topics import TOPICS, Topic, settings_of

_CREATED_WITHIN_S = 10  # metadata of a new topic reaches a healthy broker far sooner


class TopicError(RuntimeError):
    """A topic is not what this version of Scrip needs; says which and what to do."""


async def ensure_topics(
    bootstrap: str,
    *,
    partitions: int,
    single_broker: bool,
    prefix: str = "",
    topics: tuple[Topic, ...] = TOPICS,
) -> None:
    """Create what is missing and wait until it can be used; what is there stays untouched.

    Raises TopicError where a topic exists with another number of partitions.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    await admin.start()
    try:
        wanted = [
            NewTopic(
                prefix + topic.name,
                partitions,
                1 if single_broker else 3,
                topic_configs=settings_of(topic, single_broker=single_broker),
            )
            for topic in topics
        ]
        response = await admin.create_topics(wanted)
        for name, code, *_ in response.topic_errors:
            if code and not issubclass(for_code(code), TopicAlreadyExistsError):
                raise TopicError(f"topic {name} could not be created: {for_code(code).__name__}")
        await _all_there(admin, [topic.name for topic in wanted], partitions)
    finally:
        await admin.close()


async def partitions_of(bootstrap: str, topic: str) -> int:
    """How many partitions a topic has; raises TopicError when it does not exist."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return len((await _described(admin, topic)).get("partitions", ()))
    finally:
        await admin.close()


async def _all_there(admin: AIOKafkaAdminClient, names: list[str], partitions: int) -> None:
    async with asyncio.timeout(_CREATED_WITHIN_S):
        for name in names:
            while True:
                try:
                    found = await _described(admin, name)
                except TopicError:
                    await asyncio.sleep(0.02)
                    continue
                leaders = [p for p in found["partitions"] if p["leader"] >= 0]
                if len(found["partitions"]) != partitions:
                    raise TopicError(
                        f"topic {name} has {len(found['partitions'])} partitions, not {partitions}:"
                        " their number is part of the ledger's meaning and cannot be changed"
                    )
                if len(leaders) == partitions:
                    break
                await asyncio.sleep(0.02)


async def _described(admin: AIOKafkaAdminClient, name: str) -> dict[str, list[dict[str, int]]]:
    (found,) = await admin.describe_topics([name])
    if found["error_code"]:
        raise TopicError(
            f"topic {name}: {for_code(found['error_code']).__name__};"
            " create the topics first: scrip contracts topics"
        )
    described: dict[str, list[dict[str, int]]] = found
    return described
