"""Reading again what was read before, after a position was reset: what is recorded is passed over.

A record is known by its coordinates, so none of it is decoded a second time. The log was compared
with what is recorded when the partition was taken over, so the same offset is the same record.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import record_hash
from cryotrail_consumers.reading.source import SourceRecord
from cryotrail_consumers.recording.assignment import OwnedPartition
from cryotrail_schemas.personal import parse_sealed


def without_known(
    store: AuditStore, taken: OwnedPartition, records: Sequence[SourceRecord]
) -> Sequence[SourceRecord]:
    """The records of a poll that the store has at no entry and no redelivery.

    The store is asked only below what was recorded before, so it costs nothing but after a reset.
    """
    if records[0].offset >= taken.recorded_below:
        return records
    one = taken.lineage
    known = store.known_offsets(
        one.topic_id, one.partition, one.incarnation, records[0].offset, records[-1].offset
    )
    return [record for record in records if record.offset not in known]


def stored_record_hash(store: AuditStore, topic_id: int, part: int, record: SourceRecord) -> bytes:
    """The record hash of a record that may be recorded: of its bytes as they are stored.

    A sealed record's is over the sealed bytes, since one over those in clear would outlive their
    key.
    """
    recorded = store.recorded_at(topic_id, part, record.offset, record.offset).get(record.offset)
    if recorded is not None and parse_sealed(recorded[1]) is not None:
        return record_hash(*recorded)
    return record_hash(record.key, record.value)
