"""The one process that writes a warehouse: audit store in, publications out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryotrail_audit.records import Head
from cryotrail_audit.store import AuditStore
from cryotrail_warehouse import telemetry_files
from cryotrail_warehouse.lock import only_materialiser
from cryotrail_warehouse.model_files import models
from cryotrail_warehouse.model_run import ModelRun
from cryotrail_warehouse.publication import (
    highest_number,
    publish,
    published_number,
    published_path,
    remove_old,
)
from cryotrail_warehouse.publication_row import describe_publication
from cryotrail_warehouse.working_files import MARTS_FILE, WorkingFiles, remove_working_files


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

    def __init__(self, warehouse_dir: Path, site_tz: str, files: WorkingFiles) -> None:
        self._warehouse_dir = warehouse_dir
        self._site_tz = site_tz
        self._files = files

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
            if anew:
                remove_working_files(warehouse_dir)
            with closing(WorkingFiles(warehouse_dir, site_tz)) as files:
                yield cls(warehouse_dir, site_tz, files)

    def refresh(
        self, store: AuditStore, advance: Callable[[int], None] = _silent
    ) -> RefreshOutcome:
        """Bring the marts up to the end of the store and publish them, if there is news.

        Safe to repeat after a crash at any point: raw rows, marts and publication each continue
        from what was committed.

        :param advance: told how many entries were read, for a progress bar; and 0 after each step
            behind that, since these take their time too.
        :raises OtherLog: the warehouse was built from another log.
        """
        head = store.head()
        entries = self._files.raw_log.append(store, head.tree_size - 1, advance)
        state = self._files.marts_state()
        touched: list[str] = []
        if state is None or state.last_seq < head.tree_size - 1:
            after_seq = -1 if state is None else state.last_seq
            touched = self._run_models(store, head, after_seq, advance)
            state = self._files.marts_state()
        assert state is not None
        stale = published_number(self._warehouse_dir) != state.publication_no
        if stale:
            self._publish(state.publication_no, touched)
        return RefreshOutcome(
            path=published_path(self._warehouse_dir),
            publication_no=state.publication_no,
            published=stale,
            entries=entries,
            procedures=len(touched),
            last_seq=state.last_seq,
        )

    def _run_models(
        self, store: AuditStore, head: Head, after_seq: int, advance: Callable[[int], None]
    ) -> list[str]:
        execute = self._files.connection.execute
        run = ModelRun(self._files, models(), self._warehouse_dir)
        execute("begin")
        try:
            touched = run.run(store, after_seq, head.tree_size - 1, advance)
            describe_publication(
                self._files.connection, head, highest_number(self._warehouse_dir) + 1, self._site_tz
            )
        except BaseException:
            execute("rollback")
            raise
        execute("commit")
        run.drop_temporary()
        return touched

    def _publish(self, number: int, touched: Sequence[str]) -> None:
        connection = self._files.connection
        connection.execute("checkpoint marts")
        publish(self._warehouse_dir / MARTS_FILE, self._warehouse_dir, number)
        kept = remove_old(self._warehouse_dir)
        telemetry_files.remove_unnamed(connection, self._warehouse_dir, kept, touched)
