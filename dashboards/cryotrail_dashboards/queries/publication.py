"""One publication, opened for the length of one page run.

The file behind the symbolic link is attached anew each time: a kept connection would go on showing
the publication it first saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from cryotrail_dashboards.errors import WarehouseUnreadable
from cryotrail_warehouse.publication import published_path


class PublicationRow(NamedTuple):
    """The one row of ``meta_publication``."""

    publication_no: int
    published_at: Any
    last_seq: int
    last_recorded_at: Any
    audit_tree_size: int
    audit_root: str
    procedure_count: int
    event_count: int
    telemetry_chunk_count: int
    site_tz: str


class Publication:
    """A consistent view of the marts: nothing changes in it while it is open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path
        """The published file itself, past its symbolic link."""

    @property
    def warehouse_dir(self) -> Path:
        """The folder that paths in the marts are relative to."""
        return self.path.parent

    def rows(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """Rows as dictionaries; times are aware, in UTC."""
        rows: list[dict[str, Any]] = self._arrow(sql, parameters).to_pylist()
        return rows

    def frame(self, sql: str, parameters: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Rows as a frame; times are aware, in UTC."""
        return self._arrow(sql, parameters).to_pandas()

    def meta(self) -> PublicationRow:
        """Number, age and log position of this publication."""
        columns = ", ".join(PublicationRow._fields)
        return PublicationRow(**self.rows(f"select {columns} from warehouse.meta_publication")[0])

    def identity(self) -> tuple[object, ...]:
        """What tells this publication from any other, of this folder and of others."""
        meta = self.meta()
        return (str(self.path), meta.published_at, meta.audit_root)

    def _arrow(self, sql: str, parameters: Mapping[str, object] | None) -> Any:
        try:
            # By way of Arrow, whose times keep their zone and whose nulls stay nulls.
            return self._connection.sql(sql, params=dict(parameters or {})).to_arrow_table()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise WarehouseUnreadable(
                f"the publication lacks what this page reads: {error}",
                hint="build it with this version: cryotrail warehouse rebuild",
            ) from error
        except duckdb.IOException as error:
            raise WarehouseUnreadable(f"a published file cannot be read: {error}") from error


@contextmanager
def open_publication(warehouse_dir: Path) -> Iterator[Publication]:
    """Attach the current publication, read-only, as ``warehouse``.

    :raises cryotrail_warehouse.errors.NothingPublished: there is none yet.
    :raises WarehouseUnreadable: the file is no DuckDB file that this version can read.
    """
    path = published_path(warehouse_dir).resolve()
    with duckdb.connect(":memory:") as connection:
        try:
            quoted = str(path).replace("'", "''")
            connection.execute(f"attach '{quoted}' as warehouse (read_only)")
        except duckdb.Error as error:
            raise WarehouseUnreadable(
                f"{path} cannot be opened: {error}",
                hint="build it again: cryotrail warehouse rebuild",
            ) from error
        connection.execute("set TimeZone = 'UTC'")
        yield Publication(connection, path)
