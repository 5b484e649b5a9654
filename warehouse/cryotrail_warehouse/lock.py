"""One materialiser a warehouse: the writable files belong to one process at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryotrail_warehouse.errors import MaterialiserBusy

FILE_NAME = "materialiser.lock"


@contextmanager
def only_materialiser(warehouse_dir: Path) -> Iterator[None]:
    """Hold the warehouse for this process while the block runs.

    The operating system gives the lock back however the process ends, so a crash leaves nothing
    to clean up. Readers need no lock.

    :raises MaterialiserBusy: another process holds it; the message names its id.
    """
    path = warehouse_dir / FILE_NAME
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise MaterialiserBusy(
                f"another materialiser (process {holder}) is at work on {warehouse_dir}",
                hint="wait for it, or stop it: one process at a time writes a warehouse",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
