"""`cryotrail replay` puts a table's events on the real Kafka, and says what it did."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from kafka_fixtures import KafkaNode, home_settings
from published_records import published_records
from replayed_cohort import cohort, events

from cryotrail.commands.replay import main
from cryotrail.settings import Settings
from cryotrail_producers.replay import ReplayRefused, reference_table
from cryotrail_schemas.codec import encode, parse_frame
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS


def settings_for(kafka: KafkaNode, home: Path) -> Settings:
    """A home of its own, with its own outbox, that publishes to the tests' Kafka."""
    return replace(home_settings(home), kafka_bootstrap=kafka.bootstrap)


def test_the_shipped_cohort_arrives_whole_under_its_own_ids_and_source(
    fresh_topics: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--json", "--wait-s", "60"], settings_for(fresh_topics, tmp_path))

    report = json.loads(capsys.readouterr().out)
    source = f"urn:cryotrail:replay:{cohort().data_set}"
    assert code == 0
    assert (report["accepted"], report["acknowledged"], report["waiting"]) == (11_805, 11_805, 0)
    assert (report["procedures"], report["subjects"]) == (11, 9)
    assert (report["source"], report["data_origin"]) == (source, "RECONSTRUCTED")

    records = published_records(fresh_topics.connection)
    assert Counter(record.topic for record in records) == {
        PROCEDURE_EVENTS: 813,
        PROBE_TELEMETRY: 10_992,
    }
    assert {record.headers["ce_source"] for record in records} == {source}
    bodies = {record.headers["ce_id"]: parse_frame(record.value).body for record in records}
    assert bodies == {str(event.header.event_id): encode(event) for event in events()}


def test_a_second_replay_from_another_outbox_puts_the_same_bytes(
    fresh_topics: KafkaNode, tmp_path: Path
) -> None:
    for outbox in ("first", "second"):
        assert main(["--wait-s", "60"], settings_for(fresh_topics, tmp_path / outbox)) == 0

    records = published_records(fresh_topics.connection, [PROCEDURE_EVENTS])
    assert len(records) == 2 * 813
    assert len({(record.headers["ce_id"], record.value) for record in records}) == 813


def test_a_table_that_is_refused_publishes_nothing(fresh_topics: KafkaNode, tmp_path: Path) -> None:
    table = tmp_path / "short.csv"
    table.write_text(reference_table().replace(",2,2,63,", ",2,2,55,"))

    with pytest.raises(ReplayRefused, match="line 5, duration_min: 55 min are 2 min too few"):
        main([str(table)], settings_for(fresh_topics, tmp_path / "home"))

    assert published_records(fresh_topics.connection) == []


def test_the_printed_table_is_the_shipped_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--print-reference"], home_settings(tmp_path)) == 0

    assert capsys.readouterr().out == reference_table()


def test_an_unknown_zone_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--site-tz", "Tokyo"], home_settings(tmp_path))

    assert stopped.value.code == 2
    assert "no IANA zone such as Asia/Tokyo" in capsys.readouterr().err
