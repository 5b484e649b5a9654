"""Deleting from Kafka what the audit store has recorded, and nothing above it.

Kafka is the way, not the archive: once a record is in the store its copy there only has to be kept
for as long as somebody may want to read it again. Records below a partition's recorded position
are deleted; the recorder accepts a log that begins there. A record that a reset left unread is in no
store: nothing is deleted from it on.

Kafka moves the log's start at once, so nobody reads those records any more. Their bytes leave its
disks with the segment that holds them: when it is closed (``segment.ms``, ``segment.bytes``) and
the broker's next retention check comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, Literal, NamedTuple

from kafka.structs import TopicPartition as KafkaTopicPartition

from cryotrail_audit.records import Position
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import LogDamaged
from cryotrail_consumers.reading.kafka_errors import translated
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.kafka_sighting import KafkaSighting
from cryotrail_consumers.reading.source import Extent
from cryotrail_consumers.recording.continuity import continuation, is_replaced
from cryotrail_producers.kafka_clients import KafkaConnection, admin
from cryotrail_producers.personal_cipher import RecordCipher

Outcome = Literal[
    "trimmed", "would trim", "nothing to trim", "empty", "not recorded", "not the same log"
]


class PartitionTrim(NamedTuple):
    """What was done to one partition."""

    topic: str
    partition: int
    outcome: Outcome
    log_start: int
    """First offset before."""
    recorded: int | None
    """Everything below this offset is recorded. None = never recorded."""
    log_end: int
    deleted: int
    """Offsets deleted, or that would be."""


def trim_through_recorded(
    connection: KafkaConnection,
    store: AuditStore,
    topics: Sequence[str],
    records: RecordCipher | None = None,
    *,
    dry_run: bool = False,
) -> list[PartitionTrim]:
    """Delete the records of each partition that lie below its recorded position.

    A partition whose log is not the one that was recorded (another cluster, a topic that was
    re-created, a tail that was cut or written anew) is left alone, all of it: what stands in it may
    be recorded nowhere.

    :param records: opens sealed quarantined records, to compare them with what Kafka holds.
    :raises KafkaAccessRefused: deleting needs the right DELETE on the topic.
    :raises SourceInterrupted: the cluster does not answer, or a topic changed meanwhile; what was
        deleted is deleted, and the call may be repeated.
    """
    done = []
    with (
        closing(KafkaSighting(connection, topics)) as sighting,
        closing(KafkaLogReader(connection)) as reader,
    ):
        partitions = [
            TopicPartition(name, part)
            for name, topic in sighting.topics.items()
            for part in sorted(topic.leader_epochs)
        ]
        for partition, extent in reader.extents(partitions).items():
            position = store.position(*partition)
            outcome = _outcome(sighting, partition, extent, position, reader, store, records)
            below = None if position is None else position.next_offset
            if position is not None and outcome == "would trim":
                below = _recorded_below(position, partition, extent, reader, store)
                outcome = outcome if below > extent.start else "nothing to trim"
            done.append(_described(partition, extent, below, outcome))
        due = {
            KafkaTopicPartition(one.topic, one.partition): one.recorded
            for one in done
            if one.outcome == "would trim"
        }
        if due and not dry_run:
            # The topics that were compared may have become others meanwhile.
            sighting.confirm()
            _delete(connection, due)
            done = [
                one._replace(outcome="trimmed") if one.outcome == "would trim" else one
                for one in done
            ]
    return done


def _outcome(
    sighting: KafkaSighting,
    partition: TopicPartition,
    extent: Extent,
    position: Position | None,
    reader: KafkaLogReader,
    store: AuditStore,
    records: RecordCipher | None,
) -> Outcome:
    if position is None:
        return "not recorded" if extent.end > extent.start else "empty"
    if is_replaced(position, sighting.cluster_id, sighting.topics[partition.topic]):
        return "not the same log"
    if continuation(position, partition, extent, reader, store, records).loss is not None:
        return "not the same log"
    return "would trim" if position.next_offset > extent.start else "nothing to trim"


def _recorded_below(
    position: Position,
    partition: TopicPartition,
    extent: Extent,
    reader: KafkaLogReader,
    store: AuditStore,
) -> int:
    """The first offset whose record a reset left unread, else the position.

    Kafka's copy of it is the only one.
    """
    place = (position.topic_id, position.part, position.incarnation)
    for skip in sorted(store.skips(position)):
        known = store.known_offsets(*place, skip.first, skip.end - 1)
        unread = Extent(max(skip.first, extent.start), min(skip.end, position.next_offset))
        if unread.start >= unread.end:
            continue
        try:
            for record in reader.records(partition, unread):
                if record.offset not in known:
                    return record.offset
        except LogDamaged:
            return unread.start
    return position.next_offset


def _described(
    partition: TopicPartition, extent: Extent, recorded: int | None, outcome: Outcome
) -> PartitionTrim:
    deleted = recorded - extent.start if outcome == "would trim" and recorded is not None else 0
    return PartitionTrim(*partition, outcome, extent.start, recorded, extent.end, deleted)


def _delete(connection: KafkaConnection, below: dict[Any, int | None]) -> None:
    with (
        translated("deleting records", connection.bootstrap),
        closing(admin(connection)) as client,
    ):
        client.delete_records(below)
