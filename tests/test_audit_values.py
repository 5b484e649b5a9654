"""A value that a column cannot hold is refused before anything is written, on both databases.

PostgreSQL would abort the whole COPY at U+0000 where SQLite takes it; both stores say the same.
"""

import pytest
from audit_records import Writer, record

from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.records import IncomingRecord

LARGEST = {
    "occurred_us": 2**63 - 1,
    "producer_seq": -(2**63),
    "procedure_seq": 2**63 - 1,
    "part": 2**31 - 1,
    "incarnation": 2**15 - 1,
    "kafka_offset": 2**63 - 2,
    "kafka_timestamp_ms": -1,
}
REFUSED = [
    ("event_id", b"fifteen bytes.."),
    ("event_id", None),
    ("procedure_id", b""),
    ("event_type", "a\x00b"),
    ("producer_id", "\x00"),
    ("reason", "lone surrogate \ud800"),
    ("reason", b"bytes"),
    ("occurred_us", 2**63),
    ("producer_seq", -(2**63) - 1),
    ("producer_seq", "1"),
    ("procedure_seq", 1.5),
    ("kafka_timestamp_ms", 2**64),
    ("content_hash", b"31 bytes......................."),
    ("content_hash", None),
    ("raw", "text"),
    ("kafka_headers", 5),
    ("key_id", "text"),
    ("source_seq", 2**63),
]


@pytest.fixture
def writer(audit_store):
    return Writer(audit_store)


def test_the_refusal_names_the_column_and_nothing_is_written(audit_store, writer):
    before = audit_store.head()

    for column, value in REFUSED:
        with pytest.raises(BatchRefused, match=rf"column {column} \("):
            writer.append([record(0), record(1)._replace(**{column: value})])

    assert audit_store.head() == before


def test_the_largest_values_come_back(audit_store, writer):
    audit_store.claim(writer.owner, writer.topic_id, [LARGEST["part"]])
    given = record(0, **LARGEST)

    writer.append([given])

    (_, entry) = next(audit_store.entries())
    assert IncomingRecord(*entry[6:-1]) == given


def test_any_bytes_and_any_text_but_nul_come_back(audit_store, writer):
    every_byte = bytes(range(256))
    text = "".join(map(chr, (*range(1, 0x180), 0x2028, 0xFFFF, 0x1F9CA)))
    given = record(0, raw=every_byte, kafka_key=every_byte, producer_id=text, reason=text)

    writer.append([given])

    (_, entry) = next(audit_store.entries())
    assert IncomingRecord(*entry[6:-1]) == given
