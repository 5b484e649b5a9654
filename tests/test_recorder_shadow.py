"""A shadow store, recorded anew from Kafka by the recorder's own code, is what stands in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kafka.structs import TopicPartition
from kafka_damage import cut_tail
from kafka_fixtures import KafkaNode
from key_stores import files_with, kek_file, key_store
from recorded_kafka import (
    all_entries,
    message_of,
    publish,
    record_all,
    recorder,
    running,
)
from replayed_cohort import of_procedure
from reset_positions import GARBAGE, MESSAGES, PARTITION, Operator
from store_tables import tables_of
from waiting import until

from cryotrail_audit.verification import verify
from cryotrail_producers.kafka_clients import admin
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.topics import PROCEDURE_EVENTS

# kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is refused.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def shadow(operator: Operator) -> tuple[int, dict[str, Any]]:
    """Exit code, and what was found of the one partition; the others must agree."""
    code, found = operator.answers("record", "shadow")
    assert all(one["agrees"] for one in found if not _is_the_partition(one))
    return code, next(one for one in found if _is_the_partition(one))


def _is_the_partition(one: dict[str, Any]) -> bool:
    return (one["topic"], one["partition"]) == (PROCEDURE_EVENTS, PARTITION)


def edit(url: str, sql: str) -> None:
    """As somebody who can write the database."""
    with tables_of(url) as tables:
        tables.drop_guards()
        tables.execute(sql)


def test_events_redeliveries_and_quarantine_are_all_found_again_and_the_store_is_only_read(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, [message_of(event) for event in of_procedure("R01")[:40]])
    publish(fresh_topics.connection, [*MESSAGES[:20], GARBAGE, *MESSAGES[:3]])
    record_all(fresh_topics.connection, store_url)
    before = all_entries(store_url)

    code, found = operator.answers("record", "shadow")

    assert code == 0
    assert sum(one["equal"] for one in found) == 40 + 24
    assert all(one["agrees"] for one in found)
    assert all_entries(store_url) == before


def test_the_shadow_leaves_no_group_in_kafka_and_no_folder_behind(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator, scratch: Path
) -> None:
    publish(fresh_topics.connection, MESSAGES[:5])
    record_all(fresh_topics.connection, sqlite_url)
    before = _groups(fresh_topics)

    code, _ = shadow(sqlite_operator)

    assert code == 0
    assert list(scratch.iterdir()) == []
    assert _groups(fresh_topics) == before


def test_rows_that_are_missing_or_say_something_else_are_named(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, [*MESSAGES[:6], MESSAGES[0]])
    record_all(fresh_topics.connection, store_url)
    edit(store_url, "delete from entry where kafka_offset = 3")
    edit(store_url, "delete from redelivery where kafka_offset = 6")
    other = "(select content_hash from entry where kafka_offset = 2)"
    edit(store_url, f"update entry set content_hash = {other} where kafka_offset = 4")

    code, found = shadow(operator)

    assert (code, found["equal"]) == (1, 4)
    assert [(one["offset"], one["what"]) for one in found["differences"]] == [
        (3, "missing in store"), (4, "other content"), (6, "missing in store"),
    ]  # fmt: skip


def test_what_is_recorded_and_gone_from_kafka_is_a_difference_unless_it_was_trimmed(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, sqlite_url)
    client = admin(fresh_topics.connection)
    client.delete_records({TopicPartition(PROCEDURE_EVENTS, PARTITION): 4})
    client.close()

    code, found = shadow(sqlite_operator)

    assert (code, found["trimmed"], found["equal"]) == (0, 4, 6)


def test_what_a_reset_skipped_is_counted_apart(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, sqlite_url)
    publish(fresh_topics.connection, MESSAGES[10:20])
    sqlite_operator.reset("--to-offset", "18", "--skip", "--reason", "test data")
    record_all(fresh_topics.connection, sqlite_url)

    code, found = shadow(sqlite_operator)

    assert (code, found["skipped"], found["equal"]) == (0, 8, 12)


def test_a_topic_that_was_made_anew_is_said_to_be_replaced(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, sqlite_url)
    fresh_topics.recreate_topics()
    publish(fresh_topics.connection, MESSAGES[:5])

    code, found = shadow(sqlite_operator)

    assert (code, found["topic_replaced"]) == (1, True)


def test_an_earlier_life_of_a_log_is_counted_apart(
    fragile_kafka: KafkaNode, sqlite_url: str, sqlite_operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    node = fragile_kafka
    monkeypatch.setenv("CRYOTRAIL_KAFKA_BOOTSTRAP", node.bootstrap)
    publish(node.connection, MESSAGES[:20], singly=True)
    record_all(node.connection, sqlite_url)
    node.kill()
    cut_tail(node, PROCEDURE_EVENTS, PARTITION, keep=10)
    node.start()

    cut, gone = shadow(sqlite_operator)
    record_all(node.connection, sqlite_url)
    publish(node.connection, MESSAGES[20:25])
    record_all(node.connection, sqlite_url)
    code, found = shadow(sqlite_operator)

    assert (cut, gone["equal"], gone["difference_count"]) == (1, 10, 10)
    assert gone["differences"][0]["what"] == "only in store"
    assert (code, found["incarnation"], found["equal"]) == (0, 1, 15)


def test_a_quarantined_record_that_could_be_read_today_is_said_and_no_difference(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:3])
    record_all(fresh_topics.connection, sqlite_url)
    # As an earlier release recorded it that did not know the schema yet.
    edit(
        sqlite_url,
        "update entry set kind = 2, content_hash = zeroblob(32) where kafka_offset = 1",
    )

    code, found = shadow(sqlite_operator)

    assert (code, found["readable_now"], found["equal"]) == (0, 1, 2)


def test_sealed_records_are_compared_and_the_shadow_holds_none_in_clear(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    name = b"Miyazaki^Hanako"
    publish(fresh_topics.connection, [*MESSAGES[:3], GARBAGE._replace(value=name)])
    keys = tmp_path / "keys"
    monkeypatch.setenv("CRYOTRAIL_PERSONAL_KEK_FILE", str(kek_file(keys)))
    monkeypatch.setenv("CRYOTRAIL_KEYS_PATH", str(keys / "keys.sqlite3"))
    with key_store(keys) as store:
        record_all(fresh_topics.connection, sqlite_url, records=RecordCipher(store))
    kept = tmp_path / "kept"

    code, found = sqlite_operator.answers("record", "shadow", "--keep", str(kept))

    one = next(one for one in found if _is_the_partition(one))
    assert (code, one["equal"], one["not_comparable"]) == (0, 4, 0)
    assert files_with([name], kept) == set()
    assert [path.name for path in kept.iterdir() if path.is_dir()] == []
    assert verify(f"sqlite:///{kept / 'shadow.sqlite3'}").result == "intact"


def test_a_folder_to_keep_that_is_there_already_is_left_alone(
    kafka: KafkaNode, sqlite_operator: Operator, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()

    code, _ = sqlite_operator.answers("record", "shadow", "--keep", str(tmp_path / "kept"))

    assert code == 1
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_recorder_may_be_running(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    with recorder(fresh_topics.connection, store_url) as one, running(one):
        until(lambda: one.tally.recorded == 20)

        code, found = shadow(operator)

        publish(fresh_topics.connection, MESSAGES[20:22])
        until(lambda: one.tally.recorded == 22)
    assert (code, found["equal"], found["compared_below"]) == (0, 20, 20)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which temporary files are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def _groups(node: KafkaNode) -> list[str]:
    client = admin(node.connection)
    try:
        return sorted(str(one["group_id"]) for one in client.list_groups())
    finally:
        client.close()
