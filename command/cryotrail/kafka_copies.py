"""Which copies of a subject's records Kafka still holds, as far as it can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from cryotrail.embedded.connection import kafka_connection
from cryotrail.settings import Settings
from cryotrail_audit.erasure.trace import Stretch
from cryotrail_audit.records import StoredTopic
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.kafka_sighting import KafkaSighting
from cryotrail_schemas.errors import CryotrailError


class KafkaCopy(NamedTuple):
    """Records of one partition, and whether Kafka still has them."""

    topic: str
    partition: int
    record_count: int
    """How many of the subject's records the store took from it."""
    last_offset: int
    held: bool | None
    """Kafka has at least the last of them; None = it could not be asked."""


def kafka_copies(
    settings: Settings,
    topics: Mapping[int, StoredTopic],
    stretches: Mapping[tuple[int, int, int], Stretch],
) -> tuple[list[KafkaCopy], str | None]:
    """Where records came from, whether they are still there, and why that is not known."""
    starts: dict[TopicPartition, int] = {}
    identities: dict[str, tuple[str, object]] = {}
    problem = None
    names = sorted({topics[topic_id].name for topic_id, _part, _incarnation in stretches})
    try:
        if names:
            connection = kafka_connection(settings)
            with (
                closing(KafkaSighting(connection, names)) as sighting,
                closing(KafkaLogReader(connection)) as reader,
            ):
                partitions = {
                    TopicPartition(topics[topic_id].name, part)
                    for topic_id, part, _incarnation in stretches
                }
                existing = [
                    one
                    for one in partitions
                    if one.partition in sighting.topics[one.topic].leader_epochs
                ]
                extents = reader.extents(existing)
                starts = {partition: extent.start for partition, extent in extents.items()}
                identities = {
                    name: (sighting.cluster_id, topic.topic_uuid)
                    for name, topic in sighting.topics.items()
                }
    except CryotrailError as error:
        problem = str(error)
    copies = []
    for (topic_id, part, _incarnation), stretch in sorted(stretches.items()):
        topic = topics[topic_id]
        held = None
        if problem is None:
            same = identities[topic.name] == (topic.cluster_id, topic.topic_uuid)
            start = starts.get(TopicPartition(topic.name, part))
            held = same and start is not None and stretch.last_offset >= start
        copies.append(KafkaCopy(topic.name, part, stretch.record_count, stretch.last_offset, held))
    return copies, problem
