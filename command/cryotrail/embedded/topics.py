"""The two topics: created as designed on any cluster; one that differs is reported, not changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError

from cryotrail.embedded.errors import TopicsRefused
from cryotrail_producers.kafka_clients import KafkaConnection, admin
from cryotrail_schemas.topics import (
    MAX_MESSAGE_BYTES,
    PARTITION_COUNT,
    PROBE_TELEMETRY,
    PROCEDURE_EVENTS,
)

TOPICS = (PROCEDURE_EVENTS, PROBE_TELEMETRY)


class TopicDifference(NamedTuple):
    """One property of an existing topic that is not as designed."""

    topic: str
    property: str
    designed: str
    found: str


class TopicsOutcome(NamedTuple):
    """What :func:`ensure_topics` did and found."""

    created: tuple[str, ...]
    differences: tuple[TopicDifference, ...]


def topic_configuration(*, flush_each_message: bool) -> dict[str, str]:
    """The designed configuration of either topic.

    ``retention.ms=-1``: retention follows the records' timestamps, so any limit would delete what
    was recorded late. ``flush_each_message`` is for a single node without a battery or replica
    behind it: an acknowledged record is then on disk.
    """
    configuration = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }
    if flush_each_message:
        configuration["flush.messages"] = "1"
    return configuration


def ensure_topics(
    connection: KafkaConnection, *, flush_each_message: bool = False
) -> TopicsOutcome:
    """Create the topics that are missing and compare those that exist.

    An existing topic is never changed: another partition count would move procedures between
    partitions, and its configuration may be its operator's decision. Safe to call at once from
    several processes. Returns when every created partition has a leader.

    :raises TopicsRefused: the cluster refused to create or describe them.
    :raises KafkaUnreachable: no broker answers; retriable.
    """
    configuration = topic_configuration(flush_each_message=flush_each_message)
    client = admin(connection)
    try:
        present = set(client.list_topics())
        created = tuple(t for t in TOPICS if t not in present and _create(client, t, configuration))
        client.wait_for_topics(TOPICS)
        existing = [topic for topic in TOPICS if topic not in created]
        return TopicsOutcome(created, tuple(_differences(client, existing, configuration)))
    except KafkaError as error:
        raise TopicsRefused(
            f"the cluster at {connection.bootstrap} refused the topics: {error}",
            hint="creating them needs the rights CREATE and DESCRIBE_CONFIGS on both topics",
        ) from error
    finally:
        client.close()


def _create(client: Any, topic: str, configuration: Mapping[str, str]) -> bool:
    """Create one topic; False when another process did so first."""
    wanted = {"num_partitions": PARTITION_COUNT, "configs": dict(configuration)}
    try:
        client.create_topics({topic: wanted})
    except TopicAlreadyExistsError:
        return False
    return True


def _differences(
    client: Any, topics: list[str], configuration: Mapping[str, str]
) -> Iterator[TopicDifference]:
    if not topics:
        return
    for description in client.describe_topics(topics):
        count = len(description["partitions"])
        if count != PARTITION_COUNT:
            name = description["name"]
            yield TopicDifference(name, "partitions", str(PARTITION_COUNT), str(count))
    resources = [ConfigResource("TOPIC", topic) for topic in topics]
    found = client.describe_configs(resources, config_filter="all")["topic"]
    for topic in topics:
        for name, designed in configuration.items():
            value = str(found[topic][name]["value"])
            if value != designed:
                yield TopicDifference(topic, name, designed, value)
