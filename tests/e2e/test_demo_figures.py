"""The whole path on the published cohort: every figure equal, and a second run adds nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
from cohort_fixtures import CohortHome

ASSIGNED_BY_THE_STORE = ("seq", "recorded_at", "lateness", "path", "file_bytes")
"""Parts of column names whose values depend on when and where the store recorded."""


def figures(home: CohortHome) -> dict[str, Any]:
    return {figure["key"]: figure for figure in home.demonstration["figures"]}


def test_every_figure_of_the_publication_is_equal(cohort_home: CohortHome) -> None:
    shown = figures(cohort_home)

    assert cohort_home.demonstration["equal"] is True
    assert {figure["equal"] for figure in shown.values()} == {True}
    assert shown["duration_min.total"]["measured"] == 1112
    assert shown["duration_min.mean"]["measured"] == 101.1
    assert shown["probe_count.total"]["measured"] == 26
    assert shown["tumour_size_mm.total"]["measured"] == 436
    assert shown["age_years.total"]["measured"] == 673
    assert shown["survival.median"]["measured"] == 35
    assert [shown[f"survival.{month}.estimate"]["measured"] for month in (12, 21, 35)] == [
        0.875,
        0.7292,
        0.3646,
    ]
    assert [shown[f"survival.{month}.at_risk"]["measured"] for month in (12, 21, 35)] == [8, 6, 2]
    assert {figure["source"] for figure in shown.values()} == {
        "published",
        "implied",
        "reconstruction",
    }


def test_running_it_again_adds_no_entry_and_changes_no_root(cohort_home: CohortHome) -> None:
    before = cohort_home.demonstration["audit"]

    again = cohort_home.cryotrail("demo", "--no-dashboard", "--json")
    elsewhere = cohort_home.cryotrail(
        "demo",
        "--no-dashboard",
        "--json",
        OUTBOX_PATH=str(cohort_home.settings.home / "second.sqlite3"),
    )

    for run in (again, elsewhere):
        assert run.returncode == 0, run.stderr
        said = json.loads(run.stdout)
        assert said["audit"] == before
        assert said["recorded"] == 0
        assert said["figures"] == cohort_home.demonstration["figures"]


def test_the_same_cohort_in_postgresql_gives_the_same_marts(
    cohort_home: CohortHome, postgres_url: str, tmp_path: Path
) -> None:
    elsewhere = {"AUDIT_URL": postgres_url, "WAREHOUSE_DIR": str(tmp_path / "warehouse")}

    for command in (("record", "--until-caught-up"), ("warehouse", "refresh")):
        ran = cohort_home.cryotrail(*command, **elsewhere)
        assert ran.returncode == 0, ran.stderr

    differing = differences(
        cohort_home.warehouse_dir / "warehouse.duckdb", tmp_path / "warehouse" / "warehouse.duckdb"
    )
    assert len(differing) >= 16
    assert differing == dict.fromkeys(differing, 0)


def test_a_figure_that_differs_makes_the_demonstration_fail(
    cohort_home: CohortHome, tmp_path: Path
) -> None:
    table = cohort_home.cryotrail("replay", "--print-reference").stdout
    longer = table.replace(",96,true,", ",97,true,")
    assert longer != table
    (tmp_path / "longer.csv").write_text(longer)
    other = {
        "HOME": str(tmp_path / "home"),
        "SITE_TZ": "Asia/Tokyo",
    }

    ran = cohort_home.cryotrail("kafka", "start", **other)
    try:
        assert ran.returncode == 0, ran.stderr
        assert (
            cohort_home.cryotrail("replay", str(tmp_path / "longer.csv"), **other).returncode == 0
        )
        demo = cohort_home.cryotrail("demo", "--no-dashboard", "--json", **other)
    finally:
        cohort_home.cryotrail("kafka", "stop", **other)

    said = json.loads(demo.stdout)
    unequal = {figure["key"] for figure in said["figures"] if not figure["equal"]}
    assert demo.returncode == 1
    assert {"procedures", "duration_min.total"} <= unequal


def differences(one: Path, other: Path) -> dict[str, int]:
    """Rows that only one of two published files has, by table."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'one' "
            "and schema_name = 'main' and table_name not like 'meta%' order by 1"
        ).fetchall()
        return {name: _rows_apart(connection, name) for (name,) in tables}


def _rows_apart(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    columns = [
        f'"{name}"'
        for (name,) in connection.execute(
            "select column_name from duckdb_columns() where database_name = 'one' "
            "and schema_name = 'main' and table_name = ? order by column_index",
            [table],
        ).fetchall()
        if not any(part in name for part in ASSIGNED_BY_THE_STORE)
    ]
    listed = ", ".join(columns)
    sides = [f"select {listed} from {side}.main.{table}" for side in ("one", "other")]
    apart = (
        f"(({sides[0]}) except all ({sides[1]})) union all (({sides[1]}) except all ({sides[0]}))"
    )
    row = connection.execute(f"select count(*) from ({apart})").fetchone()
    assert row is not None
    return int(row[0])
