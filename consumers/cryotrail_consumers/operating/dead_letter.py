"""A quarantined entry as a record of the dead-letter topic, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_audit.records import Entry, StoredTopic
from cryotrail_consumers.decoding.stored_record import stored_bytes
from cryotrail_schemas.personal import parse_sealed

_PREFIX: Final = "cryotrail-"
STORE: Final = "cryotrail-store"
SEQ: Final = "cryotrail-seq"
ID: Final = "cryotrail-id"


class DeadLetter(NamedTuple):
    """What is sent: the record as Kafka held it, and behind its headers where it stands now."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Relayed(NamedTuple):
    """What a record of the topic says of itself."""

    seq: int
    event_id: bytes


def dead_letter(
    entry: Entry, seq: int, store: str, topics: Mapping[int, StoredTopic]
) -> DeadLetter:
    """The record of a quarantined entry.

    Its headers are the original ones, then ``cryotrail-store`` (the name of the store's first log),
    ``-seq`` (the entry's place in it), ``-id`` (the entry's id, stable for ever: whoever reads may
    get a record twice, and tells by it), ``-reason``, ``-topic``, ``-partition``, ``-offset``, and
    ``-sealed: true`` when the value is encrypted, as the store keeps it.

    A Kafka client in Python sends no header without a value, and no record with neither key nor
    value. Such a one is sent empty, and ``-nulls`` lists what was none: ``value``, and the numbers
    of the headers from 0.
    """
    assert entry.topic_id is not None  # a quarantined entry came from Kafka
    record = stored_bytes(entry)
    said = {
        STORE: store,
        SEQ: str(seq),
        ID: str(UUID(bytes=entry.event_id)),
        "cryotrail-reason": entry.reason or "",
        "cryotrail-topic": topics[entry.topic_id].name,
        "cryotrail-partition": str(entry.part),
        "cryotrail-offset": str(entry.kafka_offset),
    }
    if parse_sealed(entry.raw) is not None:
        said["cryotrail-sealed"] = "true"
    nulls = [str(at) for at, (_, value) in enumerate(record.headers) if value is None]
    value = record.value
    if record.key is None and value is None:
        value = b""
        nulls.append("value")
    if nulls:
        said["cryotrail-nulls"] = ",".join(nulls)
    headers = [(name, b"" if given is None else given) for name, given in record.headers]
    headers += ((name, text.encode()) for name, text in said.items())
    return DeadLetter(record.key, value, headers)


def relayed(headers: Sequence[tuple[str, bytes | None]], store: str) -> Relayed | None:
    """Which entry of a store a record of the topic is; None = of none."""
    # The last ones of each name are ours: a record that was relayed once may have come back.
    found = {name: value for name, value in headers if name.startswith(_PREFIX)}
    if found.get(STORE) != store.encode():
        return None
    try:
        return Relayed(int(found[SEQ] or b""), UUID((found[ID] or b"").decode()).bytes)
    except (KeyError, ValueError):
        return None
