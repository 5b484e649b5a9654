"""A reset moves where the recorder goes on: back it finds all known, forth it leaves records unread."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka.structs import TopicPartition
from kafka_fixtures import KafkaNode
from key_stores import key_store
from recorded_kafka import (
    all_entries,
    publish,
    record_all,
    recorder,
    running,
)
from reset_positions import (
    GARBAGE,
    MESSAGES,
    ONE_PARTITION,
    PARTITION,
    Operator,
    offsets,
    resets_said,
)
from waiting import until

from cryotrail.embedded.trim import trim_through_recorded
from cryotrail.main import main
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.kafka_clients import admin
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.topics import PROCEDURE_EVENTS

# kafka-python 3.0.12 leaves a socket to the garbage collector for each connection that is refused.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def redeliveries(url: str) -> int:
    store = open_store(url)
    try:
        return store.counts().redeliveries
    finally:
        store.close()


def test_reading_again_from_the_start_adds_nothing_but_the_entry_of_the_reset(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, [*MESSAGES[:20], GARBAGE, *MESSAGES[:3], *MESSAGES[20:30]])
    record_all(fresh_topics.connection, store_url)
    before = all_entries(store_url)

    done = operator.reset("--to-start", "--reason", "asked for by the auditor")
    tally = record_all(fresh_topics.connection, store_url)

    assert (done["from_offset"], done["to_offset"], done["reread_count"]) == (34, 0, 34)
    assert (tally.known, tally.recorded, tally.redelivered, tally.quarantined) == (34, 0, 0, 0)
    assert tally.alarms == 0
    after = all_entries(store_url)
    assert after[: len(before)] == before
    (added,) = after[len(before) :]
    assert (added.kind, added.event_type) == (3, "position_reset")
    assert redeliveries(store_url) == 3
    assert verify(store_url).result == "intact"
    assert record_all(fresh_topics.connection, store_url).known == 0


def test_the_entry_names_from_to_who_and_why(
    fresh_topics: KafkaNode,
    sqlite_url: str,
    sqlite_operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "kobayashi")
    publish(fresh_topics.connection, MESSAGES[:20])
    record_all(fresh_topics.connection, sqlite_url)

    sqlite_operator.reset("--to-offset", "5", "--reason", "asked for by the auditor")

    (said,) = resets_said(sqlite_url)
    assert (said["topic"], said["partition"]) == (PROCEDURE_EVENTS, PARTITION)
    assert (said["from_offset"], said["to_offset"], said["offset_count"]) == (20, 5, 15)
    assert (said["unread_count"], said["reason"]) == (0, "asked for by the auditor")
    assert said["decided_by"].startswith("kobayashi@")


def test_skipping_needs_to_be_said_and_is_recorded_late_after_a_reset_back(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, MESSAGES[10:30])

    refused = operator.refused("--to-offset", "18")
    done = operator.reset("--to-offset", "18", "--skip", "--reason", "test data")
    tally = record_all(fresh_topics.connection, store_url)

    assert "8 offsets would be left unread" in refused
    assert done["unread_count"] == 8
    assert (tally.recorded, tally.alarms) == (12, 0)
    assert offsets(store_url) == [*range(10), *range(18, 30)]
    assert verify(store_url).result == "intact"

    operator.reset("--to-offset", "5")
    late = record_all(fresh_topics.connection, store_url)

    assert (late.known, late.recorded, late.redelivered) == (17, 8, 0)
    assert offsets(store_url) == [*range(10), *range(18, 30), *range(10, 18)]
    assert verify(store_url).result == "intact"


def test_what_a_reset_skipped_is_a_remark_of_reconciliation(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, store_url)
    publish(fresh_topics.connection, MESSAGES[10:30])
    operator.reset("--to-offset", "18", "--skip", "--reason", "test data")
    record_all(fresh_topics.connection, store_url)
    operator.reset("--to-offset", "3")

    code, found = operator.answers("audit", "reconcile")

    (one,) = [
        one for one in found if (one["topic"], one["partition"]) == (PROCEDURE_EVENTS, PARTITION)
    ]
    assert code == 0
    assert (one["equal"], one["skipped"], one["difference_count"]) == (22, 8, 0)
    assert one["recorded_below"] == 30


def test_a_time_is_the_first_record_from_then_on(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    # Kafka's clock is that of this machine, in milliseconds.
    between = datetime.fromtimestamp(int(datetime.now(UTC).timestamp() * 1000) / 1000 + 0.001, UTC)
    until(lambda: datetime.now(UTC) > between)
    publish(fresh_topics.connection, MESSAGES[10:20])
    record_all(fresh_topics.connection, sqlite_url)

    done = sqlite_operator.reset("--to-time", between.isoformat())

    assert (done["from_offset"], done["to_offset"]) == (20, 10)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["record", "reset", "--to-time", "2026-11-22T08:00:00"])

    assert refused.value.code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no-target"),
        pytest.param(["--to-start", "--to-offset", "1"], id="two-targets"),
        pytest.param(["--to-offset", "1"], id="an-offset-of-no-partition"),
        pytest.param(["--to-start", "--partition", "1"], id="a-partition-of-no-topic"),
        pytest.param(["--to-start", "--skip"], id="skip-without-a-reason"),
        pytest.param(["--to-offset", "-1", *ONE_PARTITION], id="a-negative-offset"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["record", "reset", *arguments])

    assert refused.value.code == 2


def test_a_dry_run_shows_and_changes_nothing(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, sqlite_url)
    before = all_entries(sqlite_url)

    code, shown = sqlite_operator.answers("record", "reset", "--to-start", "--dry-run")

    assert (code, shown["moved"]) == (0, False)
    assert len(shown["partitions"]) == 24
    assert sum(one["reread_count"] for one in shown["partitions"]) == 10
    assert all_entries(sqlite_url) == before
    assert record_all(fresh_topics.connection, sqlite_url).known == 0


def test_behind_the_end_of_the_log_is_refused(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, sqlite_url)

    refused = sqlite_operator.refused("--to-offset", "11", "--skip", "--reason", "x")

    assert "ends at 10" in refused
    assert resets_said(sqlite_url) == []


def test_before_the_start_of_the_log_becomes_its_start(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    record_all(fresh_topics.connection, sqlite_url)
    _delete_before(fresh_topics, 7)

    done = sqlite_operator.reset("--to-offset", "2")
    tally = record_all(fresh_topics.connection, sqlite_url)

    assert (done["clamped_from"], done["to_offset"]) == (2, 7)
    assert (tally.known, tally.alarms) == (13, 0)


def test_what_kafka_deletes_between_a_reset_and_its_reading_is_no_loss(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    record_all(fresh_topics.connection, sqlite_url)
    sqlite_operator.reset("--to-start")
    _delete_before(fresh_topics, 12)

    tally = record_all(fresh_topics.connection, sqlite_url)

    assert (tally.known, tally.alarms, tally.recorded, tally.redelivered) == (8, 0, 0, 0)


def test_a_log_made_anew_cannot_be_reset_into_the_old_one(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    record_all(fresh_topics.connection, sqlite_url)
    fresh_topics.recreate_topics()

    refused = sqlite_operator.refused("--to-start")

    assert "topic_replaced" in refused and "record --until-caught-up" in refused


def test_a_partition_that_was_never_read_can_be_begun_later(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])

    sqlite_operator.reset(
        "--to-offset", "15", "--skip", "--reason", "trial run before the first patient"
    )
    tally = record_all(fresh_topics.connection, sqlite_url)

    assert (tally.recorded, tally.alarms) == (5, 0)
    sqlite_operator.reset("--to-start")
    assert record_all(fresh_topics.connection, sqlite_url).recorded == 15


def test_a_running_recorder_goes_on_from_the_new_position(
    fresh_topics: KafkaNode, store_url: str, operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    with recorder(fresh_topics.connection, store_url) as one, running(one):
        until(lambda: one.tally.recorded == 20)
        operator.reset("--to-start")
        # Nothing arrives that would make it append: it has to look.
        until(lambda: one.tally.known == 20)
        publish(fresh_topics.connection, MESSAGES[20:30])
        until(lambda: one.tally.recorded == 30)

    assert offsets(store_url) == list(range(30))
    assert (one.tally.redelivered, one.tally.alarms) == (0, 0)


def test_sealed_records_are_known_when_they_are_read_again(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator, tmp_path: Path
) -> None:
    with key_store(tmp_path / "keys") as keys:
        cipher = RecordCipher(keys)
        publish(fresh_topics.connection, [*MESSAGES[:5], GARBAGE, GARBAGE])
        record_all(fresh_topics.connection, sqlite_url, records=cipher)
        sqlite_operator.reset("--to-offset", "2")

        tally = record_all(fresh_topics.connection, sqlite_url, records=cipher)
        publish(fresh_topics.connection, MESSAGES[5:8])
        after = record_all(fresh_topics.connection, sqlite_url, records=cipher)

    assert (tally.known, tally.quarantined, tally.alarms) == (5, 0, 0)
    assert (after.recorded, after.known, after.alarms) == (3, 0, 0)


def _delete_before(node: KafkaNode, offset: int) -> None:
    client = admin(node.connection)
    client.delete_records({TopicPartition(PROCEDURE_EVENTS, PARTITION): offset})
    client.close()


def test_kafka_keeps_what_a_reset_left_unread(
    fresh_topics: KafkaNode, sqlite_url: str, sqlite_operator: Operator
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10])
    record_all(fresh_topics.connection, sqlite_url)
    publish(fresh_topics.connection, MESSAGES[10:30])
    sqlite_operator.reset("--to-offset", "18", "--skip", "--reason", "test data")
    record_all(fresh_topics.connection, sqlite_url)

    assert _trimmed_below(fresh_topics, sqlite_url) == 10
    sqlite_operator.reset("--to-start")
    record_all(fresh_topics.connection, sqlite_url)
    assert _trimmed_below(fresh_topics, sqlite_url) == 30


def test_people_are_shown_what_is_moved(
    fresh_topics: KafkaNode,
    sqlite_url: str,
    sqlite_operator: Operator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    record_all(fresh_topics.connection, sqlite_url)
    capsys.readouterr()

    code = main(["record", "reset", "--to-start"])

    header, *_, row, outcome = capsys.readouterr().out.splitlines()
    assert code == 0
    assert header.split() == [
        "partition", "Kafka", "holds", "from", "to", "read", "again", "left", "unread",
    ]  # fmt: skip
    assert row.split() == [f"{PROCEDURE_EVENTS}[{PARTITION}]", "0..20", "20", "0", "20", "0"]
    (entry,) = [one for one in all_entries(sqlite_url) if one.event_type == "position_reset"]
    assert outcome == f"1 partition moved (from entry {entry.seq} on)"


def _trimmed_below(node: KafkaNode, url: str) -> int:
    """Up to where `cryotrail kafka trim` would delete."""
    with closing(open_store(url)) as store:
        done = trim_through_recorded(node.connection, store, [PROCEDURE_EVENTS], dry_run=True)
    return next(one.log_start + one.deleted for one in done if one.partition == PARTITION)
