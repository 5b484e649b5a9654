"""What gives entries their meaning is said once: no later statement changes what covered bytes say."""

import json
from contextlib import closing
from hashlib import sha256

import pytest
from audit_records import CLUSTER, TOPIC_UUID, Writer, record
from signed_logs import SignedLog
from store_tables import tables_of

from cryotrail_audit.records import Administrative, IncomingBatch, StoredSchema, StoredTopic
from cryotrail_audit.registration import schema_payload, topic_payload
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog


@pytest.fixture
def log(store_url, tmp_path):
    """A signed log whose events have a registered schema."""
    made = SignedLog(store_url, tmp_path)
    schema = catalog().current("FreezeStarted")
    with closing(open_store(store_url)) as store:
        digest = store.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
        Writer(store).append([record(0, schema_sha256=digest)])
    made.signed = made.sign()
    return made


def say_again(url, event_type, payload):
    """What whoever may append can put into the log, well-formed."""
    with closing(open_store(url)) as store:
        said = Administrative(event_type, payload)
        store.append(IncomingBatch((), (), [said], owner=""))


def created_us(tables, table):
    ((created,),) = tables.execute(f"select created_us from {table}")
    return created


def test_a_topic_that_is_said_again_otherwise_is_named(log):
    topic = StoredTopic(1, CLUSTER, TOPIC_UUID, "another.topic")
    with tables_of(log.url) as tables:
        created = created_us(tables, "topic")
        say_again(log.url, "topic", topic_payload(topic, created))
        tables.drop_guards()
        tables.execute("update topic set name = 'another.topic'")

    found = verify(log.url, checkpoint=log.signed.note.to_bytes(), pinned_key=log.key.pinned)

    assert (found.result, found.first_broken_seq) == ("broken", 3)
    assert "entry 3 says of topic 1 something else than entry" in found.reason


def test_a_schema_whose_text_was_exchanged_is_named(log):
    thawed = catalog().current("ThawStopped").text
    freeze = catalog().current("FreezeStarted")
    digest = sha256(freeze.text.encode()).digest()
    with tables_of(log.url) as tables:
        schema = StoredSchema(digest, freeze.fingerprint, freeze.name, freeze.version, thawed)
        say_again(log.url, "schema", schema_payload(schema, created_us(tables, "schema")))
        tables.drop_guards()
        tables.execute("update schema set text = %s", [thawed])

    found = verify(log.url, checkpoint=log.signed.note.to_bytes(), pinned_key=log.key.pinned)

    assert (found.result, found.first_broken_seq) == ("broken", 3)


def test_a_schema_that_never_had_its_hash_is_named(store_url):
    freeze, thawed = catalog().current("FreezeStarted"), catalog().current("ThawStopped")
    digest = sha256(freeze.text.encode()).digest()
    schema = StoredSchema(digest, freeze.fingerprint, freeze.name, freeze.version, thawed.text)
    say_again(store_url, "schema", schema_payload(schema, 7))
    with tables_of(store_url) as tables:
        tables.execute(
            "insert into schema (sha256, fingerprint, event_type, version, text, created_us)"
            " values (%s, %s, %s, %s, %s, 7)",
            [*schema],
        )

    found = verify(store_url)

    assert (found.result, found.first_broken_seq) == ("broken", 0)
    assert "the text of a schema does not have the hash given" in found.reason


def test_the_same_statement_twice_changes_nothing(log):
    with closing(open_store(log.url)) as store:
        (said,) = [
            json.loads(entry.raw)
            for rows in store.entries(kinds=(3,))
            for entry in rows
            if entry.event_type == "topic"
        ]
    say_again(log.url, "topic", said)

    assert verify(log.url).result == "intact"
