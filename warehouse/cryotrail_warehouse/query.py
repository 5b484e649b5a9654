"""Read-only SQL on the published file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryotrail_warehouse.errors import NothingPublished, QueryRefused, WarehouseError
from cryotrail_warehouse.publication import published_path
from cryotrail_warehouse.telemetry_files import FOLDER as TELEMETRY_FOLDER

if TYPE_CHECKING:
    import duckdb

_TIME_TYPE: Final = "TIMESTAMP WITH TIME ZONE"


_SAMPLES: Final = """
create temp macro samples(file_path) as table from read_parquet('{folder}/' || file_path)
"""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns and rows of one query."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    """What JSON can say: UUIDs and days as text, times as ISO 8601 in UTC."""


@contextmanager
def reading(warehouse_dir: Path, file: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the publication of this moment, and the telemetry files beside it.

    Tables are named as in the file (``fct_procedure``, ``clinic.procedures``) or behind
    ``warehouse.``, and ``samples('<file_path of fct_telemetry_file>')`` reads a procedure's
    samples. Nothing else on this computer can be read: the settings are locked.

    :param file: another marts file in the place of the publication, such as one of an earlier
        moment, with the telemetry files beside it.
    :raises NothingPublished: no refresh has run in this folder, or there is no such file.
    :raises WarehouseError: the file is no marts file, or cannot be read.
    """
    import duckdb

    if file is not None and not file.is_file():
        raise NothingPublished(
            f"there is no file {file}",
            hint="cryotrail warehouse rebuild --as-of TIME --output FILE",
        )
    path = str(file or published_path(warehouse_dir)).replace("'", "''")
    with duckdb.connect() as connection:
        try:
            # The type is named, else DuckDB would look for an extension that reads another one.
            connection.execute(f"attach '{path}' as warehouse (type duckdb, read_only)")
            connection.execute("use warehouse")
        except duckdb.Error as error:
            raise WarehouseError(f"{path} cannot be read: {str(error).strip()}") from error
        connection.execute("set TimeZone = 'UTC'")
        beside = warehouse_dir if file is None else file.parent
        folder = str(beside.absolute()).replace("'", "''")
        connection.execute(_SAMPLES.format(folder=folder))
        connection.execute("set allowed_directories = $1", [[f"{folder}/{TELEMETRY_FOLDER}/"]])
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


def query(warehouse_dir: Path, sql: str, file: Path | None = None) -> QueryResult:
    """Run one SELECT (or DESCRIBE, SHOW, SUMMARIZE) on the publication, or on another marts file.

    :raises NothingPublished: no refresh has run in this folder, or there is no such file.
    :raises QueryRefused: not one statement that reads, or DuckDB refuses it.
    """
    import duckdb

    with reading(warehouse_dir, file) as connection:
        try:
            statements = connection.extract_statements(sql)
            # COPY would write into the folder whose files may be read.
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise QueryRefused(
                    "one statement that reads is wanted",
                    hint="SELECT, FROM, WITH, DESCRIBE, SHOW TABLES or SUMMARIZE",
                )
            text = statements[0].query.strip().rstrip(";")
            described = connection.execute(f"describe from (\n{text}\n) as result").fetchall()
            # DuckDB writes the JSON itself: every type has one form, and none needs a Python
            # package to be turned into an object first.
            lines = connection.execute(f"select to_json(result) from (\n{text}\n) as result")
            rows = [json.loads(line, parse_constant=_no_number) for (line,) in lines.fetchall()]
        except duckdb.Error as error:
            raise QueryRefused(str(error).strip()) from error
    times = [name for name, data_type, *_ in described if data_type == _TIME_TYPE]
    for row in rows:
        row.update({name: _iso(row[name]) for name in times})
    return QueryResult(tuple(name for name, *_ in described), rows)


def _iso(text: str | None) -> str | None:
    """DuckDB's ``2012-01-19 01:00:00+00`` as ISO 8601."""
    return None if text is None else text.replace(" ", "T").removesuffix("+00") + "Z"


def _no_number(constant: str) -> None:
    """NaN and infinity, which JSON has no word for, are given as null."""
