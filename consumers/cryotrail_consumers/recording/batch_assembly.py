"""What one poll brought, made ready for one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cryotrail_audit.records import IncomingRecord, PartitionProgress
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import TopicPartition, record_hash
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.sealing import with_sealed_quarantine
from cryotrail_consumers.reading.source import SourceRecord
from cryotrail_consumers.recording.assignment import OwnedPartition
from cryotrail_consumers.recording.rereading import stored_record_hash, without_known
from cryotrail_consumers.recording.schema_guard import SchemaGuard
from cryotrail_producers.personal_cipher import RecordCipher


class AssembledBatch(NamedTuple):
    """What of a poll is to be recorded."""

    records: Sequence[tuple[int, IncomingRecord]]
    """Pairs of kind and record."""
    progress: Mapping[TopicPartition, PartitionProgress]
    held_at: Mapping[TopicPartition, int]
    """Partitions that the circuit breaker stopped, and the first offset that is not to be read."""
    known: int
    """Records that were recorded before and are passed over."""


class BatchAssembly:
    """Passes over what is known, decodes the rest, asks the guard, seals what nobody could read."""

    def __init__(
        self,
        store: AuditStore,
        decoder: RecordDecoder,
        guard: SchemaGuard,
        records: RecordCipher | None,
    ) -> None:
        self._store, self._decoder, self._guard, self._records = store, decoder, guard, records

    def of(
        self,
        polled: Mapping[TopicPartition, Sequence[SourceRecord]],
        owned: Mapping[TopicPartition, OwnedPartition],
    ) -> AssembledBatch:
        """The records of the partitions that are ours.

        :raises CryotrailError: the store or the registry did not answer; retriable.
        """
        incoming: list[tuple[int, IncomingRecord]] = []
        progress: dict[TopicPartition, PartitionProgress] = {}
        held_at: dict[TopicPartition, int] = {}
        known = 0
        for partition, records in polled.items():
            taken = owned.get(partition)
            if taken is None:
                continue
            unread = without_known(self._store, taken, records)
            decoded = self._decoder.decode(unread, taken.lineage, taken.partition_count)
            # Before anything is sealed: what is held gets no key.
            admitted = self._guard.admitted(partition, decoded, time.monotonic())
            if admitted < len(unread):
                held_at[partition] = unread[admitted].offset
                records = [one for one in records if one.offset < held_at[partition]]
                unread, decoded = unread[:admitted], decoded[:admitted]
                if not records:
                    continue
            decoded = with_sealed_quarantine(decoded, self._records)
            incoming += decoded
            known += len(records) - len(unread)
            if unread and unread[-1] is records[-1]:
                # Of the bytes as they are stored: a hash of sealed ones in clear would outlive
                # their key.
                last = decoded[-1][1]
                last_hash = record_hash(last.kafka_key, last.raw)
            else:
                topic_id, part = taken.lineage.topic_id, taken.lineage.partition
                last_hash = stored_record_hash(self._store, topic_id, part, records[-1])
            progress[partition] = taken.progress(
                records[0].offset, records[-1].offset + 1, len(unread), last_hash
            )
        return AssembledBatch(incoming, progress, held_at, known)
