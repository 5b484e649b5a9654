"""What must be known to the store before records that refer to it: topics, schemas, claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from cryotrail_audit.appending.append import append_administrative
from cryotrail_audit.appending.lost_claim import lost_claim
from cryotrail_audit.appending.prepare import prepare_administrative
from cryotrail_audit.appending.transaction import AppendTransaction
from cryotrail_audit.errors import AuditError, FingerprintCollision
from cryotrail_audit.records import Administrative, StoredSchema, StoredTopic
from cryotrail_audit.schema_identity import meaning
from cryotrail_audit.tables import CLAIM, LOG, SCHEMA_TEXT, TOPIC
from cryotrail_schemas.catalog import event_type_of


def topic_payload(topic: StoredTopic, created_us: int) -> dict[str, Any]:
    """What the log says of a topic: every column of its row."""
    return topic._asdict() | {"topic_uuid": str(topic.topic_uuid), "created_us": created_us}


def schema_payload(schema: StoredSchema, created_us: int) -> dict[str, Any]:
    """What the log says of a schema: every column of its row, hashes in hexadecimal."""
    return schema._asdict() | {
        "sha256": schema.sha256.hex(),
        "fingerprint": schema.fingerprint.hex(),
        "created_us": created_us,
    }


def find_topic(connection: Connection, cluster_id: str, topic_uuid: UUID) -> int | None:
    """The id of a topic that is registered."""
    found: int | None = connection.execute(
        select(TOPIC.c.topic_id).where(
            TOPIC.c.cluster_id == cluster_id, TOPIC.c.topic_uuid == topic_uuid.bytes
        )
    ).scalar()
    return found


def add_topic(
    transaction: AppendTransaction, cluster_id: str, topic_uuid: UUID, name: str, now_us: int
) -> int:
    """Register a topic and say so in the log; one that is registered keeps its id."""
    connection = transaction.connection
    topic_id = find_topic(connection, cluster_id, topic_uuid)
    if topic_id is not None:
        return topic_id
    topic_id = (connection.execute(select(func.max(TOPIC.c.topic_id))).scalar() or 0) + 1
    topic = StoredTopic(topic_id, cluster_id, topic_uuid, name)
    said = prepare_administrative([Administrative("topic", topic_payload(topic, now_us))])
    connection.execute(
        insert(TOPIC).values(
            topic_id=topic_id,
            cluster_id=cluster_id,
            topic_uuid=topic_uuid.bytes,
            name=name,
            created_us=now_us,
        )
    )
    append_administrative(transaction, said, now_us)
    return topic_id


def is_schema_known(connection: Connection, digest: bytes) -> bool:
    """Whether a text with this SHA-256 is registered."""
    statement = select(SCHEMA_TEXT.c.sha256).where(SCHEMA_TEXT.c.sha256 == digest)
    return connection.execute(statement).first() is not None


def check_fingerprint(text: str, fingerprint: bytes) -> None:
    """Refuse a fingerprint that is not the text's.

    :raises AuditError: it is another's.
    :raises SchemaError: the text is no Avro schema.
    """
    computed = event_type_of(text).fingerprint
    if computed != fingerprint:
        raise AuditError(
            f"the schema's CRC-64-AVRO is {computed.hex()}, not {fingerprint.hex()}",
            hint="give the fingerprint as it is on the wire: 8 bytes, little-endian",
        )


def add_schema(
    transaction: AppendTransaction,
    text: str,
    fingerprint: bytes,
    event_type: str,
    version: int | None,
    now_us: int,
) -> bytes:
    """Register a schema text and say so in the log; one that is registered stays as it is.

    :raises FingerprintCollision: see :meth:`AuditStore.register_schema`.
    """
    connection = transaction.connection
    digest = sha256(text.encode()).digest()
    if is_schema_known(connection, digest):
        return digest
    others = connection.execute(
        select(SCHEMA_TEXT.c.text).where(SCHEMA_TEXT.c.fingerprint == fingerprint)
    ).scalars()
    if any(meaning(text) != meaning(other) for other in others):
        raise FingerprintCollision(
            f"another schema than this of {event_type} is known under the fingerprint"
            f" {fingerprint.hex()}",
            hint="quarantine its records; release the schema under a name of its own",
        )
    schema = StoredSchema(digest, fingerprint, event_type, version, text)
    said = prepare_administrative([Administrative("schema", schema_payload(schema, now_us))])
    connection.execute(
        insert(SCHEMA_TEXT).values(
            sha256=digest,
            fingerprint=fingerprint,
            event_type=event_type,
            version=version,
            text=text,
            created_us=now_us,
        )
    )
    append_administrative(transaction, said, now_us)
    return digest


def add_claims(
    transaction: AppendTransaction, owner: str, topic_id: int, parts: Iterable[int], now_us: int
) -> dict[int, int]:
    """Claim partitions: an epoch above the highest one, each."""
    connection = transaction.connection
    log_id = connection.execute(select(func.max(LOG.c.log_id))).scalar()
    epochs = {}
    for part in parts:
        highest = connection.execute(
            select(func.max(CLAIM.c.epoch)).where(
                CLAIM.c.log_id == log_id, CLAIM.c.topic_id == topic_id, CLAIM.c.part == part
            )
        ).scalar()
        epochs[part] = (highest or 0) + 1
        connection.execute(
            insert(CLAIM).values(
                log_id=log_id,
                topic_id=topic_id,
                part=part,
                epoch=epochs[part],
                owner=owner,
                claimed_us=now_us,
            )
        )
    return epochs


def check_claims(connection: Connection, owner: str, epochs: Mapping[tuple[int, int], int]) -> None:
    """Return while these claims are the newest of their partitions.

    :param epochs: by ``topic_id`` and partition number.
    :raises Fenced, PositionMoved: see :meth:`AuditStore.check_claims`.
    """
    # Of the claims that there ever were, those that may be the newest of these partitions: a range
    # of the key's index each. This is asked every few seconds.
    rows = connection.execute(
        select(CLAIM.c.topic_id, CLAIM.c.part, CLAIM.c.epoch, CLAIM.c.owner)
        .where(
            CLAIM.c.log_id == select(func.max(LOG.c.log_id)).scalar_subquery(),
            CLAIM.c.topic_id.in_({topic_id for topic_id, _ in epochs}),
            CLAIM.c.part.in_({part for _, part in epochs}),
            CLAIM.c.epoch >= min(epochs.values(), default=0),
        )
        .order_by(CLAIM.c.epoch)
    )
    newest = {(row.topic_id, row.part): (row.epoch, row.owner) for row in rows}
    for partition, epoch in epochs.items():
        found = newest.get(partition, (None, None))
        if found != (epoch, owner):
            raise lost_claim(partition, (epoch, owner), found)
