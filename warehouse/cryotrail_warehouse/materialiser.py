"""The one process that writes a warehouse: audit store in, publications out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryotrail_audit.records import Head
from cryotrail_audit.store import AuditStore
from cryotrail_warehouse import telemetry_files
from cryotrail_warehouse.errors import WarehouseError
from cryotrail_warehouse.lock import only_materialiser
from cryotrail_warehouse.marts_schema import create_marts
from cryotrail_warehouse.model import macros, models
from cryotrail_warehouse.model_run import ModelRun
from cryotrail_warehouse.publication import (
    highest_number,
    publish,
    published_number,
    published_path,
    remove_old,
)
from cryotrail_warehouse.raw_log import RawLog

if TYPE_CHECKING:
    import duckdb

STORAGE_VERSION: Final = "v1.0.0"
"""Storage format of the files: every DuckDB since 1.0 reads it, whatever version wrote it."""

_BUILD: Final = "build.duckdb"
_MARTS: Final = "marts.duckdb"

_STATE: Final = """
select publication_no, last_seq, site_tz, models_sha256 from marts.main.meta_publication
"""

_DESCRIBE_PUBLICATION: Final = """
insert into marts.main.meta_publication by name
select $publication_no as publication_no, current_timestamp as published_at, $last_seq as last_seq,
  make_timestamptz($last_recorded_us) as last_recorded_at, $tree_size as audit_tree_size,
  $root as audit_root, (select count(*) from marts.main.fct_procedure) as procedure_count,
  (select coalesce(sum(event_count), 0) from build.raw.procedure_stream) as event_count,
  (select coalesce(sum(chunk_count), 0) from build.raw.procedure_stream) as telemetry_chunk_count,
  $site_tz as site_tz, $version as cryotrail_version, $digest as models_sha256
