"""What tells whether a log can still hold what it acknowledged: which log it is, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from cryotrail_producers.errors import TransportUnavailable
from cryotrail_producers.kafka_clients import KafkaConnection, admin

_REQUEST_TIMEOUT_MS = 5000


class LogState(NamedTuple):
    """The log of a topic at one moment."""

    topic_id: str
    """Another one after the topic was deleted and made anew, and on another cluster."""
    ends: dict[int, int]
    """Per partition, the offset that its next record gets."""

    def lacks(self, topic_id: str | None, acknowledged: Mapping[int, int]) -> str | None:
        """Why this log cannot hold those offsets, acknowledged by partition; None when it can."""
        if topic_id != self.topic_id:
            return "it was made anew, or lies on another cluster"
        for part, offset in acknowledged.items():
            end = self.ends.get(part, 0)
            if end <= offset:
                return f"partition {part} ends at {end}, yet {offset} was acknowledged"
        return None


def kafka_log_state(connection: KafkaConnection, topic: str) -> LogState:
    """Ask the cluster, over a connection of its own.

    :raises TransportUnavailable: the topic is missing, or the cluster gives no answer.
    :raises KafkaUnreachable: no broker answers.
    :raises KafkaAccessRefused: the cluster refused the credentials.
    """
    with closing(admin(connection, request_timeout_ms=_REQUEST_TIMEOUT_MS)) as client:
        try:
            (described,) = client.describe_topics([topic])
            partitions = [
                TopicPartition(topic, one["partition_index"]) for one in described["partitions"]
            ]
            found = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        except KafkaError as error:
            raise TransportUnavailable(
                f"the Kafka cluster at {connection.bootstrap} does not tell where the topic "
                f"{topic} ends: {error}",
                hint="is the cluster up, and may this client describe the topic?",
            ) from error
    if described["error_code"] != 0 or not partitions:
        raise TransportUnavailable(
            f"the Kafka cluster at {connection.bootstrap} does not answer for the topic {topic}",
            hint="was the topic created, and may this client describe it?",
        )
    ends = {partition.partition: position.offset for partition, position in found.items()}
    return LogState(str(described["topic_id"]), ends)
