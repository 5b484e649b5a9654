"""Records for the audit store as the recorder would hand them over, made up by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryotrail_audit.records import (
    EVENT,
    QUARANTINED,
    Administrative,
    AppendOutcome,
    IncomingBatch,
    IncomingRecord,
    PartitionProgress,
)
from cryotrail_audit.store import AuditStore, open_store

CLUSTER = "test-cluster"
TOPIC_UUID = UUID(int=0x5EED)
TOPIC_NAME = "cryotrail.procedure-events"
OWNER = "recorder-1"
NOBODYS_HASH = sha256(b"last record").digest()


def record(offset: int, **columns: Any) -> IncomingRecord:
    """A record at an offset; whatever is not said is derived from the offset, always the same."""
    made_up = random.Random(offset)
    raw = columns.pop("raw", b"\xc3\x01" + bytes(8) + made_up.randbytes(320))
    defaults: dict[str, Any] = {
        "event_id": made_up.randbytes(16),
        "event_type": "FreezeStarted",
        "procedure_id": sha256(b"procedure %d" % (offset % 3)).digest()[:16],
        "occurred_us": 1_790_000_000_000_000 + offset,
        "producer_id": "producer-1",
        "producer_seq": offset + 1,
        "procedure_seq": offset + 1,
        "topic_id": 1,
        "part": 0,
        "incarnation": 0,
        "kafka_offset": offset,
        "kafka_timestamp_ms": 1_790_000_000_000 + offset,
        "kafka_key": b"7f0e5b1c-0000-4000-8000-000000000000",
        "kafka_headers": framed(("ce_id", b"1"), ("ce_none", None)),
        "schema_sha256": sha256(b"schema").digest(),
        "key_id": None,
        "signing_key_id": None,
        "signature": None,
        "reason": None,
        "source_seq": None,
        "raw": raw,
        "content_hash": sha256(raw[10:] if raw else b"").digest(),
    }
    return IncomingRecord(**(defaults | columns))


def framed(*headers: tuple[str, bytes | None]) -> bytes:
    """Kafka headers as the store keeps them."""
    parts = []
    for name, value in headers:
        for item in (name.encode(), value):
            length = -1 if item is None else len(item)
            parts.append(length.to_bytes(4, "big", signed=True) + (item or b""))
    return b"".join(parts)


def progress(records: Sequence[IncomingRecord], epoch: int, **columns: Any) -> PartitionProgress:
    """What a batch with these records of one partition says about it."""
    first, last = records[0], records[-1]
    assert first.topic_id is not None and first.part is not None
    assert first.incarnation is not None
    assert first.kafka_offset is not None and last.kafka_offset is not None
    said: dict[str, Any] = {
        "topic_id": first.topic_id,
        "part": first.part,
        "incarnation": first.incarnation,
        "epoch": epoch,
        "first_offset": first.kafka_offset,
        "next_offset": last.kafka_offset + 1,
        "record_count": len(records),
        "last_record_hash": NOBODYS_HASH,
    }
    return PartitionProgress(**(said | columns))


def batch(
    records: Iterable[IncomingRecord],
    epoch: int,
    *,
    kind: int = EVENT,
    administrative: Sequence[Administrative] = (),
    owner: str = OWNER,
) -> IncomingBatch:
    """A batch of records of one partition; quarantined ones are hashed whole."""
    listed = list(records)
    if kind == QUARANTINED:
        listed = [item._replace(content_hash=sha256(item.raw or b"").digest()) for item in listed]
    return IncomingBatch(
        [(kind, item) for item in listed],
        [progress(listed, epoch)] if listed else [],
        administrative,
        owner,
    )


class Writer:
    """A recorder's side of one store: its topic is registered and partition 0 claimed."""

    def __init__(self, store: AuditStore, owner: str = OWNER) -> None:
        self.store = store
        self.owner = owner
        self.topic_id = store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
        self.epoch = store.claim(owner, self.topic_id, [0])[0]

    def append(self, records: Iterable[IncomingRecord], **options: Any) -> AppendOutcome:
        """Append records of partition 0 in one batch."""
        return self.store.append(batch(records, self.epoch, owner=self.owner, **options))


def filled_store(url: str, batches: int = 3, rows: int = 5) -> None:
    """Put ``batches`` times ``rows`` records into an empty store, and a loss alarm."""
    with closing(open_store(url)) as store:
        writer = Writer(store)
        for number in range(batches):
            writer.append(record(number * rows + row) for row in range(rows))
        store.append(
            IncomingBatch((), (), [Administrative("loss_alarm", {"part": 0})], writer.owner)
        )
