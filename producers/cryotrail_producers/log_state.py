"""What tells whether a log still holds what it acknowledged: which log it is, where it ends, and
what lies where our newest records were put.

A cut tail that others have filled since ends where it should. But what lies there now is not ours,
and since a cut takes everything from some offset on, the newest record of a partition speaks for
all before it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, OffsetOutOfRangeError, TopicAuthorizationFailedError

from cryotrail_producers.errors import TransportUnavailable
from cryotrail_producers.kafka_clients import KafkaConnection, admin, consumer
from cryotrail_producers.outbox.drain import LastAcknowledged
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.topics import MAX_MESSAGE_BYTES

_log = logging.getLogger(__name__)

_REQUEST_TIMEOUT_MS = 5000
_READ_BACK_S = 5.0


class LogState(NamedTuple):
    """The log of a topic at one moment."""

    topic_id: str
    """Another one after the topic was deleted and made anew, and on another cluster."""
    ends: dict[int, int]
    """Per partition, the offset that its next record gets."""
    found: Mapping[int, str | None]
    """Per partition that was asked for, the event id of the record at that offset, None = a record
    without one; no entry where nothing could be read, which says nothing."""

    def lacks(
        self, topic_id: str | None, acknowledged: Mapping[int, LastAcknowledged]
    ) -> str | None:
        """Why this log cannot hold what was acknowledged, by partition; None when it can."""
        if topic_id != self.topic_id:
            return "it was made anew, or lies on another cluster"
        for part, (offset, event_id) in acknowledged.items():
            end = self.ends.get(part, 0)
            if end <= offset:
                return f"partition {part} ends at {end}, yet {offset} was acknowledged"
            if part in self.found and self.found[part] != str(event_id):
                return f"partition {part} holds another record at {offset} than was acknowledged"
        return None


def kafka_log_state(
    connection: KafkaConnection, topic: str, offsets: Mapping[int, int]
) -> LogState:
    """Ask the cluster, over connections of its own.

    :param offsets: where to look what lies there, by partition.
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
            positions = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
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
    ends = {partition.partition: position.offset for partition, position in positions.items()}
    there = {part: offset for part, offset in offsets.items() if offset < ends.get(part, 0)}
    found = _read_back(connection, topic, there) if there else {}
    return LogState(str(described["topic_id"]), ends, found)


def _read_back(
    connection: KafkaConnection, topic: str, offsets: Mapping[int, int]
) -> dict[int, str | None]:
    """The event ids at those offsets, as far as they can be read."""
    found: dict[int, str | None] = {}
    wanted = {TopicPartition(topic, part): offset for part, offset in offsets.items()}
    tuning = {"max_partition_fetch_bytes": 2 * MAX_MESSAGE_BYTES}
    with closing(consumer(connection, **tuning)) as client:
        client.assign(list(wanted))
        for partition, offset in wanted.items():
            client.seek(partition, offset)
        deadline = time.monotonic() + _READ_BACK_S
        while len(found) < len(wanted) and time.monotonic() < deadline:
            try:
                for partition, records in client.poll(timeout_ms=200).items():
                    if partition.partition not in found:
                        found[partition.partition] = read_delivery(records[0].headers).event_id
                        client.pause(partition)
            except (TopicAuthorizationFailedError, OffsetOutOfRangeError) as error:
                # A client that may only write, or a log whose beginning was deleted on purpose.
                _log.info("what the topic %s holds cannot be compared: %s", topic, error)
                break
            except KafkaError as error:
                raise TransportUnavailable(
                    f"the Kafka cluster at {connection.bootstrap} does not give back what the "
                    f"topic {topic} holds: {error}",
                    hint="is the cluster up?",
                ) from error
    return found
