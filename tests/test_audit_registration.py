"""Topics and schemas are registered once and said in the log. On both databases."""

import json
from hashlib import sha256
from uuid import UUID

import pytest
from audit_records import CLUSTER, TOPIC_NAME, TOPIC_UUID

from cryotrail_audit.errors import AuditError, FingerprintCollision
from cryotrail_audit.records import ADMINISTRATIVE, StoredSchema, StoredTopic
from cryotrail_schemas.catalog import catalog, event_type_of
from cryotrail_schemas.errors import SchemaError

FREEZE_STARTED = catalog().current("FreezeStarted")


def said(store):
    entries = [entry for rows in store.entries(kinds=(ADMINISTRATIVE,)) for entry in rows]
    return [(entry.event_type, json.loads(entry.raw)) for entry in entries]


def register(store, text, version=None):
    event_type = event_type_of(text)
    return store.register_schema(text, event_type.fingerprint, event_type.name, version)


def edited(change):
    """The published text of FreezeStarted with a change made to its JSON."""
    schema = json.loads(FREEZE_STARTED.text)
    change(schema)
    return json.dumps(schema)


def test_a_topic_is_registered_once_and_said_in_the_log(audit_store):
    first = audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
    again = audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)

    assert first == again
    assert audit_store.topics() == {first: StoredTopic(first, CLUSTER, TOPIC_UUID, TOPIC_NAME)}
    ((event_type, payload),) = said(audit_store)
    assert event_type == "topic"
    assert payload.items() >= {"topic_id": first, "topic_uuid": str(TOPIC_UUID)}.items()


def test_a_re_created_topic_and_another_cluster_have_ids_of_their_own(audit_store):
    ids = {
        audit_store.register_topic(cluster, uuid, TOPIC_NAME)
        for cluster in ("one", "two")
        for uuid in (UUID(int=1), UUID(int=2))
    }

    assert len(ids) == len(audit_store.topics()) == len(said(audit_store)) == 4


def test_a_schema_is_registered_once_whole_and_said_in_the_log(audit_store):
    digest = register(audit_store, FREEZE_STARTED.text, version=1)

    assert register(audit_store, FREEZE_STARTED.text, version=1) == digest
    assert digest == sha256(FREEZE_STARTED.text.encode()).digest()
    assert audit_store.schemas() == {
        digest: StoredSchema(
            digest, FREEZE_STARTED.fingerprint, "FreezeStarted", 1, FREEZE_STARTED.text
        )
    }
    ((event_type, payload),) = said(audit_store)
    assert (event_type, payload["text"]) == ("schema", FREEZE_STARTED.text)


def test_a_text_that_differs_in_documentation_alone_gets_its_own_row(audit_store):
    def document(schema):
        schema["doc"] = "the registry's words"
        schema["owner"] = "an unknown property"
        schema["fields"][1]["aliases"] = ["probe"]

    first = register(audit_store, FREEZE_STARTED.text, version=1)
    second = register(audit_store, edited(document))

    assert first != second
    assert {row.version for row in audit_store.schemas().values()} == {1, None}
    assert {row.fingerprint for row in audit_store.schemas().values()} == {
        FREEZE_STARTED.fingerprint
    }


@pytest.mark.parametrize("attribute", ["logicalType", "default"])
def test_a_text_that_reads_otherwise_under_a_known_fingerprint_is_refused(audit_store, attribute):
    def change(schema):
        if attribute == "default":
            schema["fields"][-1]["default"] = None
            schema["fields"][-1].pop("default")
        else:
            text = json.dumps(schema).replace("timestamp-micros", "timestamp-millis")
            schema.update(json.loads(text))

    text = edited(change)
    register(audit_store, FREEZE_STARTED.text, version=1)
    assert event_type_of(text).fingerprint == FREEZE_STARTED.fingerprint

    with pytest.raises(FingerprintCollision, match=FREEZE_STARTED.fingerprint.hex()):
        register(audit_store, text)

    assert len(audit_store.schemas()) == len(said(audit_store)) == 1


def test_a_fingerprint_that_is_not_the_texts_is_refused(audit_store):
    with pytest.raises(AuditError, match="CRC-64-AVRO"):
        audit_store.register_schema(FREEZE_STARTED.text, bytes(8), "FreezeStarted", 1)


def test_a_text_that_is_no_schema_is_refused(audit_store):
    with pytest.raises(SchemaError):
        audit_store.register_schema("{}", bytes(8), "FreezeStarted", 1)
