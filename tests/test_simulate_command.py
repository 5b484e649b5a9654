"""`cryotrail simulate` puts made-up procedures on the real Kafka, repeatable by their seed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from kafka_fixtures import KafkaNode, home_settings
from published_records import published_records

from cryotrail.commands.simulate import main
from cryotrail_producers.simulate import simulate


def test_two_procedures_of_a_seed_arrive_whole(
    fresh_topics: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(home_settings(tmp_path), kafka_bootstrap=fresh_topics.bootstrap)
    expected = list(simulate(2, seed=7))

    code = main(["--procedures", "2", "--seed", "7", "--wait-s", "60", "--json"], settings)

    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (report["seed"], report["data_origin"]) == (7, "SYNTHETIC")
    assert (report["accepted"], report["waiting"]) == (len(expected), 0)
    records = published_records(fresh_topics.connection)
    assert {record.headers["ce_source"] for record in records} == {"urn:cryotrail:simulate:7"}
    assert {record.headers["ce_id"] for record in records} == {
        str(event.header.event_id) for event in expected
    }


def test_a_seed_that_was_drawn_is_named_so_that_the_run_can_be_repeated(
    fresh_topics: KafkaNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(home_settings(tmp_path), kafka_bootstrap=fresh_topics.bootstrap)

    assert main(["--json", "--wait-s", "60"], settings) == 0

    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert f"--seed {report['seed']}" in printed.err
    ids = {record.headers["ce_id"] for record in published_records(fresh_topics.connection)}
    assert ids == {str(event.header.event_id) for event in simulate(1, seed=report["seed"])}


@pytest.mark.parametrize(
    "arguments",
    [["--procedures", "0"], ["--speed", "-1"], ["--speed", "nan"], ["--first-day", "Monday"]],
)
def test_impossible_arguments_are_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments, home_settings(tmp_path))

    assert stopped.value.code == 2
