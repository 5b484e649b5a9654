"""Signing as a service: at once when a procedure ended, else at most once in a while."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Final

from cryotrail_audit.checkpoints.errors import CheckpointError
from cryotrail_audit.stop_flag import StopFlag
from cryotrail_schemas.errors import CryotrailError

LOOK_EVERY_S: Final = 1.0
"""How often the end of the log is looked at."""

SIGN_EVERY_S: Final = 60.0
"""How long entries may wait for a signature."""

_log = logging.getLogger(__name__)


def follow(
    is_due: Callable[[bool], bool],
    step: Callable[[], None],
    stopping: StopFlag,
    *,
    look_every_s: float = LOOK_EVERY_S,
    sign_every_s: float = SIGN_EVERY_S,
) -> None:
    """Take a step whenever one is due, until told to stop.

    A log that may not be signed is an alarm, repeated every ``sign_every_s``, and does not end the
    service: the recorder beside it goes on, and what it records is not signed.

    :param is_due: whether there is something to sign; asked with True once ``sign_every_s`` have
        gone by since the last step, with False before, when only what is urgent counts.
    :raises CryotrailError: an error that no later step can mend.
    """
    last = -math.inf
    while not stopping.is_set():
        waited = time.monotonic() - last >= sign_every_s
        try:
            if is_due(waited):
                last = time.monotonic()
                step()
        except CheckpointError as error:
            last = time.monotonic()
            _log.error("NOT SIGNED: %s%s", error, f" ({error.hint})" if error.hint else "")
            # A finding does not go away: the next look at it is in a minute, not in a second.
            stopping.wait(sign_every_s - look_every_s)
        except CryotrailError as error:
            if not error.retriable:
                raise
            _log.warning("the store cannot be read now and is tried again: %s", error)
            last = -math.inf  # what was due still is
        stopping.wait(look_every_s)
