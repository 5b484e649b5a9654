"""The raw tables: what one decoded entry of the log becomes, and how rows get in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "event": {
        "seq": "BIGINT",
        "event_id": "UUID",
        "event_type": "VARCHAR",
        "procedure_id": "UUID",
        "recorded_us": "BIGINT",
        "producer_id": "VARCHAR",
        "procedure_seq": "BIGINT",
        "content_hash": "VARCHAR",
        "event": "JSON",
    },
    "telemetry_chunk": {
        "seq": "BIGINT",
        "event_id": "UUID",
        "procedure_id": "UUID",
        "recorded_us": "BIGINT",
        "channel": "VARCHAR",
        "probe_id": "VARCHAR",
        "sensor_id": "VARCHAR",
        "cycle_no": "INTEGER",
        "started_us": "BIGINT",
        "period_ms": "INTEGER",
        "values": "FLOAT[]",
        "quality": "VARCHAR",
    },
    "remark": {
        "seq": "BIGINT",
        "kind": "INTEGER",
        "event_type": "VARCHAR",
        "procedure_id": "UUID",
        "reason": "VARCHAR",
    },
    "replay": {
        "source_seq": "BIGINT",
        "seq": "BIGINT",
        "outcome": "VARCHAR",
    },
}
"""Columns of the tables that rows are appended to, by table."""

STREAM_COLUMNS: Final = {
    "procedure_id": "UUID primary key",
    "first_seq": "BIGINT",
    "last_seq": "BIGINT",
    "last_recorded_us": "BIGINT",
    "event_count": "BIGINT",
    "chunk_count": "BIGINT",
    "last_chunk_seq": "BIGINT",
    "last_correction_seq": "BIGINT",
}
"""Columns of ``procedure_stream``: what the log holds of each procedure, and where."""


def insert_json(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Mapping[str, Any]],
    scratch_dir: Path,
) -> None:
    """Insert rows through DuckDB's own JSON reader.

    At the size of a refresh this is the fastest way in: no Arrow library to import, and a
    hundred times the rows a second of ``executemany``.
    """
    with NamedTemporaryFile("w", suffix=".json", dir=scratch_dir, encoding="utf-8") as file:
        dumps = json.dumps
        file.writelines(f"{dumps(row)}\n" for row in rows)
        file.flush()
        connection.execute(
            f"insert into {table} by name select * from read_json($path,"
            f" format = 'newline_delimited', columns = {json.dumps(dict(columns))})".replace(
                '"', "'"
            ),
            {"path": file.name},
        )