"""


@dataclass(frozen=True, slots=True)
class RefreshOutcome:
    """What one refresh did."""

    path: Path
    """The stable path of the publication."""
    publication_no: int
    published: bool
    """Whether it made a new publication; without news it makes none."""
    entries: int
    """Entries of the store that were read."""
    procedures: int
    """Procedures whose rows were replaced."""
    last_seq: int
    """The marts contain the store through this number; -1 = it is empty."""


def _silent(count: int) -> None:
    """Nobody watches the progress."""


class Materialiser:
    """Holds a warehouse folder for as long as it is open, and refreshes it."""

    def __init__(self, warehouse_dir: Path, site_tz: str) -> None:
        self._warehouse_dir = warehouse_dir
        self._site_tz = site_tz
        self._connection: duckdb.DuckDBPyConnection

    @classmethod
    @contextmanager
    def open(
        cls, warehouse_dir: Path, site_tz: str, *, anew: bool = False
    ) -> Iterator[Materialiser]:
        """Take the folder over, creating it when it is not there.

        :param site_tz: IANA zone of the calendar dates in the marts.
        :param anew: forget the working files, so that the next refresh reads the whole log again;
            readers keep the last publication meanwhile.
        :raises MaterialiserBusy: another process holds it.
        :raises WarehouseError: a working file cannot be opened.
        """
        warehouse_dir.mkdir(parents=True, exist_ok=True)
        with only_materialiser(warehouse_dir):
            materialiser = cls(warehouse_dir, site_tz)
            if anew:
                materialiser._remove(_BUILD)
                materialiser._remove(_MARTS)
            materialiser._connect()
            try:
                yield materialiser
            finally:
                materialiser._connection.close()

    def refresh(
        self, store: AuditStore, advance: Callable[[int], None] = _silent
    ) -> RefreshOutcome:
        """Bring the marts up to the end of the store and publish them, if there is news.

        Safe to repeat after a crash at any point: raw rows, marts and publication each continue
        from what was committed.

        :param advance: told how many entries were read, for a progress bar.
        :raises OtherLog: the warehouse was built from another log.
        """
        head = store.head()
        entries = RawLog(self._connection, self._warehouse_dir).append(
            store, head.tree_size - 1, advance
        )
        state = self._state()
        touched: list[str] = []
        if state is None or state[1] < head.tree_size - 1:
            touched = self._run_models(store, head, -1 if state is None else state[1])
            state = self._state()
        assert state is not None
        publication_no, last_seq = state[:2]
        stale = published_number(self._warehouse_dir) != publication_no
        if stale:
            self._publish(publication_no, touched)
        return RefreshOutcome(
            path=published_path(self._warehouse_dir),
            publication_no=publication_no,
            published=stale,
            entries=entries,
            procedures=len(touched),
            last_seq=last_seq,
        )

    def _run_models(self, store: AuditStore, head: Head, after_seq: int) -> list[str]:
        execute = self._connection.execute
        run = ModelRun(self._connection, models(), self._warehouse_dir)
        execute("begin")
        try:
            touched = run.run(store, after_seq, head.tree_size - 1)
            execute("delete from marts.main.meta_publication")
            execute(
                _DESCRIBE_PUBLICATION,
                {
                    "publication_no": highest_number(self._warehouse_dir) + 1,
                    "last_seq": head.tree_size - 1,
                    "last_recorded_us": head.recorded_us,
                    "tree_size": head.tree_size,
                    "root": head.root.hex(),
                    "site_tz": self._site_tz,
                    "version": version("cryotrail"),
                    "digest": models().digest,
                },
            )
        except BaseException:
            execute("rollback")
            raise
        execute("commit")
        run.drop_temporary()
        return touched

    def _publish(self, number: int, touched: Sequence[str]) -> None:
        self._connection.execute("checkpoint marts")
        publish(self._warehouse_dir / _MARTS, self._warehouse_dir, number)
        kept = remove_old(self._warehouse_dir)
        telemetry_files.remove_unnamed(self._connection, self._warehouse_dir, kept, touched)

    def _state(self) -> tuple[int, int, str, str] | None:
        """Publication, last store number, zone and models of the marts; None before the first run."""
        row: tuple[int, int, str, str] | None = self._connection.execute(_STATE).fetchone()
        return row

    def _connect(self) -> None:
        import duckdb

        self._connection = duckdb.connect()
        try:
            self._configure()
            self._attach(_BUILD, "build")
            self._attach(_MARTS, "marts")
            raw = RawLog(self._connection, self._warehouse_dir)
            if not raw.is_current:
                self._replace(_BUILD, "build")
                raw.create()
            if not self._marts_are_current(raw.last_seq):
                self._replace(_MARTS, "marts")
                create_marts(self._connection, models())
        except duckdb.Error as error:
            self._connection.close()
            raise WarehouseError(
                f"cannot open the working files in {self._warehouse_dir}: {error}",
                hint="close what holds them (read `cryotrail warehouse path` instead), or build"
                " them anew: cryotrail warehouse rebuild",
            ) from error

    def _configure(self) -> None:
        spill = str(self._warehouse_dir / "spill")
        self._connection.execute("set temp_directory = $1", [spill])
        self._connection.execute("set TimeZone = 'UTC'")
        self._connection.execute("set variable site_tz = $1", [self._site_tz])
        self._connection.execute(macros())

    def _marts_are_current(self, raw_last_seq: int) -> bool:
        """Whether the marts are of these models, this zone, and no further than the raw rows."""
        found = self._connection.execute(
            "select count(*) from duckdb_tables()"
            " where database_name = 'marts' and table_name = 'meta_publication'"
        ).fetchone()
        if found != (1,):
            return False
        state = self._state()
        return state is None or (
            state[1] <= raw_last_seq and state[2:] == (self._site_tz, models().digest)
        )

    def _attach(self, file_name: str, alias: str) -> None:
        path = str(self._warehouse_dir / file_name).replace("'", "''")
        self._connection.execute(
            f"attach '{path}' as {alias} (storage_version '{STORAGE_VERSION}')"
        )

    def _replace(self, file_name: str, alias: str) -> None:
        self._connection.execute(f"detach {alias}")
        self._remove(file_name)
        self._attach(file_name, alias)

    def _remove(self, file_name: str) -> None:
        for name in (file_name, f"{file_name}.wal"):
            (self._warehouse_dir / name).unlink(missing_ok=True)
