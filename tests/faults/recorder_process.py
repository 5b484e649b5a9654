"""A recorder as a process of its own: the command ``cryotrail record``, with a clock that can be moved."""

from __future__ import annotations

import functools
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from kafka_fixtures import home_settings

from cryotrail.commands import record
from cryotrail_audit import sql_store
from cryotrail_audit.clock import StoreClock
from cryotrail_audit.records import AppendOutcome, IncomingBatch
from faults.kill_points import Death, arm


@dataclass(frozen=True)
class RecorderTask:
    """What one recorder is to do."""

    home: Path
    log: Path
    bootstrap: str
    audit_url: str
    work: Path
    """File that grows with each transaction."""
    clock_step: Path
    """File with the seconds by which the wall clock is off; it may change at any time."""
    death: Death | None = None


def record_until_told(task: RecorderTask) -> None:
    """Run the command until SIGTERM; exits as it does."""
    _print_to(task.log)
    wall_ns = functools.partial(_stepped_ns, task.clock_step)
    sql_store.StoreClock = functools.partial(StoreClock, wall_ns)  # type: ignore[assignment, attr-defined]
    _tell_work(task.work)
    if task.death is not None:
        arm(task.death)
    settings = home_settings(task.home, KAFKA_BOOTSTRAP=task.bootstrap, AUDIT_URL=task.audit_url)
    sys.exit(record.main([], settings))


def _stepped_ns(step: Path) -> int:
    return time.time_ns() + int(float(step.read_text()) * 1e9)


def _tell_work(work: Path) -> None:
    file = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    append = sql_store.SqlStore.append

    @functools.wraps(append)
    def told(store: sql_store.SqlStore, batch: IncomingBatch) -> AppendOutcome:
        outcome = append(store, batch)
        os.write(file, b".")
        return outcome

    sql_store.SqlStore.append = told  # type: ignore[assignment, method-assign]


def _print_to(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
