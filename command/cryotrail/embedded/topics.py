"""The topics: created as designed on any cluster; one that differs is reported, not changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError

from cryotrail.embedded.errors import TopicsRefused
from cryotrail_producers.kafka_clients import KafkaConnection, admin
from cryotrail_schemas.topics import (
    DEAD_LETTERS,
    EVENT_TOPICS,
    MAX_DEAD_LETTER_BYTES,
    MAX_MESSAGE_BYTES,
    PARTITION_COUNT,
)


class _Shape(NamedTuple):
    partition_count: int
    max_message_bytes: int


_SHAPES = dict.fromkeys(EVENT_TOPICS, _Shape(PARTITION_COUNT, MAX_MESSAGE_BYTES)) | {
    DEAD_LETTERS: _Shape(1, MAX_DEAD_LETTER_BYTES)
}


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


def topic_configuration(topic: str, *, flush_each_message: bool) -> dict[str, str]:
    """The designed configuration of a topic.

    ``retention.ms=-1``: retention follows the records' timestamps, so any limit would delete what
    was recorded late. ``flush_each_message`` is for a single node without a battery or replica
    behind it: an acknowledged record is then on disk.
    """
    configuration = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "max.message.bytes": str(_SHAPES[topic].max_message_bytes),
    }
    if flush_each_message:
        configuration["flush.messages"] = "1"
    return configuration


def ensure_topics(
    connection: KafkaConnection,
    *,
    flush_each_message: bool = False,
    topics: Sequence[str] = EVENT_TOPICS,
) -> TopicsOutcome:
    """Create the topics that are missing and compare those that exist.

    An existing topic is never changed: another partition count would move procedures between
    partitions, and its configuration may be its operator's decision. Safe to call at once from
    several processes. Returns when every created partition has a leader.

    :raises TopicsRefused: the cluster refused to create or describe them.
    :raises KafkaUnreachable: no broker answers; retriable.
    """
    designed = {
        topic: topic_configuration(topic, flush_each_message=flush_each_message) for topic in topics
    }
    client = admin(connection)
    try:
        present = set(client.list_topics())
        created = tuple(t for t in topics if t not in present and _create(client, t, designed[t]))
        client.wait_for_topics(topics)
        existing = {t: designed[t] for t in topics if t not in created}
        return TopicsOutcome(created, tuple(_differences(client, existing)))
    except KafkaError as error:
        raise TopicsRefused(
            f"the cluster at {connection.bootstrap} refused the topics: {error}",
            hint="creating them needs the rights CREATE and DESCRIBE_CONFIGS on "
            f"{' and '.join(topics)}",
        ) from error
    finally:
        client.close()


def _create(client: Any, topic: str, configuration: Mapping[str, str]) -> bool:
    """Create one topic; False when another process did so first."""
    count = _SHAPES[topic].partition_count
    wanted = {"num_partitions": count, "configs": dict(configuration)}
    try:
        client.create_topics({topic: wanted})
    except TopicAlreadyExistsError:
        return False
    return True


def _differences(client: Any, topics: Mapping[str, Mapping[str, str]]) -> Iterator[TopicDifference]:
    """What is otherwise than designed: ``topics`` is the configuration of each."""
    if not topics:
        return
    for description in client.describe_topics(list(topics)):
        name, count = description["name"], len(description["partitions"])
        wanted = _SHAPES[name].partition_count
        if count != wanted:
            yield TopicDifference(name, "partitions", str(wanted), str(count))
    resources = [ConfigResource("TOPIC", topic) for topic in topics]
    found = client.describe_configs(resources, config_filter="all")["topic"]
    for topic, configuration in topics.items():
        for name, designed in configuration.items():
            value = str(found[topic][name]["value"])
            if value != designed:
                yield TopicDifference(topic, name, designed, value)
