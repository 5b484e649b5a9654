"""A warehouse of an earlier moment, in a file of its own: what was known then.

The marts are built from the log through one entry, as they are built from all of it. The file
stands apart from the published ones: nothing links to it, no refresh touches it, and
``meta_publication`` says which moment it is of.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryotrail_audit.as_of import resolved_size
from cryotrail_audit.store import AuditStore
from cryotrail_warehouse.errors import WarehouseError
from cryotrail_warehouse.model_files import models
from cryotrail_warehouse.model_run import ModelRun
from cryotrail_warehouse.publication_row import AsOf, describe_publication
from cryotrail_warehouse.telemetry_files import FOLDER
from cryotrail_warehouse.working_files import MARTS_FILE, WorkingFiles


@dataclass(frozen=True, slots=True)
class AsOfOutcome:
    """What was built."""

    path: Path
    entries: int
    """Entries of the store that were read."""
    procedures: int
    last_seq: int
    """The last entry that was known then; -1 = none was."""


def build_as_of(
    store: AuditStore,
    output: Path,
    site_tz: str,
    *,
    recorded_us: int | None = None,
    seq: int | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> AsOfOutcome:
    """Build the marts as they were at a time of the store's clock, or through an entry.

    Samples go into a folder ``telemetry`` beside the file, as they do beside the published ones.

    :param output: a file that is not there yet, in a folder that holds no warehouse; the folder
        is made where it is missing.
    :raises WarehouseError: it is there, or the folder is no place for it.
    :raises AuditError: the log has no entry of that number.
    """
    head = store.head(resolved_size(store, recorded_us=recorded_us, seq=seq))
    _check_place(output)
    as_of = AsOf(recorded_us, head.tree_size - 1)
    with TemporaryDirectory(prefix=".as-of-", dir=output.parent) as folder:
        building = Path(folder)
        with closing(WorkingFiles(building, site_tz)) as files:
            entries = files.raw_log.append(store, as_of.seq, advance)
            files.connection.execute("begin")
            procedures = ModelRun(files, models(), building).run(store, -1, as_of.seq)
            describe_publication(files.connection, head, 0, site_tz, as_of)
            files.connection.execute("commit")
            files.connection.execute("checkpoint marts")
        _move_samples(building / FOLDER, output.parent / FOLDER)
        (building / MARTS_FILE).chmod(0o444)
        os.link(building / MARTS_FILE, output)
    return AsOfOutcome(output, entries, len(procedures), as_of.seq)


def _check_place(output: Path) -> None:
    if output.exists():
        raise WarehouseError(
            f"{output} is there already", hint="a file of an earlier moment is never changed"
        )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"{output.parent} is no folder and cannot be made: {error.strerror}",
            hint="name a file in a folder that you may write to",
        ) from error
    if (output.parent / MARTS_FILE).exists():
        raise WarehouseError(
            f"{output.parent} holds a warehouse, whose samples lie where those of the file would",
            hint="name a file in a folder of its own",
        )


def _move_samples(built: Path, telemetry: Path) -> None:
    """Named by procedure and last entry, so that files of one name hold the same samples."""
    for path in built.glob("*/*.parquet"):
        target = telemetry / path.relative_to(built)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
