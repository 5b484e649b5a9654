"""Bringing a warehouse up to date: once, from the beginning, or again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from cryotrail_audit.stop_flag import StopFlag
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.errors import CryotrailError
from cryotrail_warehouse.materialiser import Materialiser, RefreshOutcome

__all__ = ["RefreshOutcome", "follow", "rebuild", "refresh"]

_logger = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 2.0
"""How long to wait for a store that cannot be reached, at least."""

REST_FACTOR: Final = 4
"""After a publication the materialiser rests at least this many times as long as it took."""


def _silent(count: int) -> None:
    """Nobody watches the progress."""


def _nobody(outcome: RefreshOutcome) -> None:
    """Nobody wants to know."""


def refresh(
    store: AuditStore,
    warehouse_dir: Path,
    site_tz: str,
    advance: Callable[[int], None] = _silent,
) -> RefreshOutcome:
    """Read what is new in the store, replace the rows of the procedures it touches, publish.

    :param site_tz: IANA zone of the calendar dates in the marts.
    :param advance: told how many entries were read, for a progress bar.
    :raises MaterialiserBusy: another process is writing this warehouse.
    :raises OtherLog: the warehouse was built from another audit log.
    """
    with Materialiser.open(warehouse_dir, site_tz) as materialiser:
        return materialiser.refresh(store, advance)


def rebuild(
    store: AuditStore,
    warehouse_dir: Path,
    site_tz: str,
    advance: Callable[[int], None] = _silent,
) -> RefreshOutcome:
    """Forget everything but the publications, and build the marts from the first entry on.

    The result equals that of refreshing all along, row for row. Readers keep the last publication
    until the new one stands.

    :raises MaterialiserBusy: another process is writing this warehouse.
    """
    with Materialiser.open(warehouse_dir, site_tz, anew=True) as materialiser:
        return materialiser.refresh(store, advance)


def follow(
    store: AuditStore,
    warehouse_dir: Path,
    site_tz: str,
    every_s: float,
    stop: StopFlag,
    looked: Callable[[RefreshOutcome], None] = _nobody,
    advance: Callable[[int], None] = _silent,
) -> Iterator[RefreshOutcome]:
    """Refresh until ``stop`` is set; yields each outcome that published something.

    Looks for news every ``every_s`` seconds, and rests longer after a publication that took long,
    so that publishing never takes more than a fifth of the time. While the store cannot be
    reached it waits, and readers keep the last publication.

    :param looked: told of each look at the store that read it to its end, news or not.
    :param advance: told while a refresh goes on, as by :func:`refresh`: a long one is not stuck.
    :raises MaterialiserBusy: another process is writing this warehouse.
    """
    with Materialiser.open(warehouse_dir, site_tz) as materialiser:
        while not stop.is_set():
            began = time.monotonic()
            try:
                outcome = materialiser.refresh(store, advance)
            except CryotrailError as error:
                if not error.retriable:
                    raise
                _logger.warning("no refresh, trying again: %s", error)
                stop.wait(max(every_s, RETRY_AFTER_S))
                continue
            looked(outcome)
            rest_s = every_s
            if outcome.published:
                rest_s = max(every_s, REST_FACTOR * (time.monotonic() - began))
                yield outcome
            stop.wait(rest_s)
