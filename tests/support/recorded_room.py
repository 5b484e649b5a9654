"""What a publisher sent into memory, recorded in a real store as the recorder would, attacks included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from audit_records import OWNER

from cryotrail_audit.records import IncomingBatch, IncomingRecord, PartitionProgress
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import Lineage, record_hash
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_producers.transport import OutgoingRecord
from cryotrail_schemas.identifiers import NAMESPACE

CLUSTER = "test-cluster"

Tamper = Callable[[IncomingRecord], IncomingRecord]


class ReadRecord(NamedTuple):
    """A record as a Kafka client hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class RoomRecorder:
    """Records what was sent, each topic as one partition."""

    def __init__(self, store: AuditStore) -> None:
        self.store = store
        self._decoder = RecordDecoder(KnownSchemas(store, None))
        self._offsets: dict[str, int] = defaultdict(int)

    def record(self, sent: Iterable[OutgoingRecord], tamper: Tamper | None = None) -> None:
        """Append records in one batch a topic; ``tamper`` is what a database user changes of each."""
        by_topic = defaultdict(list)
        for one in sent:
            offset = self._offsets[one.topic]
            self._offsets[one.topic] += 1
            by_topic[one.topic].append(
                ReadRecord(offset, 1_790_000_000_000, one.key, one.value, one.headers)
            )
        for topic, records in by_topic.items():
            self._append(topic, records, tamper)

    def _append(self, topic: str, records: Sequence[ReadRecord], tamper: Tamper | None) -> None:
        topic_uuid = uuid5(NAMESPACE, topic)
        topic_id = self.store.register_topic(CLUSTER, topic_uuid, topic)
        epoch = self.store.claim(OWNER, topic_id, [0])[0]
        lineage = Lineage(CLUSTER, UUID(int=topic_uuid.int), topic_id, 0, 0)
        incoming = self._decoder.decode(records, lineage, 1)
        if tamper is not None:
            incoming = [(kind, tamper(one)) for kind, one in incoming]
        last = records[-1]
        moved = PartitionProgress(
            topic_id,
            0,
            0,
            epoch,
            records[0].offset,
            last.offset + 1,
            len(records),
            record_hash(last.key, last.value),
        )
        self.store.append(IncomingBatch(incoming, [moved], (), OWNER))
