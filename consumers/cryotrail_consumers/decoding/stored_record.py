"""A quarantined entry as the record that Kafka gave, to be decoded once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import QUARANTINED, Entry, StoredTopic
from cryotrail_consumers.coordinates import Lineage
from cryotrail_consumers.decoding.headers import unpack_headers
from cryotrail_consumers.errors import KeyMissing
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.personal import parse_sealed


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """What a client library gave once; see :class:`~cryotrail_consumers.reading.source.SourceRecord`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def stored_record(entry: Entry, records: RecordCipher | None) -> StoredRecord:
    """The record of a quarantined entry, its bytes opened where they are sealed.

    :raises AuditError: the entry is not in quarantine.
    :raises KeyMissing: its bytes cannot be opened here.
    """
    if entry.kind != QUARANTINED:
        raise AuditError(
            f"entry {entry.seq} is not in quarantine", hint="cryotrail audit quarantine list"
        )
    return replace(stored_bytes(entry), value=_opened(entry, records))


def stored_bytes(entry: Entry) -> StoredRecord:
    """The record of an entry as the store keeps it: a value that is sealed stays sealed."""
    assert entry.kafka_offset is not None  # all but administrative entries come from Kafka
    timestamp = entry.kafka_timestamp_ms
    return StoredRecord(
        offset=entry.kafka_offset,
        timestamp=-1 if timestamp is None else timestamp,
        key=entry.kafka_key,
        value=entry.raw,
        headers=unpack_headers(entry.kafka_headers),
    )


def lineage_of(entry: Entry, topics: Mapping[int, StoredTopic]) -> Lineage:
    """Where the record of an entry stood in Kafka."""
    assert entry.topic_id is not None and entry.part is not None and entry.incarnation is not None
    topic = topics[entry.topic_id]
    return Lineage(
        topic.cluster_id, topic.topic_uuid, entry.topic_id, entry.part, entry.incarnation
    )


def _opened(entry: Entry, records: RecordCipher | None) -> bytes | None:
    if parse_sealed(entry.raw) is None:
        return entry.raw
    try:
        value = None if records is None else records.open(entry.raw)
    except ValueError as error:
        raise AuditError(f"the bytes of entry {entry.seq} are not those sealed: {error}") from error
    if value is None:
        raise KeyMissing(
            f"the bytes of entry {entry.seq} are sealed, and their key is not here",
            hint="run this where the keys are; a key that was destroyed comes back nowhere",
        )
    return value
