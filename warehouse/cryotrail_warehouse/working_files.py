"""The two writable DuckDB files of a warehouse, attached to one connection.

``build.duckdb`` holds the log decoded, ``marts.duckdb`` the tables that are published. Both can be
thrown away: everything in them follows from the audit store, and they are when they were made by
another decoder, other models or for another zone.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, NamedTuple

from cryotrail_warehouse.errors import WarehouseError
from cryotrail_warehouse.marts_schema import create_marts
from cryotrail_warehouse.model_files import macros, models
from cryotrail_warehouse.raw_log import RawLog

BUILD_FILE: Final = "build.duckdb"
MARTS_FILE: Final = "marts.duckdb"

STORAGE_VERSION: Final = "v1.0.0"
"""Storage format of the files: every DuckDB since 1.0 reads it, whatever version wrote it."""


class MartsState(NamedTuple):
    """What the marts are: the row of ``meta_publication``."""

    publication_no: int
    last_seq: int
    """They contain the store through this number."""
    site_tz: str
    models_sha256: str


def remove_working_files(warehouse_dir: Path) -> None:
    """Forget everything but the publications."""
    for file_name in (BUILD_FILE, MARTS_FILE):
        _remove(warehouse_dir / file_name)


class WorkingFiles:
    """The files, attached as ``build`` and ``marts`` and fit for this version and zone."""

    def __init__(self, warehouse_dir: Path, site_tz: str) -> None:
        """Open the files, creating what is missing or unfit.

        :raises WarehouseError: a file is no DuckDB file, or another process holds it.
        """
        import duckdb

        self._warehouse_dir = warehouse_dir
        self._site_tz = site_tz
        self.scratch_dir = warehouse_dir / "scratch"
        self._empty_scratch()
        self.connection = duckdb.connect()
        self.raw_log = RawLog(self.connection, self.scratch_dir)
        try:
            self._configure()
            self._attach(BUILD_FILE, "build")
            self._attach(MARTS_FILE, "marts")
            self._make_fit()
        except duckdb.Error as error:
            self.connection.close()
            raise WarehouseError(
                f"cannot open the working files in {warehouse_dir}: {error}",
                hint="close what holds them (read `cryotrail warehouse path` instead), or build"
                " them anew: cryotrail warehouse rebuild",
            ) from error

    def close(self) -> None:
        """Give the files back."""
        self.connection.close()
        shutil.rmtree(self.scratch_dir)

    def marts_state(self) -> MartsState | None:
        """What the marts contain; None before the first run of the models."""
        row = self.connection.execute(
            f"select {', '.join(MartsState._fields)} from marts.main.meta_publication"
        ).fetchone()
        return None if row is None else MartsState(*row)

    def _configure(self) -> None:
        execute = self.connection.execute
        execute("set temp_directory = $1", [str(self.scratch_dir / "spill")])
        execute("set TimeZone = 'UTC'")
        execute("set variable site_tz = $1", [self._site_tz])
        execute(macros())

    def _empty_scratch(self) -> None:
        # A process that was killed may have left decoded events here.
        shutil.rmtree(self.scratch_dir, ignore_errors=True)
        self.scratch_dir.mkdir()

    def _make_fit(self) -> None:
        if not self.raw_log.is_current:
            self._replace(BUILD_FILE, "build")
            self.raw_log.create()
        if not self._marts_are_current():
            self._replace(MARTS_FILE, "marts")
            create_marts(self.connection, models())

    def _marts_are_current(self) -> bool:
        """Whether the marts are of these models, this zone, and no further than the raw rows."""
        found = self.connection.execute(
            "select count(*) from duckdb_tables()"
            " where database_name = 'marts' and table_name = 'meta_publication'"
        ).fetchone()
        if found != (1,):
            return False
        state = self.marts_state()
        return state is None or (
            state.last_seq <= self.raw_log.last_seq
            and (state.site_tz, state.models_sha256) == (self._site_tz, models().digest)
        )

    def _attach(self, file_name: str, alias: str) -> None:
        path = str(self._warehouse_dir / file_name).replace("'", "''")
        self.connection.execute(f"attach '{path}' as {alias} (storage_version '{STORAGE_VERSION}')")

    def _replace(self, file_name: str, alias: str) -> None:
        self.connection.execute(f"detach {alias}")
        _remove(self._warehouse_dir / file_name)
        self._attach(file_name, alias)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
