"""What can be done to a batch before the append lock is taken: check it and pack its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.framing import pack_tail
from cryotrail_audit.records import (
    ADMINISTRATIVE,
    EVENT,
    QUARANTINED,
    Administrative,
    IncomingBatch,
    IncomingRecord,
    PartitionProgress,
)
from cryotrail_schemas.identifiers import new_event_id

# A plain tuple: thousands are made for each batch, and a class costs ten times as much.
PreparedRecord = tuple[int, IncomingRecord, bytes]
"""Kind, record, and the record's columns packed."""


class PreparedBatch(NamedTuple):
    """A batch whose every value fits its column."""

    administrative: Sequence[PreparedRecord]
    records: Sequence[PreparedRecord]
    partitions: Sequence[PartitionProgress]
    owner: str


def prepare(batch: IncomingBatch) -> PreparedBatch:
    """Check a batch and pack it.

    :raises BatchRefused: see :meth:`AuditStore.append`.
    """
    if not (batch.records or batch.partitions or batch.administrative):
        raise BatchRefused("an empty batch says nothing", hint="append what there is, or nothing")
    _check_offsets(batch)
    return PreparedBatch(
        prepare_administrative(batch.administrative),
        [(kind, record, pack_tail(record)) for kind, record in batch.records],
        batch.partitions,
        batch.owner,
    )


def prepare_administrative(items: Sequence[Administrative]) -> list[PreparedRecord]:
    """Entries of kind 3.

    :raises BatchRefused: a payload that is not JSON.
    """
    prepared = []
    for event_type, payload in items:
        try:
            raw = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise BatchRefused(
                f"the payload of a {event_type} entry is not JSON: {error}"
            ) from error
        record = IncomingRecord(
            event_id=new_event_id().bytes,
            event_type=event_type,
            procedure_id=None,
            occurred_us=None,
            producer_id=None,
            producer_seq=None,
            procedure_seq=None,
            topic_id=None,
            part=None,
            incarnation=None,
            kafka_offset=None,
            kafka_timestamp_ms=None,
            kafka_key=None,
            kafka_headers=None,
            schema_sha256=None,
            key_id=None,
            signing_key_id=None,
            signature=None,
            reason=None,
            source_seq=None,
            raw=raw,
            content_hash=sha256(raw).digest(),
        )
        prepared.append((ADMINISTRATIVE, record, pack_tail(record)))
    return prepared


def _check_offsets(batch: IncomingBatch) -> None:
    """Every record lies within what the batch says of its partition, in ascending order."""
    last: dict[tuple[int | None, int | None, int | None], int] = {}
    key: tuple[int | None, int | None, int | None]
    for progress in batch.partitions:
        key = (progress.topic_id, progress.part, progress.incarnation)
        if key in last or progress.next_offset < progress.first_offset:
            raise BatchRefused(
                f"{_named(*key)} is given twice, or with next_offset {progress.next_offset}"
                f" below first_offset {progress.first_offset}"
            )
        last[key] = progress.first_offset - 1
    for kind, record in batch.records:
        if kind not in (EVENT, QUARANTINED):
            raise BatchRefused(f"a record of kind {kind}: only 0 and 2 come from outside")
        if record.source_seq is not None:
            continue  # replayed from quarantine: its coordinates are those of long ago
        key = (record.topic_id, record.part, record.incarnation)
        offset = record.kafka_offset
        if offset is None or key not in last or offset <= last[key]:
            raise BatchRefused(
                f"offset {offset} of {_named(*key)} lies outside the batch's partitions"
                f" or not after the one before ({last.get(key)})"
            )
        last[key] = offset
    for progress in batch.partitions:
        reached = last[progress.topic_id, progress.part, progress.incarnation]
        if reached >= progress.next_offset:
            raise BatchRefused(
                f"offset {reached} lies outside the batch's partition"
                f" {progress.part} of topic {progress.topic_id}, which ends before"
                f" {progress.next_offset}"
            )


def _named(topic_id: int | None, part: int | None, incarnation: int | None) -> str:
    return f"partition {part} of topic {topic_id} (incarnation {incarnation})"
