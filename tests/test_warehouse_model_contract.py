"""Every published table keeps what its schema.yml promises: columns, types, comments and tests."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
import replayed_cohort
from handmade_case import Case
from marts import rows
from recorded_events import EventRecorder

from cryotrail_audit.store import migrate, open_store
from cryotrail_schemas.events import DataOrigin
from cryotrail_warehouse.correction_rows import CHANGE_COLUMNS
from cryotrail_warehouse.current_events import COLUMNS as CURRENT_EVENT_COLUMNS
from cryotrail_warehouse.errors import ModelError
from cryotrail_warehouse.model import Model, ModelSet
from cryotrail_warehouse.model_files import macros, models
from cryotrail_warehouse.raw_tables import STREAM_COLUMNS
from cryotrail_warehouse.raw_tables import TABLES as RAW_TABLES
from cryotrail_warehouse.refresh import refresh

TABLES = models().tables
COHORT_TABLES = [model for model in TABLES if model.name.startswith("cohort_")]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort, a synthetic case and a case with an open cycle, published once."""
    folder = tmp_path_factory.mktemp("contract")
    url = f"sqlite:///{folder / 'audit.sqlite3'}"
    migrate(url)
    with closing(open_store(url)) as store:
        recorder = EventRecorder(store)
        recorder.record_all(replayed_cohort.events())
        recorder.record(*Case(900, data_origin=DataOrigin.SYNTHETIC).whole())
        opened = Case(901)
        started = opened.whole()[:5]
        amendment = opened.amend(started[0], "/tumour_size_mm", 31.0)
        recorder.record(*started, amendment, opened.void(amendment))
        return refresh(store, folder / "warehouse", "Asia/Tokyo").path


def by_name(model: Model) -> str:
    """Identifies a model in the name of a test."""
    return model.name


def counterexamples(table: str, column: str, data_test: Any) -> str:
    """A query that finds rows only where a data test does not hold."""
    if data_test == "not_null":
        return f'select 1 from {table} where "{column}" is null'
    if data_test == "unique":
        return f'select "{column}" from {table} group by 1 having count(*) > 1'
    ((kind, given),) = data_test.items()
    if kind == "accepted_values":
        accepted = ", ".join(f"'{value}'" for value in given["values"])
        return f'select 1 from {table} where "{column}" not in ({accepted})'
    assert kind == "relationships"
    known = f"select {given['field']} from {given['to']}"
    return f'select 1 from {table} where "{column}" not in ({known})'


@pytest.mark.parametrize("model", TABLES, ids=by_name)
def test_the_columns_are_those_of_the_contract(published: Path, model: Model) -> None:
    found = rows(published, f"describe main.{model.name}")

    # DESCRIBE writes the long name of a type.
    long_names = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
    assert [(c["column_name"], c["column_type"]) for c in found] == [
        (c.name, long_names.get(c.data_type, c.data_type)) for c in model.columns
    ]


def test_every_model_selects_exactly_the_columns_of_the_contract() -> None:
    # INSERT BY NAME fills a column that the query forgot with null: only a look at the query shows.
    with duckdb.connect() as connection:
        selected = _selected_columns(connection)

    promised = {m.name: sorted(c.name for c in m.columns) for m in TABLES if m.sql}
    assert {name: sorted(selected[name]) for name in promised} == promised


@pytest.mark.parametrize("model", TABLES, ids=by_name)
def test_the_grain_is_unique(published: Path, model: Model) -> None:
    key = ", ".join(model.key)

    assert model.key
    assert rows(published, f"from {model.name} select {key} group by all having count(*) > 1") == []
    assert rows(published, f"select count(*) as n from {model.name}") != [{"n": 0}], "not tested"


@pytest.mark.parametrize("model", TABLES, ids=by_name)
def test_the_data_tests_of_the_contract_hold(published: Path, model: Model) -> None:
    promised = [(column.name, one) for column in model.columns for one in column.data_tests]
    assert promised, "promises nothing"
    queries = (
        f"select {number} as number from ({counterexamples(model.name, *one)} limit 1)"
        for number, one in enumerate(promised)
    )

    broken = rows(published, " union all ".join(queries))

    assert [promised[found["number"]] for found in broken] == []


def test_every_table_view_and_column_is_explained_in_the_file(published: Path) -> None:
    unexplained = rows(
        published,
        "select table_name, column_name from duckdb_columns() where database_name = 'warehouse'"
        " and schema_name = 'main' and coalesce(comment, '') = ''"
        " union all select table_name, null from duckdb_tables()"
        " where database_name = 'warehouse' and coalesce(comment, '') = ''"
        " union all select view_name, null from duckdb_views()"
        " where database_name = 'warehouse' and not internal and coalesce(comment, '') = ''",
    )

    assert unexplained == []
    (commented,) = rows(
        published,
        "select comment from duckdb_columns() where table_name = 'fct_procedure'"
        " and column_name = 'duration_min'",
    )
    assert "ended_at" in commented["comment"] and commented["comment"].endswith("[min]")


def test_a_unit_in_a_name_is_the_unit_in_the_contract() -> None:
    units = {"_min": "min", "_mm": "mm", "_cel": "Cel", "_deg": "deg", "_months": "mo"}
    unlike = [
        (model.name, column.name)
        for model in TABLES
        for column in model.columns
        for suffix, unit in units.items()
        if column.name.endswith(suffix)
        and column.data_type in ("DOUBLE", "INTEGER", "DECIMAL(7,1)")
        and column.unit != unit
    ]

    assert unlike == []


@pytest.mark.parametrize("model", COHORT_TABLES, ids=by_name)
def test_cohort_tables_name_their_unit_and_never_mix_origins(published: Path, model: Model) -> None:
    assert "analysis_unit" in {column.name for column in model.columns}
    cohorts = {r["cohort"] for r in rows(published, f"select distinct cohort from {model.name}")}
    assert cohorts >= {"RECONSTRUCTED"}
    assert cohorts <= {"RECONSTRUCTED", "SYNTHETIC", "CLINICAL"}


def test_a_circle_and_an_unknown_reference_are_refused() -> None:
    def model(name: str, reads: str) -> Model:
        sql = f"from {{{{ ref('{reads}') }}}}"
        return Model(name, sql, "", "", (), "full", ())

    with pytest.raises(ModelError, match="circle"):
        ModelSet({"a": model("a", "b"), "b": model("b", "a")}, "")
    with pytest.raises(ModelError, match="unknown"):
        ModelSet({"a": model("a", "elsewhere")}, "")


def _selected_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of each model's SQL, over empty inputs of the right shape."""
    connection.execute("set variable site_tz = 'UTC'")
    connection.execute(macros())
    sources = {
        "current_event": CURRENT_EVENT_COLUMNS,
        "correction_change": CHANGE_COLUMNS,
        "procedure_stream": STREAM_COLUMNS,
        **RAW_TABLES,
    }
    for name, columns in sources.items():
        defined = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        connection.execute(f"create table source_{name} ({defined})")
    selected: dict[str, list[str]] = {}
    for model in models():
        if model.sql is None:
            defined = ", ".join(f'"{c.name}" {c.data_type}' for c in model.columns)
            connection.execute(f"create table {model.name} ({defined})")
            continue
        sql = model.render(ref="{}".format, source=lambda group, table: f"source_{table}")
        connection.execute(f"create table {model.name} as {sql}")
        described = connection.execute(f"describe {model.name}").fetchall()
        selected[model.name] = [name for name, *_ in described]
    return selected
