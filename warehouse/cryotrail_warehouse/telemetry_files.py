"""Samples as Parquet: ``telemetry/<procedure_id>/<last_seq>.parquet``, one file a procedure and version.

A publication thus stays small whatever the sampling rate, and a page reads one procedure's curve
from one file. A file is never changed: new chunks or a correction give a new version, and a
version goes when no publication that is kept names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

FOLDER: Final = "telemetry"

_SAMPLES: Final = """
select procedure_id, probe_id, sensor_id, channel, cycle_no,
  make_timestamptz(started_us + position * period_ms * 1000) as sampled_at, value, quality
from (
  select *, unnest(range(len(values))) as position, unnest(values) as value
  from temp.stg_telemetry_chunk where procedure_id = $procedure_id
)
order by channel, probe_id, sensor_id, sampled_at, seq
"""

_DUE: Final = """
select stream.procedure_id::varchar as procedure_id,
  greatest(last_chunk_seq, coalesce(last_correction_seq, -1)) as version,
  written.last_seq as written_version
from build.raw.procedure_stream as stream
inner join temp.touched using (procedure_id)
inner join temp.int_procedure using (procedure_id)
left join marts.main.fct_telemetry_file as written using (procedure_id)
where stream.chunk_count > 0
order by procedure_id
"""

_REGISTER: Final = """
insert into temp.written_telemetry_file
select $procedure_id, $file_path, coalesce(sum(len(values)), 0), count(*),
  make_timestamptz(min(started_us)),
  make_timestamptz(max(started_us + (len(values) - 1) * period_ms * 1000)), $version
from temp.stg_telemetry_chunk where procedure_id = $procedure_id
"""


def write_touched(connection: duckdb.DuckDBPyConnection, warehouse_dir: Path) -> None:
    """Write the files of the touched procedures and replace their rows in fct_telemetry_file.

    Files come before the rows that name them; a file whose row was never committed is written
    again under the same name with the same content.
    """
    execute = connection.execute
    execute(
        "create or replace temp table written_telemetry_file as"
        " from marts.main.fct_telemetry_file limit 0"
    )
    for procedure_id, version, written_version in execute(_DUE).fetchall():
        relative = f"{FOLDER}/{procedure_id}/{version}.parquet"
        path = warehouse_dir / relative
        if version != written_version or not path.exists():
            _write(connection, procedure_id, path)
        execute(
            _REGISTER,
            {"procedure_id": procedure_id, "file_path": relative, "version": version},
        )
    execute(
        "delete from marts.main.fct_telemetry_file"
        " where procedure_id in (select procedure_id from temp.touched)"
    )
    execute("insert into marts.main.fct_telemetry_file from temp.written_telemetry_file")


def remove_unnamed(
    connection: duckdb.DuckDBPyConnection,
    warehouse_dir: Path,
    kept: Sequence[Path],
    touched: Sequence[str],
) -> None:
    """Remove the files of the touched procedures that no kept publication names."""
    named: set[str] = set()
    for publication in kept:
        connection.execute(f"attach '{_quoted(publication)}' as kept (read_only)")
        rows = connection.execute("select file_path from kept.main.fct_telemetry_file").fetchall()
        named.update(path for (path,) in rows)
        connection.execute("detach kept")
    for procedure_id in touched:
        for path in (warehouse_dir / FOLDER / procedure_id).glob("*.parquet"):
            if f"{FOLDER}/{procedure_id}/{path.name}" not in named:
                path.unlink()


def _write(connection: duckdb.DuckDBPyConnection, procedure_id: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    connection.execute(
        f"copy ({_SAMPLES}) to '{_quoted(unfinished)}' (format parquet, compression zstd)",
        {"procedure_id": procedure_id},
    )
    unfinished.replace(path)
    path.chmod(0o444)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
