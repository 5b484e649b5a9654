"""The net below decoding: a value that no column of the store can hold.

Decoding is meant to refuse such a value. If one slips through, the store refuses the whole batch,
and would again at every start; so the record is found and set aside like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from hashlib import sha256

from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.framing import pack_tail
from cryotrail_audit.records import QUARANTINED, AppendOutcome, IncomingBatch, IncomingRecord
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import Lineage, record_hash
from cryotrail_consumers.decoding.sealing import with_sealed_quarantine
from cryotrail_producers.personal_cipher import RecordCipher

_log = logging.getLogger(__name__)


def append_storable(
    store: AuditStore,
    batch: IncomingBatch,
    lineages: Iterable[Lineage],
    records: RecordCipher | None,
) -> tuple[IncomingBatch, AppendOutcome]:
    """Append a batch; when a value in it is refused, with that record quarantined.

    :param lineages: of all partitions that the batch is from; looked at when a value is refused.
    :param records: seals what is quarantined; None = it is stored as it came.
    :return: what was appended, and what came of it.
    :raises AuditError: as :meth:`AuditStore.append`.
    """
    try:
        return batch, store.append(batch)
    except BatchRefused as refused:
        storable = with_unstorable_quarantined(batch, lineages)
        if storable == batch:
            raise
        _log.error("quarantining what the store refuses: %s", refused)
    sealed = with_sealed_quarantine(storable.records, records)
    # What was set aside is sealed only now: the positions' hashes follow the stored bytes.
    stored = {
        (one.topic_id, one.part, one.kafka_offset): record_hash(one.kafka_key, one.raw)
        for _, one in sealed
    }
    partitions = [
        one._replace(
            last_record_hash=stored.get(
                (one.topic_id, one.part, one.next_offset - 1), one.last_record_hash
            )
        )
        for one in storable.partitions
    ]
    storable = storable._replace(records=sealed, partitions=partitions)
    return storable, store.append(storable)


def with_unstorable_quarantined(batch: IncomingBatch, lineages: Iterable[Lineage]) -> IncomingBatch:
    """A refused batch with each record quarantined as ``invalid_value`` that cannot be packed.

    What was read from such a record's body is dropped; its bytes, its place and its delivery stay.
    An equal batch comes back when the reason of the refusal is another.

    :param lineages: of all partitions that the batch is from.
    """
    by_place = {(one.topic_id, one.partition): one for one in lineages}
    records = [
        (kind, record)
        if _is_storable(record)
        else (QUARANTINED, _set_aside(record, by_place[record.topic_id or 0, record.part or 0]))
        for kind, record in batch.records
    ]
    return batch._replace(records=records)


def _is_storable(record: IncomingRecord) -> bool:
    try:
        pack_tail(record)
    except BatchRefused:
        return False
    return True


def _set_aside(record: IncomingRecord, lineage: Lineage) -> IncomingRecord:
    return record._replace(
        event_id=lineage.quarantine_id(record.kafka_offset or 0).bytes,
        event_type=None,
        occurred_us=None,
        schema_sha256=None,
        key_id=None,
        reason="invalid_value",
        content_hash=sha256(record.raw or b"").digest(),
    )
