"""Taking over partitions: claim them, check that their logs are those recorded, say what is lost."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryotrail_audit.records import Administrative, IncomingBatch, PartitionProgress, Position
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.continuity import (
    TOPIC_REPLACED,
    Continuation,
    continuation,
    first_continuation,
)
from cryotrail_consumers.coordinates import Lineage, TopicPartition
from cryotrail_consumers.source import Extent, LogReader, RecordSource

_log = logging.getLogger(__name__)

LOSS_ALARM: Final = "loss_alarm"
"""Event type of the entry that says that Kafka no longer holds what it held."""


@dataclass(frozen=True, slots=True)
class OwnedPartition:
    """A partition that this recorder has claimed, and where it goes on in it."""

    lineage: Lineage
    partition_count: int
    """Of its topic."""
    epoch: int
    next_offset: int

    def progress(
        self, first_offset: int, next_offset: int, record_count: int, last_record_hash: bytes
    ) -> PartitionProgress:
        """What a transaction says about this partition."""
        return PartitionProgress(
            self.lineage.topic_id,
            self.lineage.partition,
            self.lineage.incarnation,
            self.epoch,
            first_offset,
            next_offset,
            record_count,
            last_record_hash,
        )


@dataclass(frozen=True, slots=True)
class Takeover:
    """What was taken over, and what it cost."""

    owned: Mapping[TopicPartition, OwnedPartition]
    alarm_count: int
    """Loss alarms that were written."""


def take_over(
    store: AuditStore, source: RecordSource, partitions: Collection[TopicPartition], owner: str
) -> Takeover:
    """Claim partitions and find out where to go on in each.

    The claim comes first: from then on nobody else can move the positions that are read next.
    Where a log is not the one that was recorded, a loss alarm and the partition's new incarnation
    are appended in one transaction, before any record of it.

    :raises SourceInterrupted: a log could not be read; retriable.
    :raises AuditError: as the store's methods.
    """
    owned: dict[TopicPartition, OwnedPartition] = {}
    resumed: list[PartitionProgress] = []
    alarms: list[Administrative] = []
    claims = _claim(store, source, partitions, owner)
    with source.reader() as reader:
        extents = reader.extents(partitions)
        for partition, (topic_id, epoch) in claims.items():
            sighting = source.topics[partition.topic]
            extent = extents[partition]
            position = store.position(*partition)
            found = _continuation(store, source, partition, position, extent, reader)
            incarnation = 0 if position is None else position.incarnation + bool(found.loss)
            lineage = Lineage(
                source.cluster_id, sighting.topic_uuid, topic_id, partition.partition, incarnation
            )
            taken = OwnedPartition(lineage, len(sighting.leader_epochs), epoch, found.offset)
            owned[partition] = taken
            if found.loss is not None:
                resumed.append(
                    taken.progress(found.offset, found.offset, 0, found.last_record_hash)
                )
                alarms.append(_alarm(partition, taken, position, extent, found))
    if alarms:
        # The log that was just read may have become another one meanwhile.
        source.confirm()
        for alarm in alarms:
            _log.error("records are lost from Kafka: %s", dict(alarm.payload))
        store.append(IncomingBatch((), resumed, alarms, owner))
    return Takeover(owned, len(alarms))


def _claim(
    store: AuditStore, source: RecordSource, partitions: Collection[TopicPartition], owner: str
) -> dict[TopicPartition, tuple[int, int]]:
    """The store's id of the topic and the new epoch of each partition."""
    claims = {}
    for name in sorted({partition.topic for partition in partitions}):
        topic_uuid = source.topics[name].topic_uuid
        topic_id = store.register_topic(source.cluster_id, topic_uuid, name)
        parts = sorted(one.partition for one in partitions if one.topic == name)
        for part, epoch in store.claim(owner, topic_id, parts).items():
            claims[TopicPartition(name, part)] = (topic_id, epoch)
    return claims


def _continuation(
    store: AuditStore,
    source: RecordSource,
    partition: TopicPartition,
    position: Position | None,
    extent: Extent,
    reader: LogReader,
) -> Continuation:
    if position is None:
        return first_continuation(extent)
    topic_uuid = source.topics[partition.topic].topic_uuid
    if (position.cluster_id, position.topic_uuid) != (source.cluster_id, topic_uuid):
        return first_continuation(extent)._replace(loss=TOPIC_REPLACED)
    found = continuation(position, partition, extent, reader, store)
    if found.loss is None and 0 < found.offset == extent.start:
        _log.info("%s: all that is recorded has been deleted from Kafka", partition)
    return found


def _alarm(
    partition: TopicPartition,
    taken: OwnedPartition,
    position: Position | None,
    extent: Extent,
    found: Continuation,
) -> Administrative:
    payload: dict[str, Any] = {
        "loss": found.loss,
        "topic": partition.topic,
        "partition": partition.partition,
        "cluster_id": taken.lineage.cluster_id,
        "topic_uuid": str(taken.lineage.topic_uuid),
        "incarnation": taken.lineage.incarnation,
        "log_start": extent.start,
        "log_end": extent.end,
        "resumed_at": found.offset,
        "expected_cluster_id": position.cluster_id if position else None,
        "expected_topic_uuid": str(position.topic_uuid) if position else None,
        "expected_offset": position.next_offset if position else 0,
    }
    return Administrative(LOSS_ALARM, payload)
