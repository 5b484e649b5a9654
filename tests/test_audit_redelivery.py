"""The contract of what arrives twice: redelivery, conflict, quarantine. On both databases."""

import json
from hashlib import sha256

import pytest
from audit_records import Writer, record
from event_samples import freeze_started, header

from cryotrail_audit.records import CONFLICT, EVENT, QUARANTINED, IncomingBatch
from cryotrail_schemas.catalog import catalog, event_type_of
from cryotrail_schemas.codec import encode, frame_confluent, frame_single_object

FREEZE_STARTED = catalog().current("FreezeStarted")


def newer(event_type):
    """The published text with a further optional field, as a later version would have it."""
    schema = json.loads(event_type.text)
    schema["fields"].append({"name": "gas_text", "type": ["null", "string"], "default": None})
    return json.dumps(schema)


def fingerprint_of(text):
    return event_type_of(text).fingerprint


def without_progress(item):
    """A batch that moves no partition."""
    return IncomingBatch([(EVENT, item)], (), (), "quarantine replay")


@pytest.fixture
def writer(audit_store):
    return Writer(audit_store)


@pytest.fixture
def of_event(audit_store):
    """Makes records of real events, whose schema is registered."""
    digest = audit_store.register_schema(
        FREEZE_STARTED.text, FREEZE_STARTED.fingerprint, "FreezeStarted", 1
    )

    def make(offset, event, *, frame=None, **columns):
        body = encode(event)
        raw = frame(body) if frame else frame_single_object(FREEZE_STARTED, body)
        columns = {
            "event_id": event.header.event_id.bytes,
            "schema_sha256": digest,
            "raw": raw,
            "content_hash": sha256(body).digest(),
        } | columns
        return record(offset, **columns)

    return make


def kinds(store):
    return [entry.kind for rows in store.entries(kinds=(0, 1, 2)) for entry in rows]


def test_the_same_event_again_is_a_redelivery_and_no_entry(audit_store, writer):
    before = writer.append([record(0)])

    outcome = writer.append([record(0)._replace(kafka_offset=1, producer_seq=99)])

    assert (outcome.recorded, outcome.redelivered, outcome.root) == (0, 1, before.root)
    assert audit_store.counts().redeliveries == 1
    assert audit_store.known_offsets(1, 0, 0, 0, 10) == {0, 1}


def test_the_same_event_twice_in_one_batch_is_recorded_once(audit_store, writer):
    outcome = writer.append([record(0), record(0)._replace(kafka_offset=1), record(2)])

    assert (outcome.recorded, outcome.redelivered) == (2, 1)
    assert kinds(audit_store) == [EVENT, EVENT]


def test_the_same_id_with_other_content_is_a_conflict_with_its_bytes(audit_store, writer):
    writer.append([record(0)])
    other = record(1, event_id=record(0).event_id, raw=b"\xc3\x01" + bytes(8) + b"other")

    outcome = writer.append([other])

    entries = [entry for rows in audit_store.entries(kinds=(CONFLICT,)) for entry in rows]
    assert (outcome.recorded, outcome.conflicts) == (0, 1)
    assert [(entry.event_id, entry.raw) for entry in entries] == [(other.event_id, other.raw)]
    assert entries[0].procedure_entry_no is not None


def test_a_conflict_within_one_batch_is_found_too(audit_store, writer):
    other = record(1, event_id=record(0).event_id)

    outcome = writer.append([record(0), other, other._replace(kafka_offset=2)])

    assert (outcome.recorded, outcome.conflicts, outcome.redelivered) == (1, 1, 1)
    assert kinds(audit_store) == [EVENT, CONFLICT]


def test_a_conflict_that_arrives_again_is_a_redelivery_of_the_conflict(audit_store, writer):
    other = record(1, event_id=record(0).event_id)
    writer.append([record(0), other])

    outcome = writer.append([other._replace(kafka_offset=2)])

    assert (outcome.conflicts, outcome.redelivered) == (0, 1)


def test_other_bytes_that_decode_to_the_same_fields_are_a_redelivery(audit_store, writer, of_event):
    event = freeze_started()
    text = newer(FREEZE_STARTED)
    body = encode(event) + b"\x00"  # the further field, null
    digest = audit_store.register_schema(text, fingerprint_of(text), "FreezeStarted", 2)
    writer.append([of_event(0, event)])

    outcome = writer.append(
        [
            of_event(
                1,
                event,
                raw=frame_single_object(FREEZE_STARTED, body),
                content_hash=sha256(body).digest(),
                schema_sha256=digest,
            )
        ]
    )

    assert (outcome.redelivered, outcome.conflicts) == (1, 0)


def test_another_framing_of_the_same_body_is_a_redelivery(writer, of_event):
    event = freeze_started()
    writer.append([of_event(0, event)])

    outcome = writer.append([of_event(1, event, frame=lambda body: frame_confluent(7, body))])

    assert (outcome.redelivered, outcome.conflicts) == (1, 0)


def test_one_field_that_differs_is_a_conflict(writer, of_event):
    writer.append([of_event(0, freeze_started())])

    outcome = writer.append([of_event(1, freeze_started(cycle_no=2))])

    assert (outcome.redelivered, outcome.conflicts) == (0, 1)


def test_the_same_bytes_under_a_schema_of_another_type_are_a_conflict(
    audit_store, writer, of_event
):
    event = freeze_started(header=header())
    text = FREEZE_STARTED.text.replace('"FreezeStarted"', '"FreezeBegun"')
    digest = audit_store.register_schema(text, fingerprint_of(text), "FreezeBegun", None)
    writer.append([of_event(0, event)])

    outcome = writer.append([of_event(1, event, schema_sha256=digest, event_type="FreezeBegun")])

    assert (outcome.redelivered, outcome.conflicts) == (0, 1)


def test_a_quarantined_record_keeps_its_bytes_its_coordinates_and_the_reason(audit_store, writer):
    bad = record(5, reason="undecodable", event_type=None, raw=b"\xff", occurred_us=None)

    outcome = writer.append([bad], kind=QUARANTINED)

    (entry,) = next(audit_store.entries(kinds=(QUARANTINED,)))
    assert outcome.quarantined == 1
    assert (entry.raw, entry.reason, entry.kafka_offset) == (b"\xff", "undecodable", 5)


def test_an_event_whose_id_is_in_quarantine_only_is_an_event(audit_store, writer):
    quarantined = record(0, reason="unknown_fingerprint")
    writer.append([quarantined], kind=QUARANTINED)

    outcome = writer.append([record(1, event_id=quarantined.event_id)])

    assert (outcome.recorded, outcome.conflicts) == (1, 0)


def test_a_record_replayed_from_quarantine_keeps_its_coordinates(audit_store, writer):
    quarantined = record(0, reason="unknown_fingerprint")
    first = writer.append([quarantined], kind=QUARANTINED)
    replayed = record(0, event_id=b"r" * 16, source_seq=first.first_seq)

    once = audit_store.append(without_progress(replayed))
    again = audit_store.append(without_progress(replayed))

    assert (once.recorded, again.recorded, again.redelivered) == (1, 0, 1)
    assert audit_store.counts().redeliveries == 0  # its coordinates are written down already
    assert audit_store.position("cryotrail.procedure-events", 0).next_offset == 1


def test_many_records_known_and_new_are_told_apart_in_one_batch(audit_store, writer):
    writer.append(record(offset) for offset in range(1300))

    mixed = [record(offset % 2000)._replace(kafka_offset=1300 + offset) for offset in range(2000)]
    outcome = writer.append(mixed)

    assert (outcome.redelivered, outcome.recorded) == (1300, 700)
