"""``cryotrail warehouse``: what it prints, where, and with which exit code."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from handmade_case import Case
from recorded_events import EventRecorder
from small_warehouse import SmallWarehouse

from cryotrail.main import main
from cryotrail_audit.store import migrate, open_store

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _settings(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", sqlite_url)
    monkeypatch.setenv("CRYOTRAIL_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv("CRYOTRAIL_SITE_TZ", "Asia/Tokyo")


@pytest.fixture
def recorder(sqlite_url: str) -> EventRecorder:
    with closing(open_store(sqlite_url)) as store:
        recorder = EventRecorder(store)
        recorder.record(*Case(1).whole())
    recorder.store = open_store(sqlite_url)
    return recorder


@pytest.fixture(scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{folder / 'audit.sqlite3'}"
    migrate(url)
    with SmallWarehouse(url, folder / "warehouse", "Asia/Tokyo") as warehouse:
        warehouse.publish(*Case(1).whole())
    return folder


@pytest.fixture
def published(_home: Path, tmp_path: Path) -> None:
    """A copy of a store of one procedure and of its warehouse, for what only reads it."""
    shutil.copytree(_home, tmp_path, symlinks=True, dirs_exist_ok=True)


def run(*arguments: str) -> int:
    """The exit code of ``cryotrail warehouse ...`` in this process."""
    return main(["warehouse", *arguments])


def sql(capsys: Captured, query: str, *options: str) -> str:
    """What a query prints."""
    capsys.readouterr()
    assert run("sql", query, *options) == 0
    return capsys.readouterr().out


def test_refresh_says_what_it_did_and_path_where_it_lies(
    recorder: EventRecorder, capsys: Captured, tmp_path: Path
) -> None:
    assert run("refresh", "--json") == 0
    outcome = json.loads(capsys.readouterr().out)
    assert run("path") == 0

    path = capsys.readouterr().out.strip()
    assert path == str(tmp_path / "warehouse" / "warehouse.duckdb")
    assert outcome["path"] == path
    assert (outcome["publication_no"], outcome["published"], outcome["procedures"]) == (1, True, 1)
    assert run("refresh") == 0
    assert capsys.readouterr().out.startswith("no news since publication 1")


def test_rebuild_publishes_anew(recorder: EventRecorder, capsys: Captured) -> None:
    assert run("refresh") == 0
    assert run("rebuild") == 0

    assert "publication 2: " in capsys.readouterr().out


def test_rows_as_json_are_an_array_of_objects(published: None, capsys: Captured) -> None:
    rows = json.loads(
        sql(
            capsys,
            "select procedure_id, started_at, treated_on, duration_min, embolized, age_years"
            " from fct_procedure -- one row\n;",
            "--json",
        )
    )

    assert rows == [
        {
            "procedure_id": str(Case(1).procedure_id),
            "started_at": "2026-03-02T09:00:00Z",
            "treated_on": "2026-03-02",
            "duration_min": 90.0,
            "embolized": False,
            "age_years": None,
        }
    ]


def test_rows_as_a_table_and_as_csv(published: None, capsys: Captured) -> None:
    table = sql(capsys, "select procedure, duration_min from clinic.procedures").splitlines()
    lines = sql(capsys, "select procedure, duration_min from clinic.procedures", "--csv")

    assert [line.split() for line in (table[0], table[2])] == [
        ["procedure", "duration_min"],
        ["CRYO-0001", "90.0"],
    ]
    assert list(csv.reader(lines.splitlines())) == [
        ["procedure", "duration_min"],
        ["CRYO-0001", "90.0"],
    ]


def test_no_rows_are_an_empty_array(published: None, capsys: Captured) -> None:
    assert json.loads(sql(capsys, "from fct_complication", "--json")) == []


@pytest.mark.parametrize(
    "query",
    [
        "copy fct_procedure to 'stolen.csv'",
        "copy (select 1) to 'warehouse/telemetry/planted.parquet'",
        "delete from fct_procedure",
        "create table mine as select 1",
        "attach 'other.duckdb'",
        "set enable_external_access = true",
        "select 1; select 2",
        "from read_csv('secret.csv')",
        "from 'secret.csv'",
        "install httpfs",
        "selec",
        "",
    ],
)
def test_what_does_not_only_read_the_publication_is_refused(
    published: None, capsys: Captured, tmp_path: Path, query: str
) -> None:
    (tmp_path / "secret.csv").write_text("name\nAntonio\n")
    before = sorted(tmp_path.rglob("*"))

    assert run("sql", query) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("cryotrail warehouse: ")
    assert "Traceback" not in printed.err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_column_is_named_in_plain_words(published: None, capsys: Captured) -> None:
    assert run("sql", "select duration from fct_procedure") == 1

    assert "duration_min" in capsys.readouterr().err  # DuckDB's own suggestion


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["path"], "cryotrail warehouse refresh"),
        (["sql", "select 1"], "cryotrail warehouse refresh"),
    ],
)
def test_before_the_first_refresh_the_remedy_is_named(
    capsys: Captured, arguments: Sequence[str], remedy: str
) -> None:
    assert run(*arguments) == 1

    assert remedy in capsys.readouterr().err


def test_without_a_store_the_remedy_is_named(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", f"sqlite:///{tmp_path / 'none.sqlite3'}")

    assert run("refresh") == 1

    assert "cryotrail audit init" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["refresh", "--every-s", "0"], ["sql"], ["sql", "select 1", "--json", "--csv"]],
)
def test_wrong_usage_is_exit_2(arguments: Sequence[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*arguments)

    assert ended.value.code == 2


def test_samples_of_a_procedure_are_read_by_the_name_of_their_file(
    recorder: EventRecorder, capsys: Captured
) -> None:
    from cryotrail_schemas.events import Channel, ProbeTelemetryChunk

    case = Case(1)
    chunk = case.at(
        ProbeTelemetryChunk,
        10,
        channel=Channel.TIP_TEMPERATURE_CEL,
        probe_id="1",
        period_ms=1000,
        values=(-1.5, -2.5),
    )
    recorder.record(chunk)
    run("refresh")
    (file,) = json.loads(sql(capsys, "select file_path from fct_telemetry_file", "--json"))

    (answer,) = json.loads(
        sql(capsys, f"select min(value) as coldest from samples('{file['file_path']}')", "--json")
    )

    assert answer == {"coldest": -2.5}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_following_ends_cleanly_on_a_signal(
    recorder: EventRecorder, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "cryotrail.main", "warehouse", "refresh", "--follow", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        first = json.loads(process.stdout.readline())
        recorder.record(*Case(2).whole())
        second = json.loads(process.stdout.readline())
        process.send_signal(number)
        said = process.stderr.read()

    assert (first["publication_no"], second["publication_no"]) == (1, 2)
    assert process.returncode == 0
    assert said == ""


def test_a_path_and_a_query_import_no_database_driver() -> None:
    code = (
        "import sys, cryotrail.commands.warehouse, cryotrail_warehouse.query\n"
        "print({'sqlalchemy', 'psycopg', 'pyarrow', 'pandas', 'yaml', 'duckdb'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
