"""A task that is done again and again for as long as an outbox is open, whatever becomes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cryotrail_schemas.errors import CryotrailError

_log = logging.getLogger(__name__)


class Repeated:
    """Does a task at each call and never raises: a failure is logged, once for as long as it lasts."""

    def __init__(self, task: Callable[[], object]) -> None:
        """``task`` is what is to be done; what it returns is dropped."""
        self._task = task
        self._failure: str | None = None

    def __call__(self) -> None:
        """Do it once more."""
        try:
            self._task()
        except CryotrailError as error:
            if str(error) != self._failure:
                _log.error("%s", error)
            self._failure = str(error)
        except Exception:  # noqa: BLE001 - no fault of ours may end the syncs of a room
            _log.exception("looking after the outbox failed")
        else:
            self._failure = None
