"""``cryotrail schemas`` lists, shows and checks the contract."""

import json

import pytest

from cryotrail.main import main
from cryotrail_schemas.catalog import catalog, event_type_of


def test_list_names_every_released_version(capsys):
    assert main(["schemas", "list", "--json"]) == 0

    rows = json.loads(capsys.readouterr().out)
    assert [(row["type"], row["version"], row["fingerprint"]) for row in rows] == [
        (item.name, item.version, item.fingerprint.hex()) for item in catalog()
    ]
    assert {row["topic"] for row in rows if row["type"] == "ProbeTelemetryChunk"} == {
        "cryotrail.probe-telemetry"
    }


def test_list_is_a_table_for_people(capsys):
    assert main(["schemas", "list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["type", "version", "fingerprint", "topic"]
    assert len(lines) == 2 + len(catalog())


def test_show_prints_the_published_text_byte_for_byte(capsys):
    assert main(["schemas", "show", "FreezeStarted"]) == 0

    text = capsys.readouterr().out
    assert text == catalog().current("FreezeStarted").text
    assert event_type_of(text).name == "FreezeStarted"


def test_show_takes_a_version_and_json(capsys):
    assert main(["schemas", "show", "FreezeStarted", "--version", "1", "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert (shown["type"], shown["version"]) == ("FreezeStarted", 1)
    assert shown["text"] == catalog().current("FreezeStarted").text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Nope"], "unknown event type 'Nope'"),
        (["Header"], "unknown"),
        (["FreezeStarted", "--version", "9"], "no version 9"),
    ],
)
def test_show_of_what_is_not_there_is_refused(capsys, arguments, message):
    assert main(["schemas", "show", *arguments]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err


def test_check_finds_the_released_versions_compatible(capsys):
    assert main(["schemas", "check", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "compatible": True,
        "versions": len(catalog()),
        "changed": [],
        "problems": [],
    }


def test_check_exits_1_and_names_the_problem(capsys, monkeypatch):
    from cryotrail.commands import schemas as command

    broken = catalog().current("FreezeStarted").text.replace('"minimum": 1', '"minimum": 2')
    monkeypatch.setattr("cryotrail_schemas.evolution.assemble", lambda name: broken)

    assert command.main(["check", "--json"], settings=None) == 1

    report = json.loads(capsys.readouterr().out)
    assert report["compatible"] is False
    assert {"type": "FreezeStarted", "path": "FreezeStarted.cycle_no"}.items() <= report[
        "problems"
    ][0].items()


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["show"]])
def test_wrong_usage_exits_2(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["schemas", *arguments])

    assert stopped.value.code == 2
