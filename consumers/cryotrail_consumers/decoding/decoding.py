"""From Kafka records to what the audit store appends: an event, or a quarantined record.

The recorder's hot path. Nothing is converted that the store does not need, and what repeats from
record to record (keys, header names, schemas) is looked up and not computed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_audit.records import EVENT, QUARANTINED, IncomingRecord
from cryotrail_consumers.coordinates import Lineage
from cryotrail_consumers.decoding.headers import pack_headers
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.reading.source import SourceRecord
from cryotrail_producers.transport import partition_of
from cryotrail_schemas.codec import decode_plain
from cryotrail_schemas.delivery import Delivery, read_delivery
from cryotrail_schemas.errors import UndecodableRecord
from cryotrail_schemas.framing import parse_frame
from cryotrail_schemas.plain_checks import check_plain

WRONG_PARTITION: Final = "wrong_partition"
"""Flag: murmur2 puts the key on another partition, so its procedure may be out of order."""
CE_ID_MISMATCH: Final = "ce_id_mismatch"
"""Flag: the header names another event than the body; the body counts."""
CE_TYPE_MISMATCH: Final = "ce_type_mismatch"
"""Flag: the header names another type than the body's schema; the schema counts."""

_MOST_KEYS: Final = 10_000
_KEY_LENGTH: Final = 36


class _Key(NamedTuple):
    """What a record's key says."""

    text: str | None
    """The UUID as lower-case text, when the key is exactly that."""
    procedure_id: bytes | None
    """The UUID, when the key is UUID text of either case."""
    partition: int | None
    """Where the key belongs; None when it is no UUID text, hence no event's, or when nobody knows
    how many partitions there are."""


_NO_UUID: Final = _Key(None, None, None)


class RecordDecoder:
    """Decodes the records of any partition, each by the schema that its frame names."""

    def __init__(self, schemas: KnownSchemas) -> None:
        self._schemas = schemas
        self._keys: dict[int, dict[bytes | None, _Key]] = {}  # by the partition count first

    def decode(
        self, records: Iterable[SourceRecord], lineage: Lineage, partition_count: int
    ) -> list[tuple[int, IncomingRecord]]:
        """Pairs of kind and record, one for each record, in their order.

        A record that cannot be read, or whose key is not its procedure, becomes a quarantined one
        with its bytes; what is odd but readable is an event with flags in ``reason``.

        :raises CryotrailError: the store or the registry did not answer; retriable.
        """
        keys = self._keys.setdefault(partition_count, {})
        incoming = []
        for record in records:
            key = keys.get(record.key) or _read_key(record.key, partition_count, keys)
            delivery = read_delivery(record.headers)
            try:
                event = self._event(record, key, delivery, lineage)
                incoming.append((EVENT, event))
            except UndecodableRecord as refused:
                kept = _quarantined(record, key, delivery, lineage, refused.code)
                incoming.append((QUARANTINED, kept))
        return incoming

    def look_again(self) -> None:
        """Find out which schemas became known since.

        :raises CryotrailError: the store did not answer; retriable.
        """
        self._schemas.look_again()

    def event(
        self, record: SourceRecord, lineage: Lineage, *, any_key: bool = False
    ) -> IncomingRecord:
        """One record of long ago as an event, by the schemas that are known now.

        How many partitions its topic had then is not known, so nothing is said of
        :data:`WRONG_PARTITION`.

        :param any_key: the key need not be the procedure's: somebody answers for the body.
        :raises UndecodableRecord: why it cannot be read.
        :raises CryotrailError: the store or the registry did not answer; retriable.
        """
        key = None if any_key else _parse_key(record.key or b"", None)
        return self._event(record, key, read_delivery(record.headers), lineage)

    def _event(
        self, record: SourceRecord, key: _Key | None, delivery: Delivery, lineage: Lineage
    ) -> IncomingRecord:
        _, fingerprint, schema_id, body = parse_frame(record.value)
        if fingerprint is not None:
            schema = self._schemas.by_fingerprint(fingerprint)
        else:
            assert schema_id is not None  # a frame has one of the two
            schema = self._schemas.by_schema_id(schema_id)
        plain = decode_plain(body, schema.plain)
        check_plain(plain, schema.event_type)
        header = plain["header"]
        event_id: str = header["event_id"]
        procedure_id: str = header["procedure_id"]
        if key is None:
            key = _parse_key(procedure_id.encode(), None)
        if procedure_id != key.text and procedure_id.lower() != key.text:
            raise UndecodableRecord("key_mismatch", "the key is not the event's procedure")

        flags = delivery.flags
        if schema.flag is not None:
            flags += (schema.flag,)
        if key.partition not in (lineage.partition, None):
            flags += (WRONG_PARTITION,)
        if delivery.event_id is not None and delivery.event_id != event_id:
            flags += (CE_ID_MISMATCH,)
        if delivery.event_type is not None and delivery.event_type != schema.event_type:
            flags += (CE_TYPE_MISMATCH,)
        # By position, in the order of the fields: names would cost a third of the whole.
        return IncomingRecord(
            bytes.fromhex(event_id.replace("-", "")),
            schema.event_type,
            key.procedure_id,
            header["occurred_at"],
            delivery.producer_id,
            delivery.producer_seq,
            delivery.procedure_seq,
            lineage.topic_id,
            lineage.partition,
            lineage.incarnation,
            record.offset,
            record.timestamp if record.timestamp >= 0 else None,
            record.key,
            pack_headers(record.headers),
            schema.sha256,
            header.get("personal_key_id"),
            delivery.signing_key_id,
            delivery.signature,
            ",".join(flags) if flags else None,
            None,
            record.value,
            sha256(body).digest(),
        )


def _quarantined(
    record: SourceRecord, key: _Key, delivery: Delivery, lineage: Lineage, code: str
) -> IncomingRecord:
    return IncomingRecord(
        event_id=lineage.quarantine_id(record.offset).bytes,
        event_type=None,
        procedure_id=key.procedure_id,
        occurred_us=None,
        producer_id=delivery.producer_id,
        producer_seq=delivery.producer_seq,
        procedure_seq=delivery.procedure_seq,
        topic_id=lineage.topic_id,
        part=lineage.partition,
        incarnation=lineage.incarnation,
        kafka_offset=record.offset,
        kafka_timestamp_ms=record.timestamp if record.timestamp >= 0 else None,
        kafka_key=record.key,
        kafka_headers=pack_headers(record.headers, any_name=True),
        schema_sha256=None,
        key_id=None,
        signing_key_id=delivery.signing_key_id,
        signature=delivery.signature,
        reason=code,
        source_seq=None,
        raw=record.value,
        content_hash=sha256(record.value or b"").digest(),
    )


def _read_key(key: bytes | None, partition_count: int, known: dict[bytes | None, _Key]) -> _Key:
    """What a key says, kept in ``known`` if it has the length of UUID text.

    Others are as long as a producer likes and no event's: to keep them would fill memory.
    """
    if key is None or len(key) != _KEY_LENGTH:
        return _NO_UUID
    if len(known) >= _MOST_KEYS:
        known.clear()
    known[key] = _parse_key(key, partition_count)
    return known[key]


def _parse_key(key: bytes, partition_count: int | None) -> _Key:
    try:
        text = key.decode("ascii")
        procedure_id = UUID(text)
    except ValueError:
        return _NO_UUID
    canonical = str(procedure_id)
    if text.lower() != canonical:  # UUID() also takes hyphens elsewhere, or none within braces
        return _NO_UUID
    return _Key(
        text if text == canonical else None,
        procedure_id.bytes,
        None if partition_count is None else partition_of(key, partition_count),
    )
