"""Taking over partitions: claim them, check that their logs are those recorded, say what is lost."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cryotrail_audit.records import Administrative, IncomingBatch, PartitionProgress, Position
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import Lineage, TopicPartition
from cryotrail_consumers.errors import LogDamaged
from cryotrail_consumers.reading.source import Extent, LogReader, RecordSource
from cryotrail_consumers.recording.continuity import (
    TOPIC_REPLACED,
    Continuation,
    continuation,
    first_continuation,
    is_replaced,
)
from cryotrail_producers.personal_cipher import RecordCipher

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
    recorded_below: int
    """Below this offset records may be recorded already: ahead of ``next_offset`` after a reset."""

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
    held_up: Collection[TopicPartition]
    """Partitions left alone, because their log is damaged where they stand."""
    alarm_count: int
    """Loss alarms that were written."""


class _Claim(NamedTuple):
    topic_id: int
    epoch: int


class _Finding(NamedTuple):
    """What the store and the log say of a partition."""

    position: Position | None
    """As far as the partition was ever recorded."""
    extent: Extent
    continuation: Continuation


def take_over(
    store: AuditStore,
    source: RecordSource,
    partitions: Collection[TopicPartition],
    owner: str,
    records: RecordCipher | None = None,
    *,
    suspect_damage: bool = False,
) -> Takeover:
    """Claim partitions and find out where to go on in each.

    The claim comes first: from then on nobody else can move the positions that are read next.
    Where a log is not the one that was recorded, a loss alarm and the partition's new incarnation
    are appended in one transaction, before any record of it.

    :param records: opens sealed quarantined records, to compare them with what Kafka holds.
    :param suspect_damage: try each log where it goes on, and leave those alone that are damaged
        there: one of them would keep the source from reading all the others.
    :raises SourceInterrupted: a log could not be read; retriable.
    :raises AuditError: as the store's methods.
    """
    claims = _claim(store, source, partitions, owner)
    findings: dict[TopicPartition, _Finding] = {}
    held_up: list[TopicPartition] = []
    with source.reader() as reader:
        for partition, extent in reader.extents(claims.keys()).items():
            try:
                findings[partition] = _find(store, source, partition, extent, reader, records)
                if suspect_damage:
                    _try_to_read(partition, findings[partition], reader)
            except LogDamaged as damaged:
                if not suspect_damage:
                    raise
                _log.error("%s is held up: %s", partition, damaged)
                findings.pop(partition, None)
                held_up.append(partition)
    owned = {
        partition: _owned(source, partition, claims[partition], finding)
        for partition, finding in findings.items()
    }
    alarm_count = _raise_alarms(store, source, owner, owned, findings)
    return Takeover(owned, held_up, alarm_count)


def _claim(
    store: AuditStore, source: RecordSource, partitions: Collection[TopicPartition], owner: str
) -> dict[TopicPartition, _Claim]:
    claims = {}
    for name in sorted({partition.topic for partition in partitions}):
        topic_uuid = source.topics[name].topic_uuid
        topic_id = store.register_topic(source.cluster_id, topic_uuid, name)
        parts = sorted(one.partition for one in partitions if one.topic == name)
        for part, epoch in store.claim(owner, topic_id, parts).items():
            claims[TopicPartition(name, part)] = _Claim(topic_id, epoch)
    return claims


def _find(
    store: AuditStore,
    source: RecordSource,
    partition: TopicPartition,
    extent: Extent,
    reader: LogReader,
    records: RecordCipher | None,
) -> _Finding:
    """Compare the log of a partition with what is recorded of it."""
    position = store.position(*partition)
    if position is None:
        return _Finding(position, extent, first_continuation(extent))
    if is_replaced(position, source.cluster_id, source.topics[partition.topic]):
        begun_anew = first_continuation(extent)._replace(loss=TOPIC_REPLACED)
        return _Finding(position, extent, begun_anew)
    furthest = store.furthest_position(position)
    found = continuation(furthest, partition, extent, reader, store, records)
    if found.loss is None and 0 < found.offset == extent.start:
        _log.info("%s: all that is recorded has been deleted from Kafka", partition)
    elif found.loss is None and position.next_offset < furthest.next_offset:
        # Reset back: the log is the one recorded up to the furthest position, so it is below too.
        found = found._replace(offset=max(position.next_offset, extent.start))
    return _Finding(furthest, extent, found)


def _try_to_read(partition: TopicPartition, finding: _Finding, reader: LogReader) -> None:
    offset = finding.continuation.offset
    if offset < finding.extent.end:
        next(iter(reader.records(partition, Extent(offset, offset + 1))), None)


def _owned(
    source: RecordSource, partition: TopicPartition, claim: _Claim, finding: _Finding
) -> OwnedPartition:
    sighting = source.topics[partition.topic]
    incarnation = recorded_below = 0
    if finding.position is not None:
        incarnation = finding.position.incarnation + bool(finding.continuation.loss)
        recorded_below = 0 if finding.continuation.loss else finding.position.next_offset
    return OwnedPartition(
        lineage=Lineage(
            cluster_id=source.cluster_id,
            topic_uuid=sighting.topic_uuid,
            topic_id=claim.topic_id,
            partition=partition.partition,
            incarnation=incarnation,
        ),
        partition_count=len(sighting.leader_epochs),
        epoch=claim.epoch,
        next_offset=finding.continuation.offset,
        recorded_below=recorded_below,
    )


def _raise_alarms(
    store: AuditStore,
    source: RecordSource,
    owner: str,
    owned: Mapping[TopicPartition, OwnedPartition],
    findings: Mapping[TopicPartition, _Finding],
) -> int:
    """Say in the log what is lost, and begin the new incarnations; returns how many."""
    lost = {one: finding for one, finding in findings.items() if finding.continuation.loss}
    if not lost:
        return 0
    # The logs that were just read may have become others meanwhile.
    source.confirm()
    begun, alarms = [], []
    for partition, finding in lost.items():
        offset, last_record_hash, _loss = finding.continuation
        begun.append(owned[partition].progress(offset, offset, 0, last_record_hash))
        alarm = _alarm(partition, owned[partition].lineage, finding)
        _log.error("records are lost from Kafka: %s", alarm)
        alarms.append(Administrative(LOSS_ALARM, alarm))
    store.append(IncomingBatch((), begun, alarms, owner))
    return len(alarms)


def _alarm(partition: TopicPartition, lineage: Lineage, finding: _Finding) -> dict[str, Any]:
    position, extent, found = finding
    return {
        "loss": found.loss,
        "topic": partition.topic,
        "partition": partition.partition,
        "cluster_id": lineage.cluster_id,
        "topic_uuid": str(lineage.topic_uuid),
        "incarnation": lineage.incarnation,
        "log_start": extent.start,
        "log_end": extent.end,
        "resumed_at": found.offset,
        "expected_cluster_id": position.cluster_id if position else None,
        "expected_topic_uuid": str(position.topic_uuid) if position else None,
        "expected_offset": position.next_offset if position else 0,
    }
